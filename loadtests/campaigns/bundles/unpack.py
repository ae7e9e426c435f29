"""Opens a bundle: everything in it is checked against its manifest, and a run folder is there whole or not at all.

A bundle comes from somebody else. Nothing is written but the files of the manifest, below a new folder, none larger
than the manifest says; links, modes and dates in the zip file are not heeded.
"""

import hashlib
import os
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from loadtests.campaigns.bundles.manifest import (
    MANIFEST,
    MOST_MANIFEST_BYTES,
    BundledFile,
    Manifest,
    check_readable,
    damaged,
    read_manifest,
)
from shared.errors import BundleError, EnvironmentNotReady, RunFolderError, UsageError

CHUNK_BYTES = 2**18
_ENCRYPTED = 0x1
_BAD_ZIP = (  # what reading a damaged zip file can end in; an OSError where it leads beyond the file's end
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError,
    OverflowError, OSError,
)  # fmt: skip


def unpack(bundle: Path, into: Path) -> Path:
    """The run folder, new below `into`, that a bundle holds. `into` is made if it is not there.

    Raises:
        BundleError: it is no bundle, of another schema, too large, damaged or cut off; nothing is left of it.
        RunFolderError: the run in it was written with a schema that this version does not read.
        UsageError: there is something of the run's name already.
        EnvironmentNotReady: the disk has no room for it.
    """
    with _archive(bundle) as archive:
        entries, manifest = _agreed(archive, bundle.name, bundle.stat().st_size)
        target = into / manifest.run
        _check_place(into, target)
        with _draft(into, manifest) as draft:
            for file in manifest.files:
                _unpack(archive, entries[f"{manifest.run}/{file.name}"], file, draft, bundle.name)
            _check_readable(draft)
            draft.rename(target)  # whoever sees the name sees a whole run
    return target


@contextmanager
def run_in(path: Path) -> Iterator[Path]:
    """The run's folder at that path; of a bundle, one that is gone afterwards.

    Raises:
        BundleError: it is a file, and no bundle.
    """
    if not path.is_file():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="twinshop-") as place:
        yield unpack(path, Path(place))


def _check_place(into: Path, target: Path) -> None:
    if os.path.lexists(into) and not into.is_dir():
        raise UsageError(f"{into} is no folder", next_step="name another place: --into DIR")
    if os.path.lexists(target):
        raise UsageError(
            f"{target} exists already",
            why="opening a bundle never overwrites anything",
            next_step="name another place: --into DIR",
        )


@contextmanager
def _archive(bundle: Path) -> Iterator[zipfile.ZipFile]:
    try:
        file = bundle.open("rb")
    except OSError as error:
        raise BundleError(
            f"cannot read {bundle}",
            why=error.strerror or str(error),
            next_step="name a file that `twinshop bundle` made",
        ) from error
    with file:
        try:
            archive = zipfile.ZipFile(file)
        except _BAD_ZIP as error:
            raise damaged(bundle.name, f"{error} (cut off, or never one)") from error
        with archive:
            yield archive


def _agreed(archive: zipfile.ZipFile, bundle: str, packed_bytes: int) -> tuple[dict[str, zipfile.ZipInfo], Manifest]:
    """The entries by name, and the manifest; they name the same files, of the same sizes."""
    # As it stands in the file: zipfile cuts `filename` at a NUL, so that two names could become one.
    entries = {entry.orig_filename: entry for entry in archive.infolist()}
    if len(entries) != len(archive.infolist()):
        raise damaged(bundle, "it names a file twice")
    if MANIFEST not in entries:
        raise damaged(bundle, f"it has no {MANIFEST}: it is some other zip file")
    for entry in entries.values():
        _check_plain(entry, bundle)
    content = b"".join(_pieces(archive, entries[MANIFEST], MOST_MANIFEST_BYTES, bundle))
    manifest = read_manifest(content, bundle, packed_bytes)
    promised = {f"{manifest.run}/{file.name}": file.bytes for file in manifest.files}
    found = {name: entry.file_size for name, entry in entries.items() if name != MANIFEST}
    if found != promised:
        name, _size = min(found.items() ^ promised.items())
        raise damaged(bundle, f"the files in it are not those of {MANIFEST}: {name!r}")
    return entries, manifest


def _check_plain(entry: zipfile.ZipInfo, bundle: str) -> None:
    kind = stat.S_IFMT(entry.external_attr >> 16)  # 0 where whoever wrote it knows no modes; a link has its own
    if entry.orig_filename.endswith("/") or kind not in (0, stat.S_IFREG):
        raise damaged(bundle, f"{entry.orig_filename!r} is no plain file")
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise damaged(bundle, f"{entry.orig_filename!r} is not packed as a bundle's files are")


def _pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int, bundle: str) -> Iterator[bytes]:
    """What is in an entry, piece by piece, and no more than `most` bytes of it."""
    read = 0
    try:
        with archive.open(entry) as packed:
            while piece := packed.read(CHUNK_BYTES):
                read += len(piece)
                if read > most:  # counted as it comes: a header may promise less than it unpacks to
                    raise damaged(bundle, f"{entry.orig_filename!r} is longer than it may be")
                yield piece
    except _BAD_ZIP as error:
        raise damaged(bundle, f"{entry.orig_filename!r}: {error or type(error).__name__}") from error


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, file: BundledFile, draft: Path, bundle: str) -> None:
    path = draft / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as out:  # x: nothing is ever overwritten, not even by another file of the bundle
        for piece in _pieces(archive, entry, file.bytes, bundle):
            digest.update(piece)
            size += len(piece)
            out.write(piece)
    if (size, digest.hexdigest()) != (file.bytes, file.sha256):
        raise damaged(bundle, f"{file.name} is not what the bundle was made of: size or SHA-256 differ")


@contextmanager
def _draft(into: Path, manifest: Manifest) -> Iterator[Path]:
    """A new folder beside the one that is to be; whatever is left of it at the end goes, and folders made for it."""
    # From the inside outwards, as they must be removed if nothing comes of it.
    new = [folder for folder in (into, *into.parents) if not folder.exists()]
    _check_room(next(folder for folder in (into, *into.parents) if folder.exists()), manifest)
    try:
        into.mkdir(parents=True, exist_ok=True)
        # In the same folder: a rename from another file system would be a copy, which others see half done.
        with tempfile.TemporaryDirectory(prefix=f".{manifest.run[:40]}.", dir=into) as place:
            draft = Path(place) / manifest.run  # a temporary folder is closed to others; a run's need not be
            draft.mkdir()
            yield draft
    except BaseException:
        for folder in new:
            with suppress(OSError):  # not there, or by now somebody has put something there
                folder.rmdir()
        raise


def _check_room(place: Path, manifest: Manifest) -> None:
    free = shutil.disk_usage(place).free
    if free < manifest.total_bytes:
        raise EnvironmentNotReady(
            f"there is no room for the run in {place}",
            why=f"it takes {manifest.total_bytes:,} bytes, {free:,} are free",
            next_step="name another place: --into DIR",
        )


def _check_readable(draft: Path) -> None:
    try:
        check_readable(draft)
    except RunFolderError as error:
        error.what = f"the run in the bundle: {error.what}"  # its path is one that will be gone
        raise
