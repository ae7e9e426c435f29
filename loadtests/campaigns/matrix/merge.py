"""Several folders of `twinshop matrix`, made in different places, as one: what `--shard` divided, or anything else."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from loadtests.campaigns.cells import FILE, Cell, Matrix, Place, read_matrix, write_matrix
from loadtests.campaigns.jobs import catalogue
from loadtests.campaigns.matrix.matrix_run import decisions
from loadtests.campaigns.matrix.page import write_page
from loadtests.model.run_folder import make_folder
from shared.errors import RunFolderError, UsageError

ALIKE = ("seed", "engine", "balancer", "twinshop")
"""Of which all parts must have the same."""


def merge(folders: Sequence[Path], into: Path) -> Path:
    """Put them together in a new folder, with copies of all runs; return its page.

    Raises:
        UsageError: there is something at `into`, parts were made with different things, or have a cell in common.
        RunFolderError: a part is no matrix, or lacks a run that its cells name.
        EnvironmentNotReady: the folder cannot be made.
    """
    parts = [(folder, read_matrix(folder)) for folder in folders]
    _check_alike(parts)
    cells = _all_cells(parts)
    make_folder(into)
    for folder, matrix in parts:
        for run in sorted({cell.run for cell in matrix.cells if cell.run}):
            _copy_run(folder, run, into)
    first = parts[0][1]
    merged = msgspec.structs.replace(
        first, side_by_side=max(matrix.side_by_side for _, matrix in parts), cells=()
    ).with_cells(cells)  # fmt: skip
    write_matrix(into, merged)
    entries = catalogue()
    return write_page(into, merged, entries, decisions(merged, entries))


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


def _copy_run(folder: Path, run: str, into: Path) -> None:
    source = folder / run
    if Path(run).name != run or not source.is_dir():
        raise RunFolderError(
            f"{folder / FILE} names a run that is not there: {run}", next_step=f"copy the whole of {folder}, then merge"
        )
    if any(path.is_symlink() for path in source.rglob("*")):
        raise RunFolderError(f"{source} holds a link", why="a run is plain files", next_step="copy it without links")
    shutil.copytree(source, into / run)
