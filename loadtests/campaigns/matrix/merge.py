"""Several folders of `twinshop matrix`, made in different places, as one: what `--shard` divided, or anything else."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from compose.cluster import DEFAULT_BALANCER
from loadtests.campaigns.cells import EVERYTHING, FILE, Cell, Matrix, Place, read_matrix, write_matrix
from loadtests.campaigns.jobs import catalogue
from loadtests.campaigns.matrix.matrix_run import decisions, for_balancer
from loadtests.campaigns.matrix.page import write_page
from loadtests.model.run_folder import Provenance, RunFolder, make_folder, run_inside
from loadtests.running.provenance import bearing
from shared.errors import RunFolderError, UsageError

ALIKE = ("seed", "engine", "balancer", "twinshop")  # of which all parts must have the same


def merge(folders: Sequence[Path], into: Path) -> Path:
    """Put them together in a new folder, with copies of all runs; return its page.

    Raises:
        UsageError: there is something at `into`, parts were made with different things, or have a cell in common.
        RunFolderError: a part is no matrix, or lacks a run that its cells name.
        EnvironmentNotReady: the folder cannot be made.
    """
    if into.exists():
        raise UsageError(f"{into} exists already", why="nothing is written over", next_step="name a new one: --out DIR")
    parts = [(folder, read_matrix(folder)) for folder in folders]
    runs = [(folder, run) for folder, matrix in parts for run in sorted({it.run for it in matrix.cells if it.run})]
    _check_alike(parts)
    _check_versions(runs)
    cells = _all_cells(parts)
    for folder, run in runs:
        _check_plain(folder / run)
    make_folder(into, "--out DIR")  # only now that the parts are known to fit together
    for folder, run in runs:
        shutil.copytree(folder / run, into / run)
    first = parts[0][1]
    merged = msgspec.structs.replace(
        first, side_by_side=max(matrix.side_by_side for _, matrix in parts), cells=(),
        asked=first.asked if all(matrix.asked == first.asked for _, matrix in parts) else EVERYTHING,
    ).with_cells(cells)  # fmt: skip
    write_matrix(into, merged)
    entries = tuple(for_balancer(entry, merged.balancer) for entry in catalogue())
    claimed = () if merged.asked.options() else decisions(merged, entries)
    return write_page(into, merged, entries, claimed, merged.asked)


def _check_alike(parts: Iterable[tuple[Path, Matrix]]) -> None:
    (first, one), *others = parts
    for folder, matrix in others:
        for name in ALIKE:
            here, there = getattr(one, name), getattr(matrix, name)
            if here != there:
                raise UsageError(
                    f"{first} and {folder} do not belong together",
                    why=f"{name} is {here!r} in the one and {there!r} in the other",
                    next_step="run the shards again with the same version, seed, engine and balancer",
                )


def _check_versions(runs: Iterable[tuple[Path, str]]) -> None:
    known: dict[str, tuple[str, Path]] = {}
    for folder, run in runs:
        for what, version in _made_with(RunFolder(run_inside(folder, run, FILE)).read_provenance()).items():
            other, there = known.setdefault(what, (version, folder))
            if version != other:
                raise UsageError(
                    f"{there} and {folder} do not belong together",
                    why=f"{what} was {other} in the one and {version} in {folder / run}",
                    next_step="run the shards again with the same versions",
                )


def _made_with(run: Provenance) -> dict[str, str]:
    """The versions that can decide what came of a run."""
    # Of the balancers' packages only that of the one that ran: another one may well differ between machines.
    packages = bearing(run.packages, (run.balancer or DEFAULT_BALANCER,))
    return {"Python": run.python, **packages} | ({"the checkout of Twinshop": run.files} if run.files else {})


def _all_cells(parts: Iterable[tuple[Path, Matrix]]) -> tuple[Cell, ...]:
    found: dict[Place, tuple[Path, Cell]] = {}
    for folder, matrix in parts:
        for cell in matrix.cells:
            other, known = found.setdefault(cell.place, (folder, cell))
            if known is not cell:
                raise UsageError(
                    f"{other} and {folder} both have {cell.scenario} on {cell.architecture}",
                    why="nobody could say which of the two is meant",
                    next_step="merge folders that were made with different --shard",
                )
    return tuple(cell for _, cell in found.values())


def _check_plain(source: Path) -> None:
    # Copied would be what it leads to, whatever that is.
    if any(path.is_symlink() for path in (source, *source.rglob("*"))):
        what = "is" if source.is_symlink() else "holds"
        raise RunFolderError(f"{source} {what} a link", why="a run is plain files", next_step="copy it without links")
