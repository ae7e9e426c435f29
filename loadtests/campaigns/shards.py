"""A part of a campaign, for whoever has many small machines and no scheduler: `--shard 3/20`.

Whoever runs another part finds the same parts: they follow from what was asked for alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from loadtests.campaigns.runner import RunJob
from shared.errors import UsageError

_FORM = re.compile(r"([1-9]\d{0,3})/([1-9]\d{0,3})")


class Shard(msgspec.Struct, frozen=True):
    """One part of so many."""

    number: int
    """1 … `of`."""
    of: int


def shard_named(text: str) -> Shard:
    """Of "3/20".

    Raises:
        UsageError: it is no part of anything.
    """
    form = _FORM.fullmatch(text)
    if form is None or int(form[1]) > int(form[2]):
        raise UsageError(
            f"{text!r} is no shard", why="a shard is written 3/20: the third of twenty", next_step="--shard 1/2"
        )
    return Shard(int(form[1]), int(form[2]))


def of_shard(jobs: Iterable[RunJob], shard: Shard) -> tuple[RunJob, ...]:
    """The jobs of that part, in their order; those that belong together are in one.

    The longest first, each to the part that has least so far: no part takes longer than 4/3 of the best division
    (R. L. Graham, Bounds on multiprocessing timing anomalies, 1969).
    """
    jobs = tuple(jobs)
    loads = [0.0] * shard.of
    mine = set()
    whole: dict[str, float] = {}
    for job in jobs:
        whole[_name(job)] = whole.get(_name(job), 0.0) + job.seconds
    for name, seconds in sorted(whole.items(), key=lambda it: (-it[1], it[0])):
        part = loads.index(min(loads))
        loads[part] += seconds
        if part == shard.number - 1:
            mine.add(name)
    return tuple(job for job in jobs if _name(job) in mine)


def _name(job: RunJob) -> str:
    return job.together or job.scenario
