"""A finished run as frames, to be shown again as a workshop in its last phase: any two architectures, side by side."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from compose.cluster import BALANCER, REPLICA, SENTINEL, STORE
from loadtests.model.events import ClusterReady, Event, FaultEvent, GuestsAdmitted, LoadStarted, read_events
from loadtests.model.history import StoredOrder, read_history
from loadtests.model.plan import read_plan
from loadtests.model.results import Loss
from loadtests.model.run_folder import RunFolder
from loadtests.workshop.contract import (
    Frame,
    Guest,
    GuestView,
    Picture,
    Round,
    RoundSide,
    SideName,
    applied,
    empty_picture,
)
from loadtests.workshop.episode_file import find_episode
from loadtests.workshop.live.browser_users import OF_GUESTS, BrowserUsers, GuestRecord
from loadtests.workshop.live.picture import LOGS_OF_GUESTS, NOTHING
from loadtests.workshop.live.side import MERGED, SideWatch
from loadtests.workshop.live.tail import read_through
from shared.errors import UsageError

STEP_MS = 250
EPOCH_US = 1  # the zero of a recorded run: so long ago that all of it is over (0 would be that nobody shops yet)


class RecordedPicture:
    """Gives the frames of a finished run, one at each step: all of it was long ago."""

    def __init__(self, shown: Round, watches: Mapping[SideName, SideWatch], frames: tuple[Frame, ...]) -> None:
        self.round = shown
        """As it was when it was over; nothing can be pressed in it."""
        self.frames = frames
        self._watches = watches
        self._coming = iter(frames)
        self._picture = empty_picture(shown.number)

    def advance(self, now_us: int, *, over: bool = False) -> Frame | None:
        """The next frame; None: that was the last one."""
        frame = next(self._coming, None)
        if frame is not None:
            self._picture = applied(self._picture, frame)
        return frame

    def picture(self) -> Picture:
        """Everything up to the last frame."""
        return self._picture

    def loss(self, side: SideName, number: int) -> Loss | None:
        """A loss with its witness; None: there is none of that number."""
        return self._watches[side].loss(number)

    def close(self) -> None:
        """Nothing is held."""


def read_recording(folder: Path, left: str, right: str) -> RecordedPicture:
    """A finished run as frames, four a second of its time, for two of its architectures.

    Raises:
        RunFolderError: a file of the run is missing or damaged.
        UsageError: the run did not measure one of them, or both are the same.
    """
    run = RunFolder(folder)
    provenance, plan = run.read_provenance(), read_plan(run.plan)
    events = _events(run)
    ready = {event.architecture: event for each in events.values() for event in each if isinstance(event, ClusterReady)}
    for name in (left, right):
        if name not in ready or left == right:
            raise UsageError(
                f"{folder.name} cannot show {left} beside {right}",
                why=f"it measured {', '.join(ready) or 'nothing'}",
                next_step="name two of them",
            )
    guests = _guests(run, events)
    shown = Round(
        1, "explain", provenance.scenario if find_episode(provenance.scenario) else "", str(folder),
        (_side("left", ready[left], guests), _side("right", ready[right], guests)), len(plan.shoppers),
        epoch_us=EPOCH_US, window_ms=plan.window_ms, run=provenance.run,
    )  # fmt: skip
    # Without the delay of a live round: everything has been written.
    watches = {side.side: SideWatch(side, shown.shoppers, delay_us=0) for side in shown.sides}
    last_us = _feed(run, {left: watches["left"], right: watches["right"]}, events)
    return RecordedPicture(shown, watches, tuple(_frames(watches["left"], watches["right"], last_us)))


def _events(run: RunFolder) -> dict[str, list[Event]]:
    events: dict[str, list[Event]] = {}
    for event in read_events(run.events):
        events.setdefault(event.architecture, []).append(event)
    return events


def guests_seen(folder: Path) -> dict[str, tuple[GuestView, ...]]:
    """What became of the people with browsers who entered a shop in that run, by architecture; of others, nothing.

    Raises:
        RunFolderError: a file of the run is missing or damaged.
    """
    run = RunFolder(folder)
    return _guests(run, _events(run))


def _guests(run: RunFolder, events: Mapping[str, Sequence[Event]]) -> dict[str, tuple[GuestView, ...]]:
    admitted = {
        name: [user for event in each if isinstance(event, GuestsAdmitted) for user in event.users]
        for name, each in events.items()
    }
    return {name: _guests_of(run.logs(name), users, events[name]) for name, users in admitted.items() if users}


def _guests_of(logs: Path, users: Iterable[str], events: Iterable[Event]) -> tuple[GuestView, ...]:
    seen, lines = BrowserUsers(users), sorted(_guest_lines(logs), key=lambda line: line.at_us)
    zero_us, in_memory, place = 0, False, 0
    for event in events:
        if isinstance(event, LoadStarted):
            zero_us = event.epoch_us
        elif isinstance(event, ClusterReady):
            in_memory = event.description.store == "memory"
        elif isinstance(event, FaultEvent):
            at_us = zero_us + event.at_us
            # In order of time: who was in before the fault and who after it is all that decides.
            while place < len(lines) and lines[place].at_us <= at_us:
                seen.logged(lines[place])
                place += 1
            seen.fault(event, at_us, in_memory=in_memory)
    for line in lines[place:]:
        seen.logged(line)
    return seen.all()


def _side(side: SideName, ready: ClusterReady, guests: Mapping[str, Iterable[GuestView]]) -> RoundSide:
    about = ready.description
    stored = (STORE,) if about.uses_server else ()
    copied = (REPLICA, SENTINEL) if stored and about.replicas else ()
    return RoundSide(
        side, about.name, about.app == "stateful_app", shop_url="", nodes=ready.nodes,
        parts=(*ready.nodes, BALANCER, *stored, *copied),
        # Only who came in, not all sixty accounts.
        guests=tuple(Guest(guest.user, "") for guest in guests.get(ready.architecture, ())),
    )  # fmt: skip


def _guest_lines(logs: Path) -> Iterator[GuestRecord]:
    """What nodes and balancer wrote of everybody who is no simulated shopper; what is damaged is left out."""
    for pattern, decoder in LOGS_OF_GUESTS.items():
        for log in sorted(logs.glob(pattern)):
            yield from read_through(log, decoder, OF_GUESTS)


def _feed(run: RunFolder, watches: dict[str, SideWatch], events: dict[str, list[Event]]) -> int:
    """Everything at once: each side takes it in when its time comes. Returns when the last thing happened."""
    last_us = 0
    for name, watch in watches.items():
        for event in events[name]:
            watch.hear(event)
            last_us = max(last_us, event.at_us)
        for line in _guest_lines(run.logs(name)) if watch.guests else ():
            watch.logged(line)
    for record in read_history(run.history):
        if record.architecture in watches:
            watches[record.architecture].recorded(record, MERGED)
            last_us = max(last_us, 0 if isinstance(record, StoredOrder) else record.done_us)
    return last_us


def _frames(left: SideWatch, right: SideWatch, last_us: int) -> Iterator[Frame]:
    end_ms = -(-last_us // (1000 * STEP_MS)) * STEP_MS  # rounded up: the last step holds the last thing
    for at_ms in range(0, end_ms + 1, STEP_MS):
        over = at_ms == end_ms
        frame = Frame(at_ms, left.advance(at_ms * 1000, over=over), right.advance(at_ms * 1000, over=over))
        if frame.left != NOTHING or frame.right != NOTHING:
            yield frame
