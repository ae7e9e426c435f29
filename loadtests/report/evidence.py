"""What the report draws: a run folder's events and history, gathered in one pass, by architecture."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import msgspec

from loadtests.model.events import Event, read_events
from loadtests.model.history import Exchange, read_history_batches
from loadtests.model.plan import Plan, read_plan_by_person
from loadtests.model.run_folder import Provenance, RunFolder
from loadtests.report.series import Story

BUCKETS_US = (100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000)
MOST_BUCKETS = 200


class Evidence(msgspec.Struct, frozen=True):
    """Everything the report needs beside the results."""

    provenance: Provenance
    plan: Plan
    """Without its shoppers."""
    stories: dict[str, Story]
    """In the order in which they were to run; those that never began too."""
    bucket_us: int
    """Width of the charts' time buckets."""
    end_us: int
    """The last answer of all, or the window's end if that is later."""

    @property
    def window_us(self) -> int:
        """Where the load window ends."""
        return self.plan.window_ms * 1000


class Listener:
    """Hears one architecture's history and gathers what is drawn of it; another process may do so."""

    def __init__(self, story: Story, bucket_us: int) -> None:
        self.story = story
        self._bucket_us = bucket_us
        self._fault_us = story.run.first_injected_us  # once: it is looked up anew each time, and millions will ask

    def add(self, *exchanges: Exchange) -> None:
        """What comes next in the history."""
        self.story.saw(exchanges, self._fault_us, self._bucket_us)


class Gathering:
    """All that the report needs but the history, which its listeners are to hear; then `close`.

    Raises:
        RunFolderError: a file is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        files = RunFolder(folder)
        self._provenance = files.read_provenance()
        self._plan, _ = read_plan_by_person(files.plan)  # whose shoppers are left unread: no chart needs them
        told: dict[str, list[Event]] = {name: [] for name in self._provenance.architectures}
        for event in read_events(files.events):
            # Of one that the run was not asked for, too: the page shows it, and does not hide a damaged record.
            told.setdefault(event.architecture, []).append(event)
        stories = {name: Story(name, events, self._plan.faults) for name, events in told.items()}
        self._bucket_us = _bucket_us(self._plan.window_ms * 1000)
        self.listeners = {name: Listener(story, self._bucket_us) for name, story in stories.items()}
        """By architecture, in the order in which they were to run; those that never began too."""

    def listener(self, name: str) -> Listener:
        """That architecture's; a history may tell of one that nothing else tells of."""
        if name not in self.listeners:
            self.listeners[name] = Listener(Story(name), self._bucket_us)
        return self.listeners[name]

    def close(self) -> Evidence:
        """What the listeners have gathered."""
        stories = {name: listener.story for name, listener in self.listeners.items()}
        for story in stories.values():
            for shopper in story.shoppers.values():
                shopper.close(story.end_us)
        # One end for all of them: charts side by side can only be compared on one axis.
        end_us = max([self._plan.window_ms * 1000, *(story.end_us for story in stories.values())])
        return Evidence(self._provenance, self._plan, stories, self._bucket_us, end_us)


def gather(folder: Path) -> Evidence:
    """Read a run folder, if nobody else has read its history for us.

    Raises:
        RunFolderError: a file is missing or damaged.
    """
    gathering = Gathering(folder)
    for records in read_history_batches(RunFolder(folder).history):
        for name, some in groupby(records, lambda record: record.architecture):
            gathering.listener(name).add(*(record for record in some if isinstance(record, Exchange)))
    return gathering.close()


def _bucket_us(window_us: int) -> int:
    return next((width for width in BUCKETS_US if window_us / width <= MOST_BUCKETS), BUCKETS_US[-1])
