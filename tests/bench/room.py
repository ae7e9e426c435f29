"""What a room costs: 60 participants shop and watch while 30 simulated shoppers shop. `python -m tests.bench.room`.

One round of free play, in which the room comes and goes: half of the stretches with it, half without. So both halves
have the same machine, whatever else it does. Participants come from addresses of their own on this machine, and use its
processors too: in a real room their devices do.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import threading
import time
from pathlib import Path

import msgspec
import requests

from loadtests.model.history import Exchange, read_history
from loadtests.workshop.contract import Close, EndWorkshop, Frame
from loadtests.workshop.rehearsal.dashboard_client import RoomVisitor, events
from tests.loadtests.workshop.whole_workshop import WholeWorkshop, whole_workshop

PEOPLE, SHOPPERS = 60, 30
STRETCHES, STRETCH_S, SETTLE_S = 6, 12.0, 2.0
THINK_S = 2.0
"""Between two clicks of a participant, on average."""
_frame = msgspec.json.Decoder(Frame).decode


class Room:
    """All participants, who click as long as they are here."""

    def __init__(self, workshop: WholeWorkshop) -> None:
        self.here = threading.Event()
        self.over = threading.Event()
        self.delays_ms: list[float] = []
        self.waits_ms: list[float] = []
        self.cut_off = 0
        self._workshop = workshop
        home = workshop.opened["url"]
        self._people = [RoomVisitor(home, f"127.0.1.{number}") for number in range(1, PEOPLE + 1)]
        self._threads = [threading.Thread(target=self._shop, args=(person,), daemon=True) for person in self._people]
        self._threads += [threading.Thread(target=self._watch, args=(person,), daemon=True) for person in self._people]

    def begin(self) -> None:
        for person in self._people:
            assert person.joins("").status_code == 200
            while not person.me()["password"]:  # the dashboard has not heard yet that people shop
                time.sleep(0.1)
            for side in self._workshop.round.sides:
                assert person.logs_in(side.shop_url).ok
        for thread in self._threads:
            thread.start()

    def _shop(self, person: RoomVisitor) -> None:
        chance, sides = random.Random(person.address), self._workshop.round.sides
        while not self.over.is_set():
            self.over.wait(chance.uniform(0.5, 1.5) * THINK_S)
            if self.here.is_set() and not self.over.is_set():
                began = time.monotonic()
                try:
                    person.get(chance.choice(["/products", "/cart", "/me"]), to=chance.choice(sides).shop_url)
                except requests.RequestException:
                    self.cut_off += 1
                    continue
                self.waits_ms.append(1000 * (time.monotonic() - began))

    def _watch(self, person: RoomVisitor) -> None:
        """How late each frame comes after the moment of which it tells."""
        cookie = "; ".join(f"{name}={value}" for name, value in person.session.cookies.items())
        listening = RoomVisitor(person.home, person.address)
        with listening.session.get(
            f"{person.home}/events", headers={"Cookie": cookie}, stream=True, timeout=60
        ) as answer:
            for name, data, _number in events(answer.iter_content(None)):
                if self.over.is_set():
                    return
                if name == "frame" and self.here.is_set():
                    told_us = self._workshop.round.epoch_us + 1000 * _frame(data).at_ms
                    self.delays_ms.append((time.time_ns() // 1000 - told_us) / 1000)


def measure(folder: Path) -> None:
    with whole_workshop(folder, "--shoppers", str(SHOPPERS)) as workshop:
        workshop.reaches("open")
        room, stretches = Room(workshop), []
        room.begin()
        for number in range(STRETCHES):
            with_room = bool(number % 2)
            room.here.set() if with_room else room.here.clear()
            time.sleep(SETTLE_S)
            began = time.time_ns() // 1000 - workshop.round.epoch_us
            time.sleep(STRETCH_S)
            stretches.append((with_room, began, time.time_ns() // 1000 - workshop.round.epoch_us))
        room.over.set()
        workshop.do(Close())
        workshop.reaches("explain")
        waits: dict[bool, list[float]] = {False: [], True: []}
        for record in read_history(workshop.run.history):
            if isinstance(record, Exchange) and record.outcome == "ok" and record.status:
                for with_room, since, until in stretches:
                    if since <= record.sent_us <= until:
                        waits[with_room].append((record.done_us - record.sent_us) / 1000)
        for result in workshop.results().architectures.values():
            print(f"books balance: {result.books_balance}, mismatches: {result.reconciliation.mismatch_count}")
        workshop.do(EndWorkshop())
    for with_room, found in waits.items():
        who = f"with {PEOPLE} participants" if with_room else "without"
        print(f"shoppers' median answer {who}: {statistics.median(found):.1f} ms of {len(found)} requests")
    late = statistics.quantiles(room.delays_ms, n=100)
    answers = f"{statistics.median(room.waits_ms):.1f} ms of {len(room.waits_ms)} requests, {room.cut_off} cut off"
    print(f"participants' median answer: {answers}")
    print(f"a frame comes after the moment it tells of: median {late[49]:.0f} ms, p99 {late[98]:.0f} ms")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        measure(Path(place))
