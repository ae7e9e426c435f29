"""Writes a bundle: a zip file, which everybody can open, in which nothing depends on when or where it was written.

The files stand in order of their names, with one date and one mode. The same run gives the same bytes with the same
zlib; with another one the packed bytes may differ, and never the manifest and what is unpacked.
"""

import hashlib
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from loadtests.campaigns.bundles.manifest import (
    BUNDLE_SCHEMA,
    MANIFEST,
    MOST_BYTES,
    MOST_FILES,
    MOST_RATIO,
    BundledFile,
    Manifest,
    check_readable,
    is_inside,
    missing_files,
    name_of,
    same_elsewhere,
)
from loadtests.model.run_folder import encode_document
from loadtests.running.provenance import twinshop_version
from shared.errors import RunFolderError, UsageError
from shared.whole_file import whole_file

CHUNK_BYTES = 2**18
_DATE = (1980, 1, 1, 0, 0, 0)  # the oldest that a zip file can hold
_REGULAR_FILE = 0o100644 << 16
_UNIX = 3  # on Windows zipfile would write 0, and the same run would give other bytes


class Packed(msgspec.Struct, frozen=True):
    """A bundle that was written."""

    file: Path
    manifest: Manifest


def pack(folder: Path, out: Path | None = None) -> Packed:
    """Write a run folder into one file, whole or not at all; `out` is by default the run's name, beside its folder.

    Files whose names begin with a dot are left out: drafts, and what desktops leave.

    Raises:
        RunFolderError: it is no whole run, holds something that is no plain file, or changes meanwhile.
        UsageError: the file exists already, or lies where it cannot.
    """
    check_readable(folder)
    name = name_of(folder)
    # Resolved first: runs/latest is a link, and the bundle is to lie beside the run that it leads to.
    out = Path(os.path.relpath(folder.resolve().parent)) / f"{name}.zip" if out is None else out
    names = _names(folder)
    _check_out(out, folder)
    with whole_file(out) as file:
        manifest = _write(file, folder, name, names)
        _check_ratio(folder, manifest, file.seek(0, os.SEEK_END))
    return Packed(out, manifest)


def _check_ratio(folder: Path, manifest: Manifest, packed_bytes: int) -> None:
    if manifest.total_bytes > MOST_RATIO * packed_bytes:
        raise RunFolderError(
            f"the bundle of {folder} would unpack to {manifest.total_bytes / packed_bytes:.0f} times its size",
            why=f"nobody could open it: the limit is {MOST_RATIO} times",
            next_step="copy the folder itself",
        )


def _check_out(out: Path, folder: Path) -> None:
    if os.path.lexists(out):
        raise UsageError(f"{out} exists already", next_step="name another file: --out FILE")
    if not out.parent.is_dir():
        raise UsageError(f"there is no folder {out.parent}", next_step="name another file: --out FILE")
    if out.parent.resolve().is_relative_to(folder.resolve()):
        raise UsageError(
            f"{out} would lie in the run's own folder", why="the bundle would become a part of the run",
            next_step="name a file elsewhere: --out FILE",
        )  # fmt: skip


def _names(folder: Path) -> list[str]:
    """The run's files, in order; each one can be read back anywhere."""
    names = sorted(_walk(folder, ""))
    if missing := missing_files(names):
        raise RunFolderError(
            f"{folder} lacks {', '.join(missing)}",
            why="without it nothing of the run can be judged",
            next_step="name a folder that `twinshop run` made, for example runs/latest",
        )
    if bad := [name for name in names if not is_inside(name)]:
        raise RunFolderError(
            f"{folder} holds a file that not every system can name: {bad[0]!r}",
            next_step="rename it, or move it out of the run's folder",
        )
    if alike := same_elsewhere(names):
        raise RunFolderError(
            f"{folder} holds two files that not every system can tell apart: {alike[0]!r} and {alike[1]!r}",
            next_step="rename one, or move it out of the run's folder",
        )
    total = sum((folder / name).stat().st_size for name in names)
    if len(names) > MOST_FILES or total > MOST_BYTES:
        raise RunFolderError(
            f"{folder} is too large for a bundle: {len(names):,} files, {total:,} bytes",
            why=f"nobody could open it: the limits are {MOST_FILES:,} files and {MOST_BYTES:,} bytes",
            next_step="copy the folder itself",
        )
    return names


def _walk(folder: Path, below: str) -> Iterator[str]:
    for entry in os.scandir(folder):
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), f"{below}{entry.name}/")
        elif entry.is_file(follow_symlinks=False):
            yield f"{below}{entry.name}"
        else:
            raise RunFolderError(
                f"{entry.path} is no plain file",
                why="a bundle holds files only: a link leads elsewhere on another machine",
                next_step="move it out of the run's folder",
            )


def _write(file: BinaryIO, folder: Path, name: str, names: list[str]) -> Manifest:
    with zipfile.ZipFile(file, "w") as archive:
        files = tuple(_add(archive, folder / below, name, below) for below in names)
        manifest = Manifest("twinshop bundle", BUNDLE_SCHEMA, twinshop_version(), name, files)
        archive.writestr(_entry(MANIFEST), encode_document(manifest))
    return manifest


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = _UNIX
    entry.external_attr = _REGULAR_FILE
    return entry


def _add(archive: zipfile.ZipFile, path: Path, name: str, below: str) -> BundledFile:
    """Pack one file, piece by piece: what was hashed is what was written."""
    entry = _entry(f"{name}/{below}")
    promised = entry.file_size = path.stat().st_size  # said beforehand: beyond 2 GiB the entry has another form
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source, archive.open(entry, "w") as packed:
        # Never beyond what was promised: without ZIP64, an entry that outgrows 2 GiB cannot be written any more.
        while piece := source.read(min(CHUNK_BYTES, promised - size)):
            digest.update(piece)
            size += len(piece)
            packed.write(piece)
        grew = bool(source.read(1))  # somebody still writes it
    if size != promised or grew:
        raise RunFolderError(
            f"{path} changed while it was read", why="the run may still be going on", next_step="wait for its end"
        )
    return BundledFile(below, size, digest.hexdigest())
