"""What `loadtests.session_model.expectations` finds out from an answer: what contradicts, and what is settled."""

from __future__ import annotations

import msgspec

from loadtests.model.history import Outcome


class Finding(msgspec.Struct, frozen=True):
    """One contradiction between an answer and what had been acknowledged before."""

    kind: str
    items: int
    """Units of goods that went with it."""
    detail: str
    """A sentence."""


class Settlement(msgspec.Struct, frozen=True):
    """A later answer told what became of a write whose outcome was unknown."""

    request: str
    outcome: Outcome
    """ok or failed; a later settlement of the same request replaces an earlier one."""
