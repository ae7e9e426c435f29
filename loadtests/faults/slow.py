"""A node is slow: each of its pages takes a second longer, while its health check is as quick as ever."""

from compose.cluster import Reply
from loadtests.faults.bases import TroublesPages
from shared.sessions import Injection

DELAY_MS = 1000
MUCH_OF_IT = 0.8  # clocks and sleeps are not exact, and no page of a well node takes nearly so long


class Slow(TroublesPages):
    kind = "slow"
    colour = "#768b09"
    doing = "Slowing down"
    done = "slow"
    free_play = 5
    sentence = "Each page of a node takes a second longer, while its health check answers at once."
    trouble = Injection(delay_ms=DELAY_MS)

    def suffers(self, page: Reply) -> bool:
        return page.ok and page.took_ms >= MUCH_OF_IT * DELAY_MS
