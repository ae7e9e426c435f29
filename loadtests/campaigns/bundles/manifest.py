"""What a bundle holds and says of itself: names that mean the same everywhere, the files of a run, the manifest."""

import re
import unicodedata
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from loadtests.campaigns.repeats.repeats import read_repeats
from loadtests.model.run_folder import REPEATS, Provenance, RunFolder, run_inside
from shared.errors import BundleError
from shared.ndjson import UNDECODABLE
from shared.schemas import decode_versioned

MOST_BYTES_IN_A_PART = 255  # what Linux and macOS take
MOST_PARTS = 8
_NOT_PORTABLE = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')  # what some system reads as something else than a letter
_UNSEEN = frozenset({"Cf", "Cc", "Zl", "Zp"})  # nobody sees them, or they turn a name round: it looks like another one


def run_name(provenance: Provenance) -> str:
    """The run's name, from what it says of itself and not from its folder: a copy has the same one.

    For a folder that `twinshop run` made it is the folder's name: `20261121-013044-node-kill-1`.
    """
    day, _, time = provenance.started.removesuffix("Z").partition("T")
    stamp = f"{day.replace('-', '')}-{time.replace(':', '')}"
    return portable(f"{stamp}-{provenance.scenario}-{provenance.seed}")


def portable(name: str) -> str:
    """The name, as a folder can be called everywhere."""
    return re.sub(r"[^\w.-]+", "-", name).lstrip(".-") or "run"


def is_run_name(name: str) -> bool:
    """Whether a folder can be called that, here and elsewhere."""
    return "/" not in name and not name.startswith(".") and _is_part(name)


def is_inside(name: str) -> bool:
    """Whether it names a file below the run's folder: relative, with plain parts only, `logs/redis/n1.log`."""
    parts = name.split("/")
    return len(parts) <= MOST_PARTS and all(_is_part(part) for part in parts)


def _is_part(part: str) -> bool:
    # Windows drops spaces and dots at the end of a name: it would be another file, or one that is there already.
    if part in ("", ".", "..") or _NOT_PORTABLE.search(part) or part[-1] in " .":
        return False
    if any(unicodedata.category(letter) in _UNSEEN for letter in part):
        return False
    try:
        return len(part.encode()) <= MOST_BYTES_IN_A_PART
    except UnicodeEncodeError:  # half a character, as a name that is not UTF-8 is read
        return False


def same_elsewhere(names: Collection[str]) -> list[str]:
    """Two of the names, or of their folders', that are one where case does not count; none if all differ."""
    seen: dict[str, str] = {}
    for name in names:
        for path in (name, *(name.rsplit("/", depth)[0] for depth in range(1, name.count("/") + 1))):
            # Composed before and after: macOS holds both forms for one name, and folding can take a letter apart again.
            alike = unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
            if seen.setdefault(alike, path) != path:
                return [seen[alike], path]
    return []


NEEDED = ("run.json", "scenario.toml", "plan.json", "history.ndjson", "events.ndjson")  # else nothing can be judged


def missing_files(names: Collection[str]) -> list[str]:
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
            RunFolder(run_inside(folder, block.run, REPEATS)).read_provenance()


BUNDLE_SCHEMA = 1
MANIFEST = "bundle.json"
"""Its name in the bundle; the run's files lie beside it, below a folder of the run's name."""

MOST_MANIFEST_BYTES = 8 * 2**20
MOST_FILES = 10_000
MOST_BYTES = 16 * 2**30  # unpacked, all together; five million history records with their logs are about 4 GB
MOST_RATIO = 200  # so many times the bundle's own bytes may come out of it: of runs 5 to 22 do; of a bomb, thousands


class BundledFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the run."""

    name: str
    """Below the run's folder, with slashes: `logs/redis/access.ndjson`."""
    bytes: Annotated[int, msgspec.Meta(ge=0, le=MOST_BYTES)]
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`bundle.json`."""

    kind: Literal["twinshop bundle"]
    schema: int
    twinshop: str
    """The version that wrote the bundle; `run.json` has the one that carried out the run."""
    run: str
    """The run's name, and that of the folder which is made of it."""
    files: tuple[BundledFile, ...]
    """In order of their names."""

    @property
    def total_bytes(self) -> int:
        """Of all files, unpacked."""
        return sum(file.bytes for file in self.files)


_decode_manifest = msgspec.json.Decoder(Manifest).decode


def read_manifest(content: bytes, bundle: str, packed_bytes: int) -> Manifest:
    """The manifest in these bytes; `bundle` is the file's name, for messages, and `packed_bytes` its size.

    Raises:
        BundleError: it is damaged, of another schema, lacks a file that a run needs, names something outside the
            run's folder, or promises more than the limits allow.
    """
    try:
        manifest = decode_versioned(
            content, _decode_manifest, BUNDLE_SCHEMA, bundle, next_step="open it with that version", error=BundleError
        )
    except UNDECODABLE as error:
        raise damaged(bundle, f"{MANIFEST}: {error}") from error
    _check(manifest, bundle)
    _check_size(manifest, bundle, packed_bytes)
    return manifest


def damaged(bundle: str, why: str) -> BundleError:
    """The bundle is not what was written."""
    return BundleError(f"{bundle} is no whole bundle", why=why, next_step="get it again: nothing of it was kept")


def _check(manifest: Manifest, bundle: str) -> None:
    names = [file.name for file in manifest.files]
    bad = [name for name in names if not is_inside(name)]
    if bad or not is_run_name(manifest.run):
        raise damaged(bundle, f"{(bad or [manifest.run])[0]!r} would not lie in the run's folder")
    if names != sorted(set(names)):
        raise damaged(bundle, f"{MANIFEST} does not name each file once, in order")
    folders = {name.rsplit("/", depth)[0] for name in names for depth in range(1, name.count("/") + 1)}
    if both := folders & set(names):
        raise damaged(bundle, f"{min(both)!r} is both a file and a folder")
    if missing := missing_files(names):
        raise damaged(bundle, f"it lacks {', '.join(missing)}")
    if alike := same_elsewhere(names):
        raise damaged(bundle, f"{alike[0]!r} and {alike[1]!r} are one name where case does not count")


def _check_size(manifest: Manifest, bundle: str, packed_bytes: int) -> None:
    # What it promises; that no more comes out of it is seen to when it is unpacked.
    most = min(MOST_BYTES, MOST_RATIO * packed_bytes)
    if len(manifest.files) > MOST_FILES or manifest.total_bytes > most:
        raise BundleError(
            f"{bundle} is too large to open: {len(manifest.files):,} files, {manifest.total_bytes:,} bytes",
            why=f"the limits are {MOST_FILES:,} files, {MOST_BYTES:,} bytes, and {MOST_RATIO} times the bundle's own "
            f"{packed_bytes:,} bytes",
            next_step="unpack it by hand (it is a zip file) if you trust where it comes from",
        )
