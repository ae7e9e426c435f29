"""A node is sick afterwards: it does all it is asked to do and saves it, and answers 500 all the same."""

from __future__ import annotations

from compose.changes import Reply, Trouble
from loadtests.faults.bases import REQUEST_REPEATED, TroublesPages


class SickAfterwards(TroublesPages):
    """500 after each page: whoever asks again asks for it twice."""

    kind = "sick-afterwards"
    colour = "#c71e4f"
    doing = "Sickening"
    done = "sick after its work"
    button = "Sick afterwards"
    explains = (("done_twice", REQUEST_REPEATED),)
    sentence = (
        "A node does what it is asked and saves it, and then answers 500; its health check says that all is well."
    )
    trouble = Trouble(errors="afterwards")

    def suffers(self, page: Reply) -> bool:
        """It is an error."""
        return page.status == 500
