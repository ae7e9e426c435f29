"""Runs to compare, made without starting anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from loadtests.campaigns.comparison.side import Side, read_side
from loadtests.model.plan import Plan, encode_plan, plan_sha256
from loadtests.model.run_folder import RunFolder
from tests.loadtests.model_run import ARCHITECTURES, predict_otherwise, write_run


def made(root: Path, *, seed: int = 1, architectures: tuple[str, ...] = ARCHITECTURES, **of_the_run: Any) -> RunFolder:
    """A run of the model, with some of its provenance changed."""
    run = write_run(root, seed=seed, architectures=architectures)
    say(run, **of_the_run)
    return run


def say(folder: RunFolder, /, **of_the_run: Any) -> None:
    """Change what a run says of itself."""
    said = msgspec.structs.replace(folder.read_provenance(), **of_the_run)
    folder.provenance.write_bytes(msgspec.json.encode(said))


def replan(run: RunFolder, plan: Plan) -> None:
    """As if it had carried out that plan."""
    run.plan.write_bytes(encode_plan(plan))
    say(run, plan_sha256=plan_sha256(plan))


def ask(run: RunFolder, before: str, after: str) -> None:
    """Change its scenario."""
    text = run.scenario.read_text()
    assert before in text
    predict_otherwise(run, text.replace(before, after))


def sides(*runs: RunFolder) -> list[Side]:
    """As `twinshop compare` reads them."""
    return [read_side("ABCDEF"[number], run.root.name, run.root) for number, run in enumerate(runs)]
