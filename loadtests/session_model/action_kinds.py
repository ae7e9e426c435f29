"""What shoppers do, by what it means for what they may expect."""

from __future__ import annotations

from loadtests.model.history import NOT_ASKED, Do

CART_WRITES: frozenset[Do] = frozenset({"add", "remove", "checkout"})
LEAVES: frozenset[Do] = frozenset({"logout", "logout_everywhere"})
"""What ends a session on purpose."""
WRITES: frozenset[Do] = CART_WRITES | LEAVES | {"login"}
ASIDE: frozenset[Do] = NOT_ASKED | {"watch", "arrive"}
"""What goes on aside from shopping and shows nothing of the cart."""
SLOW_ON_PURPOSE: frozenset[Do] = frozenset({"watch", "linger"})
"""What takes its time because it is meant to: its waits say nothing about the shop."""
STALLED_US = 900_000
"""An answer that takes longer, and comes, is a stall. Less than a second, so that a freeze of one is seen."""
KNOWS_ME: frozenset[Do] = frozenset({"add", "remove", "cart", "checkout", "orders", "me"})
"""What the shop only does for somebody who is logged in: being answered proves that it knew the shopper."""
