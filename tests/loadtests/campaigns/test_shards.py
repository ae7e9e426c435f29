"""Shards: whoever asks for another part finds the same division, and no part is much longer than it must be."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from loadtests.campaigns.jobs import Shard, catalogue, of_shard, shard_named
from loadtests.campaigns.runner import RunJob
from shared.errors import UsageError

JOBS = st.lists(st.floats(1, 300), min_size=1, max_size=60).map(
    lambda times: tuple(RunJob(f"scenario-{at}", ("redis",), 1, seconds) for at, seconds in enumerate(times))
)


@given(JOBS, st.integers(1, 20))
def test_every_job_is_in_exactly_one_part_and_keeps_its_order(jobs: tuple[RunJob, ...], of: int) -> None:
    parts = [of_shard(jobs, Shard(number, of)) for number in range(1, of + 1)]
    assert sorted(job.scenario for part in parts for job in part) == sorted(job.scenario for job in jobs)
    assert all(list(part) == sorted(part, key=jobs.index) for part in parts)


@given(JOBS, st.integers(1, 20))
def test_what_belongs_together_is_in_one_part(jobs: tuple[RunJob, ...], of: int) -> None:
    jobs = tuple(replace(job, together="times" if at % 3 == 0 else "") for at, job in enumerate(jobs))
    parts = [of_shard(jobs, Shard(number, of)) for number in range(1, of + 1)]
    assert sum(any(job.together for job in part) for part in parts) == 1
    assert sorted(job.scenario for part in parts for job in part) == sorted(job.scenario for job in jobs)


@given(JOBS, st.integers(1, 20), st.randoms())
def test_the_division_does_not_depend_on_the_order_of_the_jobs(jobs: tuple[RunJob, ...], of: int, dice: object) -> None:
    mixed = list(jobs)
    dice.shuffle(mixed)  # type: ignore[attr-defined]
    for number in range(1, of + 1):
        named = {job.scenario for job in of_shard(jobs, Shard(number, of))}
        assert named == {job.scenario for job in of_shard(mixed, Shard(number, of))}


@given(JOBS, st.integers(1, 20))
def test_no_part_takes_longer_than_an_equal_share_and_one_job_more(jobs: tuple[RunJob, ...], of: int) -> None:
    longest = max(sum(job.seconds for job in of_shard(jobs, Shard(number, of))) for number in range(1, of + 1))
    shortest_of_the_longest = sum(job.seconds for job in jobs) / of
    assert longest <= shortest_of_the_longest + max(job.seconds for job in jobs) * (of - 1) / of + 1e-6


@pytest.mark.parametrize("text", ["", "3", "0/4", "5/4", "1/0", "-1/4", "1/4/2", "a/b", "1.0/4", "01/4", " 1/4"])
def test_what_is_no_shard_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="is no shard"):
        shard_named(text)


def test_a_shard_is_read() -> None:
    assert shard_named("3/20") == Shard(3, 20)


def test_the_example_for_github_actions_runs_every_part_and_merges_them() -> None:
    example = Path(__file__).parents[3] / "docs" / "examples" / "matrix-in-shards.yml"
    jobs = yaml.safe_load(example.read_text())["jobs"]
    parts = jobs["part"]["strategy"]["matrix"]["shard"]
    assert parts == list(range(1, len(parts) + 1))
    runs, merges = ([step["run"] for step in jobs[name]["steps"] if "run" in step][-1] for name in ("part", "page"))
    assert f"twinshop matrix --shard ${{{{ matrix.shard }}}}/{len(parts)} --out part" in runs
    assert "twinshop merge parts/part-* --out merged" in merges
    assert len(parts) <= len(catalogue())
    assert jobs["page"]["needs"] == "part"
