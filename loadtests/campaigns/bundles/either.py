"""Where a command takes a run's folder or a bundle of it, and only reads."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loadtests.campaigns.bundles.unpack import unpack


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
