"""Why something was lost: a name for the results, and a sentence for people.

A cause is declared once, by whatever can name it: the check that finds the loss, or the rules of the session model;
`loadtests.checks.CAUSES` has all.
"""

from __future__ import annotations

import msgspec


class Cause(msgspec.Struct, frozen=True):
    """One reason for a loss."""

    name: str
    """As results have it: `node_killed`."""
    meaning: str
    """One sentence."""
