"""The report, put together: evidence and results in, one HTML file out. The same folder gives the same bytes."""

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec
from markupsafe import Markup

from loadtests.checks import MEASURES
from loadtests.faults.words import victim_in_words
from loadtests.judging.verdict import fired
from loadtests.model.results import Results
from loadtests.model.wording import readable
from loadtests.report import summary
from loadtests.report.axis import TimeAxis, bands_of
from loadtests.report.cured import cured
from loadtests.report.distribution import distribution
from loadtests.report.drawing import SmallMultiples
from loadtests.report.evidence import Evidence, gather
from loadtests.report.experiment import experiment
from loadtests.report.glossary import definitions, words
from loadtests.report.lanes import ANSWERS, BYTES, MEMORY, SESSIONS
from loadtests.report.latency import latency
from loadtests.report.method import method
from loadtests.report.shell import PageShell
from loadtests.report.shopper_timelines import strips
from loadtests.report.terminal import unseen
from loadtests.report.timeline import timelines
from loadtests.report.witnesses import OPEN, causes_of, more_losses
from loadtests.session_model.causes import cause_in_words

SHELL = PageShell(
    Path(__file__).parent,
    script="report.js",
    cause_in_words=cause_in_words,
    readable=readable,
    in_cell=summary.in_cell,
    victim_in_words=victim_in_words,
    lower_first=lambda text: text[:1].lower() + text[1:].rstrip("."),
    seconds=lambda ms: f"{ms / 1000:.2f} s",
    witness_of=summary.witness_of,
)

VERDICTS = {
    "as predicted": ("✓", "predicted"),
    "not as predicted": ("✗", "refuted"),
    "inconclusive": ("?", "inconclusive"),
}
"""Each verdict's mark and class."""


class ExtraSection(msgspec.Struct, frozen=True):
    """A section that a room above this one brings: what people predicted in a workshop, say."""

    id: str
    """Of its element, and the link's target."""
    title: str
    """Of the link to it."""
    html: Markup


def render_report(
    folder: Path, results: Results, evidence: Evidence | None = None, extra: ExtraSection | None = None
) -> bytes:
    """The report of a run: one self-contained HTML page. Pure: reads only the folder, writes nothing.

    `evidence`: what was gathered already while the run was judged.

    Raises:
        RunFolderError: a file of the run is missing or damaged.
    """
    evidence = evidence or gather(folder)
    return SHELL.page(
        "page.html.j2",
        verdicts=VERDICTS,
        definitions=definitions(),
        glossary=words(),
        measures=MEASURES,
        columns=summary.shown_columns(results),
        zeros=summary.zero_columns(results),
        evidence=evidence,
        results=results,
        answer=_pieces(results.answer, results.architectures),
        rows=summary.rows(evidence, results),
        more=summary.more_predictions(results),
        fired=fired(results),
        experiment=experiment(evidence, results),
        unseen=unseen(results),
        charts=side_by_side(evidence, results),
        causes=causes_of(results.architectures),
        open_causes=OPEN,
        others=tuple(more_losses(name, result) for name, result in results.architectures.items()),
        cured=cured(results),
        extra=extra,
        latency=latency(evidence, results),
        distribution=distribution(evidence, results),
        costs=summary.shown_costs(results),
        method=method(evidence),
    )


class SideBySide(msgspec.Struct, frozen=True):
    """All charts that have a time axis."""

    who: SmallMultiples
    when: tuple[SmallMultiples, ...]
    folded: tuple[SmallMultiples, ...]
    bands: tuple[str, ...]
    """What the shaded bands are, and when: "n2 killed at 5.0 s"."""


def side_by_side(evidence: Evidence, results: Results) -> SideBySide:
    """The charts of all architectures that were measured."""
    axis = TimeAxis(evidence.end_us, evidence.window_us)
    measured = [(evidence.stories[name], result) for name, result in results.architectures.items()]
    stories = [story for story, _ in measured]
    settled = {name: result.actions.settled for name, result in results.architectures.items()}
    sessions, answers, memory, sent = (it.of_all(stories, axis) for it in (SESSIONS, ANSWERS, MEMORY, BYTES))
    # Answers unfold where they are the only ones that tell nodes apart.
    folded = (answers, memory, sent) if sessions.charts else (memory, sent)
    return SideBySide(
        who=SmallMultiples(
            "strips",
            "Every shopper, one row each",
            "From left to right in time, by the node that served them when the fault came, or last.",
            tuple(strips(story, result, axis) for story, result in measured),
        ),
        when=(
            timelines(stories, axis, evidence.bucket_us, settled),
            sessions if sessions.charts else answers,
        ),
        folded=tuple(it for it in folded if it.charts),
        bands=bands_of(stories),
    )


def _pieces(answer: str, names: Iterable[str]) -> list[str]:
    """The answer, every other piece of it an architecture's name, whose hyphens are no place to break a headline."""
    # Of names that begin alike ("redis", "redis-replica") the longer one must be tried first.
    longest_first = sorted(names, key=len, reverse=True)
    # A split by a group keeps what it split at.
    return re.split(f"({'|'.join(map(re.escape, longest_first))})", answer) if longest_first else [answer]
