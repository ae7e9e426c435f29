"""Who is in the room: each participant has a seat, an account of that seat in both shops, and a name if they like.

Seats are few, and nobody takes more than their share: one address of the network has some, whoever sits at it. Who
comes when all are taken gets one that nobody has used for a while. What one does can only ever cost them their own.
"""

import secrets
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import msgspec

from loadtests.workshop.contract import SEATS, Participant, guest_name
from loadtests.workshop.dashboard.refusals import Refusal
from loadtests.workshop.dashboard_assignment import write_for_owner

WHO_BYTES = 9
IDLE_S = 60.0  # who neither watches nor asks for anything for so long may lose their seat to somebody who wants one
MOST_NAME = 20
OWN_ADDRESSES = frozenset({"127.0.0.1", "::1"})  # this machine's: the instructor may try the whole room from it


class Seat(msgspec.Struct):
    """One that is taken."""

    number: int
    who: str
    """A random id, in the participant's signed cookie."""
    name: str
    address: str


_decode_seats = msgspec.json.Decoder(list[Seat]).decode


class Seats:
    """All of them. Begun again with the same file, it knows who sat where."""

    def __init__(
        self, file: Path, of_one_address: int, *, most: int = SEATS - 1,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.changed = False
        """Since whoever reads it has set it back."""
        self.watching: Callable[[str], bool] = lambda _who: False
        """Whether that participant has an open event stream."""
        self._most = most
        self._of_one_address = of_one_address
        self._file = file
        self._clock_s = clock_s
        self._seen_s: dict[str, float] = {}
        self._taken = {seat.who: seat for seat in _decode_seats(file.read_bytes())} if file.is_file() else {}

    def of(self, who: str) -> Seat | None:
        """Their seat; None: they have none, or no longer. Seen here, they keep it."""
        seat = self._taken.get(who)
        if seat is not None:
            self._seen_s[who] = self._clock_s()
        return seat

    def all(self) -> tuple[Participant, ...]:
        """Everybody, by their seats."""
        taken = sorted(self._taken.values(), key=lambda seat: seat.number)
        return tuple(Participant(guest_name(seat.number), seat.name) for seat in taken)

    def take(self, address: str, name: str) -> Seat:
        """A seat for somebody who has none.

        Raises:
            Refusal: there is none for them.
        """
        number = self._number_for(address)
        seat = Seat(number, secrets.token_urlsafe(WHO_BYTES), name or f"Guest {number}", address)
        self._taken[seat.who] = seat
        self._seen_s[seat.who] = self._clock_s()
        self.changed = True
        write_for_owner(self._file, list(self._taken.values()))
        return seat

    def _number_for(self, address: str) -> int:
        theirs = [seat for seat in self._taken.values() if seat.address == address]
        if address not in OWN_ADDRESSES and len(theirs) >= self._of_one_address:
            return self._freed(theirs, f"{len(theirs)} browsers have joined from your address already")
        if len(self._taken) >= self._most:
            return self._freed(list(self._taken.values()), f"all {self._most} seats of this room are taken")
        # Seat 0 is the instructor's.
        return min(set(range(1, self._most + 1)) - {seat.number for seat in self._taken.values()})

    def _freed(self, among: list[Seat], why: str) -> int:
        """The number of the one that has been idle for longest, and is not any more whose it was."""
        before_s = self._clock_s() - IDLE_S
        # After a restart nobody was seen yet; who is still there comes back with their stream within a second.
        idle = [s for s in among if not self.watching(s.who) and self._seen_s.get(s.who, -IDLE_S) <= before_s]
        if not idle:
            raise Refusal(
                429, "there is no seat for you", why=why,
                next_step=f"go on in the browser in which you joined; an unused seat is free after {IDLE_S:.0f} s",
                retry_after=int(IDLE_S),
            )  # fmt: skip
        seat = min(idle, key=lambda seat: self._seen_s.get(seat.who, 0.0))
        del self._taken[seat.who]
        self._seen_s.pop(seat.who, None)
        return seat.number


def nickname(typed: str) -> str:
    """A name as it is shown: one line, without what a screen would not show, and not too long."""
    # Categories C and Z: control characters, which turn a line round or hide one, and spaces that look like none.
    kept = "".join(each for each in typed if unicodedata.category(each)[0] not in "CZ" or each == " ")
    return " ".join(kept.split())[:MOST_NAME]
