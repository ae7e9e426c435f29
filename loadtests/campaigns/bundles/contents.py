"""What a folder that goes into a bundle must hold: one run; or the folder of repeats, in which every block is a run."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from loadtests.campaigns.bundles.names import portable, run_name
from loadtests.campaigns.repeats.repeats import read_repeats
from loadtests.model.run_folder import REPEATS, RunFolder

NEEDED = ("run.json", "scenario.toml", "plan.json", "history.ndjson", "events.ndjson")
"""Without any of these nothing of a run can be judged."""


def lacking(names: Collection[str]) -> list[str]:
    """The files that a bundle of these files would lack."""
    runs = {name.partition("/")[0] + "/" for name in names if "/" in name} if REPEATS in names else {""}
    return [run + needed for run in sorted(runs) for needed in NEEDED if run + needed not in names]


def name_of(folder: Path) -> str:
    """The name of the run, or of the repeats, from what they say of themselves: a copy of the folder has the same one.

    Raises:
        RunFolderError: as `check_readable`.
    """
    if (folder / REPEATS).is_file():
        return portable(read_repeats(folder).asked.folder_name)
    return run_name(RunFolder(folder).read_provenance())


def check_readable(folder: Path) -> None:
    """This version reads what the folder holds.

    Raises:
        RunFolderError: it does not, or a run is missing that the repeats name.
    """
    if not (folder / REPEATS).is_file():
        RunFolder(folder).read_provenance()
        return
    for block in read_repeats(folder).blocks:
        if block.run:
            RunFolder(folder / block.run).read_provenance()
