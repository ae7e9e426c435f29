"""What became of one shopper of a run: the session lives and the losses, from the run's folder alone."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from loadtests.judging.judge import events_of, parts_of, read_part
from loadtests.judging.replay import HistoryReplay
from loadtests.model.events import Event
from loadtests.model.history import Exchange, shopper_of
from loadtests.model.run_folder import RunFolder
from loadtests.session_model.circumstances import circumstances_of
from loadtests.session_model.explain import ShopperStory, Storyteller
from loadtests.session_model.timeline import run_timeline
from shared.demo_accounts import account_name
from shared.errors import UsageError
from shared.ndjson import FilePart


def explain(folder: Path, shopper: int, architectures: tuple[str, ...] = ()) -> tuple[ShopperStory, ...]:
    """The story of that shopper on each architecture of the run, or on those that are named.

    Raises:
        UsageError: the run has no such shopper, or no such architecture.
        RunFolderError: a file of the run is missing or damaged; names the file and the line.
    """
    run = RunFolder(folder)
    provenance = run.read_provenance()
    if not 1 <= shopper <= provenance.shoppers:
        raise UsageError(
            f"there is no shopper {shopper} in {provenance.scenario}",
            why=f"its shoppers are 1 to {provenance.shoppers}",
            next_step="name one of those; the report's losses say whom they struck",
        )
    for name in architectures:
        if name not in provenance.architectures:
            raise UsageError(
                f"{name!r} is no architecture of this run",
                why=f"it has {', '.join(provenance.architectures)}",
                next_step="name one of those, or none for all",
            )
    events = events_of(run, provenance.architectures)
    parts = parts_of(run.history, events)
    wanted = [name for name in architectures or provenance.architectures if name in events]
    return tuple(_story(run, name, shopper, events, parts.get(name)) for name in wanted)


def _story(
    run: RunFolder, name: str, shopper: int, events: dict[str, list[Event]], part: FilePart | None
) -> ShopperStory:
    scene, user = run_timeline(name, events[name]), account_name(shopper)
    replay, teller = HistoryReplay(scene), Storyteller(circumstances_of(scene), shopper)
    read = partial(read_part, run.history, name, begun=tuple(events))
    for records in read(part=part) if part is not None else ():
        for record in records:
            if isinstance(record, Exchange):
                if record.shopper == shopper:
                    # One shopper's records alone: what anybody may expect depends on nobody else's.
                    exchange = scene.as_judged(record)
                    replay.add(exchange)
                    teller.add(exchange)
            elif record.user == user or shopper_of(record.request) == shopper:  # made in another one's name
                replay.add_order(record)
    replay.close()
    return ShopperStory(name, shopper, user, teller.sessions, replay.losses())
