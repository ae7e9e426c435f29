"""What a bundle says of itself: its schema, who wrote it, and each file's size and SHA-256."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from loadtests.campaigns.bundles.contents import lacking
from loadtests.campaigns.bundles.names import is_inside, is_run_name
from shared.errors import BundleError

BUNDLE_SCHEMA = 1
MANIFEST = "bundle.json"
"""Its name in the bundle; the run's files lie beside it, below a folder of the run's name."""

MOST_MANIFEST_BYTES = 8 * 2**20
MOST_FILES = 10_000
MOST_BYTES = 16 * 2**30
"""Of all files together, unpacked. Five million history records with their logs are about 4 GB."""


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


class _Versioned(msgspec.Struct, frozen=True):
    """What a manifest of any schema has."""

    kind: Literal["twinshop bundle"]
    schema: int
    twinshop: str


def encode_manifest(manifest: Manifest) -> bytes:
    """The canonical bytes of a manifest."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def read_manifest(content: bytes, bundle: str) -> Manifest:
    """The manifest in these bytes; `bundle` is the file's name, for messages.

    Raises:
        BundleError: it is damaged, of another schema, lacks a file that a run needs, names something outside the
            run's folder, or promises more than the limits allow.
    """
    try:
        version = msgspec.json.decode(content, type=_Versioned)
        if version.schema != BUNDLE_SCHEMA:
            raise BundleError(
                f"{bundle} is a bundle of schema {version.schema}",
                why=f"this version of Twinshop reads schema {BUNDLE_SCHEMA}; it was written by Twinshop "
                f"{version.twinshop}",
                next_step="open it with that version",
            )
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise damaged(bundle, f"{MANIFEST}: {error}") from error
    _check(manifest, bundle)
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
    if missing := lacking(names):
        raise damaged(bundle, f"it lacks {', '.join(missing)}")
    if len(names) > MOST_FILES or manifest.total_bytes > MOST_BYTES:
        raise BundleError(
            f"{bundle} is too large to open: {len(names):,} files, {manifest.total_bytes:,} bytes",
            why=f"the limits are {MOST_FILES:,} files and {MOST_BYTES:,} bytes",
            next_step="unpack it by hand (it is a zip file) if you trust where it comes from",
        )
