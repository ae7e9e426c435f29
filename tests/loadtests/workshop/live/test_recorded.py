"""What the dashboard counts of a recorded run is what the judge counts: one run after the other, as they are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.campaigns.bundles.unpack import run_in
from loadtests.judging.judge import judge
from loadtests.model.results import ArchitectureResult
from loadtests.workshop.contract import LiveCounts, SideFrame, applied, empty_picture
from loadtests.workshop.live.recorded import read_recording

RUNS = Path(__file__).parents[3] / "golden" / "runs"
MORE_THAN_ONE_SHOP = sorted(
    path.stem
    for path in RUNS.glob("*.zip")
    if path.stem not in ("repeats", "kill-and-short-lifetime", "replica-promoted", "store-full-evicting")
)
"""The others are no single run, or ran on one architecture only: there is nothing to be shown beside it."""


def counted(result: ArchitectureResult) -> LiveCounts:
    actions = result.actions
    return LiveCounts(
        result.logged_out.shoppers, result.carts_lost, actions.failed, actions.unknown, actions.planned, result.shoppers
    )


def causes(side: SideFrame) -> list[tuple[str, int, str]]:
    return sorted((loss.kind, loss.shopper, loss.cause) for loss in side.losses)


@pytest.mark.parametrize("name", MORE_THAN_ONE_SHOP)
def test_its_last_picture_is_what_the_judge_found(name: str) -> None:
    with run_in(RUNS / f"{name}.zip") as folder:
        results = judge(folder).architectures
        left, right = tuple(results)[:2]
        picture = empty_picture(1)
        for frame in read_recording(folder, left, right).frames:
            picture = applied(picture, frame)
    for architecture, side in ((left, picture.left), (right, picture.right)):
        result = results[architecture]
        assert side.counts == counted(result)
        if len(side.losses) == len(result.losses):  # of one shopper only the first ones are shown
            assert causes(side) == sorted((loss.kind, loss.shopper, loss.cause) for loss in result.losses)


def test_there_are_runs_in_which_something_was_lost() -> None:
    assert {"node-kill", "workshop-round", "key-swap"} <= set(MORE_THAN_ONE_SHOP)
