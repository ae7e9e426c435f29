"""A run of many shoppers, or of a long time, has a report no larger than others."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from loadtests.judging.judge import judge
from loadtests.model.history import Exchange, Outcome, encode_records
from loadtests.model.run_folder import RunFolder
from loadtests.report import render_report
from loadtests.report.evidence import Shopper
from loadtests.report.lanes import MOST_STEPS, _thinned
from loadtests.report.shopper_timelines import ShopperRow
from tests.bench.big_run import write_big_run

LIMIT = 500_000


def stretched(run: RunFolder, times: int) -> None:
    """As if it had gone on: every shopper's troubles come again and again."""
    records = []
    for number in range(times):
        for shopper in range(1, 200):
            outcome: Outcome = "failed" if (number + shopper) % 3 else "ok"
            at_us = number * 3_000_000 + shopper * 1000
            status = 200 if outcome == "ok" else 503
            records.append(
                Exchange(
                    "redis", shopper, f"a-{shopper}-{number}", "recovery", "cart", outcome, at_us, at_us, at_us + 900,
                    status=status, node="n1" if outcome == "ok" else "",
                )
            )  # fmt: skip
    run.history.write_bytes(encode_records(records))


def test_many_shoppers(tmp_path: Path) -> None:
    run = write_big_run(tmp_path / "many", 30_000, names=("sticky-memory", "redis"))
    assert len(render_report(run.root, judge(run.root))) < LIMIT


def test_troubles_without_end(tmp_path: Path) -> None:
    run = write_big_run(tmp_path / "long", 2000, names=("redis",))
    results = judge(run.root)
    stretched(run, 200)
    page = render_report(run.root, results)
    assert len(page) < LIMIT
    assert "apart is drawn as one" in page.decode()


def test_of_too_many_steps_the_highest_remain() -> None:
    steps = [(at, at + 1, at % 7 if at % 100 else -1) for at in range(5000)]
    thinned = _thinned(steps)
    assert len(thinned) <= MOST_STEPS + 2 * 50
    assert (thinned[0][0], thinned[-1][1]) == (0, 5000)
    assert all(one[1] == other[0] for one, other in pairwise(thinned))
    assert sum(count < 0 for _, _, count in thinned) == 50, "what nobody could say stays so"
    assert max(count for _, _, count in thinned) == 6
    assert _thinned(steps[:MOST_STEPS]) == steps[:MOST_STEPS]


def test_what_lies_close_together_is_one() -> None:
    shopper = Shopper()
    shopper.logins_us, shopper.trouble = [0], [(10, 20), (25, 30), (90, 95)]
    row = ShopperRow(1, shopper, ())
    assert [span for span in row.states(100) if span[0] == "trouble"] == [
        ("trouble", *span) for span in shopper.trouble
    ]
    assert [span for span in row.states(100, 10) if span[0] == "trouble"] == [("trouble", 10, 30), ("trouble", 90, 95)]
