"""Names that a bundle may hold: they mean the same everywhere, and none leads out of the run's folder."""

from __future__ import annotations

import re

from loadtests.model.run_folder import Provenance

MOST_BYTES_IN_A_PART = 255
MOST_PARTS = 8
_NOT_PORTABLE = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')
"""What some system reads as something else than a letter of a name."""


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
    if part in ("", ".", "..") or _NOT_PORTABLE.search(part) or part[-1] in " .":
        return False
    try:
        return len(part.encode()) <= MOST_BYTES_IN_A_PART
    except UnicodeEncodeError:  # half a character, as a name that is not UTF-8 is read
        return False
