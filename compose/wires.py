"""What the wires are told, and what they say of themselves; `compose.delay_proxy` is what carries."""

import msgspec

from shared.plurals import counted


class Link(msgspec.Struct, frozen=True):
    """One wire: from an end (a node, or the replica) to the session store."""

    listen: str
    """Where that end reaches the store: host:port."""
    leads_to: str
    """Where the store is: host:port."""
    delay_ms: float = 0.0
    """Added to each answer's way back."""
    cut: bool = False


class WireFile(msgspec.Struct, frozen=True):
    """What the wires are told. Lines are added and changed, never taken away."""

    status: str
    """host:port; whoever connects there is told how the wires are."""
    lines: dict[str, Link]
    """By end."""


class WireStatus(msgspec.Struct, frozen=True):
    """How the wires are, by their own word."""

    boot: str
    """A new one with each start."""
    lines: dict[str, Link]

    def words(self) -> str:
        """Which of them are not as they should be, for an evidence."""
        found = [f"{end} cut" for end, line in self.lines.items() if line.cut]
        found += [f"{end} +{line.delay_ms:g} ms" for end, line in self.lines.items() if line.delay_ms]
        return ", ".join(found) or f"{counted(len(self.lines), 'wire')}, none slow or cut"


def host_and_port(address: str) -> tuple[str, int]:
    """Both of host:port."""
    host, _, port = address.rpartition(":")
    return host, int(port)
