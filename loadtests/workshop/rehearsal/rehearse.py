"""The rehearsal as a whole: texts first, then a workshop as a child, then episode after episode as the pages say."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from compose.running import new_run_id
from compose.supervision.ledger import Ledger, state_folder
from loadtests.model.results import Results
from loadtests.model.run_folder import RunFolder, read_document
from loadtests.workshop.contract import EndWorkshop
from loadtests.workshop.episode import Episode
from loadtests.workshop.host import WorkshopUrls
from loadtests.workshop.measured import observed_answers
from loadtests.workshop.progress import newest_round, values_of
from loadtests.workshop.rehearsal import child
from loadtests.workshop.rehearsal.dashboard_client import DashboardClient, RoomVisitor
from loadtests.workshop.rehearsal.lesson_pages import (
    MEASURED,
    BrokenPromise,
    LessonPage,
    PageCommand,
    all_pages,
    broken_by_a_round,
    broken_without_a_round,
    known_numbers,
    page_of,
)
from loadtests.workshop.rehearsal.other_device import OtherDevice, other_device, why_no_other_device
from loadtests.workshop.rehearsal.player import Player, begin, check_observed
from shared.errors import TwinshopError

# What is rehearsed is what the pages promise, and none of that is a speed: on a busy machine it takes its time.
READY_WITHIN_S = 240.0
BEGIN_WITHIN_S = 120.0
NO_DEVICE = "127.0.0.2"  # where there can be no other device: another address of this one
WORKSHOP = ("workshop", "--no-open", "--json")
OWN_COMMANDS = (("twinshop", "workshop"), ("twinshop", "rehearse"))  # the workshop that it plays in, and itself

Say = Callable[[str], None]


class Played(msgspec.Struct, frozen=True):
    """One episode, as it was rehearsed."""

    episode: str
    round: str
    """The run's folder; "" if none was closed."""
    seconds: float
    compared: int
    """Promises of its page that were held against the round."""
    left_out: int
    """Numbers that were not: the round was smaller than the texts say."""
    broken: tuple[BrokenPromise, ...]
    values: dict[str, float]
    """The round's numbers by name."""


class Rehearsed(msgspec.Struct, frozen=True):
    """All of it."""

    kept: bool
    """Every promise came true."""
    texts: tuple[BrokenPromise, ...]
    """What the pages say without a round, and what was not so."""
    episodes: tuple[Played, ...]


def rehearse(episodes: Sequence[Episode], folder: Path, *, shoppers: int | None, engine: str, say: Say) -> Rehearsed:
    """Play the workshop in that folder, which is made; `shoppers` other than the episodes say make it smaller.

    Raises:
        TwinshopError: the workshop did not start.
    """
    folder.mkdir(parents=True)
    texts = (*broken_without_a_round(all_pages(), known_numbers(MEASURED.read_text())), *_broken_commands(folder, say))
    say(f"the pages without a round: {len(texts)} broken")
    words = (*WORKSHOP, "--engine", engine, *(() if shoppers is None else ("--shoppers", str(shoppers))))
    with _elsewhere(say) as device:
        words += ("--listen", device.address) if device else ()
        with (
            child.running(words, folder, "workshop", WorkshopUrls, READY_WITHIN_S) as opened,
            closing(_visitor(opened, device)) as visitor,
            DashboardClient(opened.instructor_url) as client,
        ):
            played = tuple(_episode(client, episode, folder, shoppers, say, visitor) for episode in episodes)
            client.command(EndWorkshop())
    kept = not texts and not any(one.broken for one in played)
    return Rehearsed(kept, texts, played)


@contextmanager
def _elsewhere(say: Say) -> Iterator[OtherDevice | None]:
    """Another device, for a participant; None where this machine cannot be two."""
    if why := why_no_other_device():
        say(f"a participant joins from {NO_DEVICE} of this machine: {why}")
        yield None
        return
    with Ledger.open(state_folder(), new_run_id()) as ledger, other_device(ledger) as device:
        say(f"a participant joins from another device: {device.own[0]}, in a network of its own")
        yield device


def _visitor(opened: WorkshopUrls, device: OtherDevice | None) -> RoomVisitor:
    """Somebody who has joined.

    Raises:
        TwinshopError: they were not let in.
    """
    visitor = RoomVisitor(opened.url, device.own[0] if device else NO_DEVICE, device)
    answer = visitor.joins(opened.join_code, "Rehearsal")
    if not answer.ok:
        raise TwinshopError("a participant cannot join", why=answer.text[:200])
    return visitor


def _broken_commands(folder: Path, say: Say) -> Iterator[BrokenPromise]:
    """The commands of pages that are no episode's."""
    for page in all_pages():
        if not page.path.name[0].isdigit():
            for block in page.commands():
                if block.words not in OWN_COMMANDS:
                    say(f"  {' '.join(block.words)}")
                    yield from broken_command(block, folder)


def _episode(
    client: DashboardClient, episode: Episode, folder: Path, shoppers: int | None, say: Say, visitor: RoomVisitor
) -> Played:
    """As its page says: its commands up to the check, then the script, then the check."""
    began = time.monotonic()
    say(f"episode {episode.number}: {episode.title}")
    page = page_of(episode)
    found: list[BrokenPromise] = []
    values: dict[str, float] = {}
    run: RunFolder | None = None
    try:
        before, after = _parts(page)
        found += [bad for block in before for bad in broken_command(block, folder)]
        begin(client, episode, BEGIN_WITHIN_S)
        player = Player(client, episode, visitor)
        player.play()
        run = newest_round(folder / "runs", episode)
        results = read_document(run.results, Results)
        player.complaints += check_observed(client, observed_answers(episode, results))
        values = values_of(episode, run, results)
        found += [BrokenPromise(page.name, complaint) for complaint in player.complaints]
        found += [bad for block in after for bad in broken_command(block, folder)]
        found += broken_by_a_round(page, values, numbers=shoppers in (None, episode.scenario.load.shoppers))
    except TwinshopError as error:
        found.append(BrokenPromise(page.name, str(error)))
    if client.seen.gaps:
        found.append(BrokenPromise(page.name, f"events were missing between the ids {client.seen.gaps}"))
        client.seen.gaps.clear()  # one client sees all episodes: the next one must not answer for these
    for bad in found:
        say(f"  {bad}")
    numbers = [promise for promise in page.promises() if promise.number is not None]
    left_out = 0 if shoppers in (None, episode.scenario.load.shoppers) else len(numbers)
    return Played(
        episode.name, str(run.root) if run else "", round(time.monotonic() - began, 1),
        len(page.promises()) - left_out, left_out, tuple(found), values,
    )  # fmt: skip


def _parts(page: LessonPage) -> tuple[list[PageCommand], list[PageCommand]]:
    found = list(page.commands())
    check = next((place for place, block in enumerate(found) if block.words[1] == "check"), len(found))
    return found[:check], found[check:]


def broken_command(block: PageCommand, folder: Path) -> Iterator[BrokenPromise]:
    """Run one command of a page, and compare what it says with what the page shows."""
    if block.words[:2] == ("twinshop", "workshop"):
        yield from _broken_workshop(block, folder)
        return
    try:
        done = child.run(block.words, folder)
    except TwinshopError as error:
        yield BrokenPromise(block.place, str(error))
        return
    command = " ".join(block.words)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        yield BrokenPromise(block.place, f"`{command}` ended with {done.returncode}: {said}")
    elif not block.shows(done.stdout):
        said = done.stdout.strip()
        yield BrokenPromise(block.place, f"`{command}` does not say what the page shows; it says:\n{said}")


def _broken_workshop(block: PageCommand, folder: Path) -> Iterator[BrokenPromise]:
    """One that stays: it has to get ready, and is ended then."""
    words = (*WORKSHOP, *block.words[2:])
    try:
        with child.running(words, folder, "another-workshop", WorkshopUrls, READY_WITHIN_S):
            pass
    except TwinshopError as error:
        yield BrokenPromise(block.place, str(error))
