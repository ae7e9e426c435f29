"""A node is sick: it does nothing and answers 500, while its health check says that all is well."""

from __future__ import annotations

from compose.changes import Reply, Trouble
from loadtests.faults.bases import TroublesPages


class Sick(TroublesPages):
    """500 instead of each page."""

    kind = "sick"
    colour = "#de3b40"
    doing = "Sickening"
    done = "sick"
    button = "Sick"
    free_play = 6
    sentence = "A node answers each request with 500 and does nothing, while its health check says that all is well."
    trouble = Trouble(errors="instead")

    def suffers(self, page: Reply) -> bool:
        """It is an error."""
        return page.status == 500
