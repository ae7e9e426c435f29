"""A bundle of a made-up run, and zip files that are nearly one."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from loadtests.campaigns.bundles.manifest import MANIFEST
from loadtests.campaigns.bundles.pack import pack
from loadtests.model.run_folder import RunFolder
from loadtests.running.run import write_report, write_results
from tests.loadtests.model_run import write_run

RUN = "20261121-000000-model-1"
"""What a bundle calls the run of `tests.loadtests.model_run`."""


def finished_run(root: Path) -> RunFolder:
    """A run's folder, judged and reported."""
    run = write_run(root, architectures=("sticky-memory",))
    write_report(run, write_results(run))
    return run


def bundle_of(root: Path, out: Path) -> Path:
    """A finished run's bundle."""
    return pack(finished_run(root).root, out).file


def files_below(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, by name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rewritten(
    bundle: Path,
    out: Path,
    *,
    manifest: Callable[[dict[str, Any]], object] = lambda it: None,
    contents: Mapping[str, bytes | None] | None = None,
    entry: Callable[[zipfile.ZipInfo], object] = lambda it: None,
) -> Path:
    """That bundle with its manifest changed, other or no `contents`, and each entry changed: a well-made zip file."""
    with zipfile.ZipFile(bundle) as archive:
        inside: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    said = msgspec.json.decode(inside.pop(MANIFEST) or b"")
    manifest(said)
    inside |= {MANIFEST: msgspec.json.encode(said), **(contents or {})}
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in inside.items():
            if content is not None:
                info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                entry(info)
                archive.writestr(info, content)
    return out
