"""What the report draws: a run folder's events and history, gathered in one pass, by architecture."""

from __future__ import annotations

from pathlib import Path

import msgspec

from loadtests.events import read_events
from loadtests.history import Exchange, read_history
from loadtests.plan import Plan
from loadtests.report.story import Story
from loadtests.run_folder import Provenance, RunFolder, read_document

BUCKETS_US = (100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000)
MOST_BUCKETS = 200


class Evidence(msgspec.Struct, frozen=True):
    """Everything the report needs beside the results."""

    provenance: Provenance
    plan: Plan
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


def gather(folder: Path) -> Evidence:
    """Read a run folder.

    Raises:
        RunFolderError: a file is missing or damaged.
    """
    files = RunFolder(folder)
    provenance = files.read_provenance()
    plan = read_document(files.plan, Plan)
    stories = {name: Story(name) for name in provenance.architectures}
    for event in read_events(files.events):
        _story(stories, event.architecture).took(event)
    bucket_us = _bucket_us(plan.window_ms * 1000)
    fault_us = {name: min((band.injected_us for band in story.bands), default=None) for name, story in stories.items()}
    for record in read_history(files.history):
        if isinstance(record, Exchange):
            _story(stories, record.architecture).saw(record, fault_us.get(record.architecture), bucket_us)
    for story in stories.values():
        for shopper in story.shoppers.values():
            shopper.close(story.end_us)
    end_us = max([plan.window_ms * 1000, *(story.end_us for story in stories.values())])
    return Evidence(provenance, plan, stories, bucket_us, end_us)


def _bucket_us(window_us: int) -> int:
    return next((width for width in BUCKETS_US if window_us / width <= MOST_BUCKETS), BUCKETS_US[-1])


def _story(stories: dict[str, Story], name: str) -> Story:
    story = stories.get(name)
    if story is None:
        story = stories[name] = Story(name)
    return story
