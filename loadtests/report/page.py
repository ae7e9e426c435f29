"""The report, put together: evidence and results in, one HTML file out. The same folder gives the same bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec
from markupsafe import Markup

from loadtests.checks import MEASURES
from loadtests.faults.words import in_words
from loadtests.model.results import ArchitectureResult, Results
from loadtests.model.wording import readable
from loadtests.report.axis import TimeAxis
from loadtests.report.bytes_chart import wire
from loadtests.report.cured import cured
from loadtests.report.distribution import distribution
from loadtests.report.drawing import Chart, Region, percent
from loadtests.report.evidence import Evidence, gather
from loadtests.report.experiment import experiment
from loadtests.report.glossary import GLOSSARY, definitions
from loadtests.report.latency import latency
from loadtests.report.memory import memory
from loadtests.report.method import method
from loadtests.report.sessions_by_node import sessions_by_node
from loadtests.report.shell import PageShell
from loadtests.report.shopper_timelines import strips
from loadtests.report.spending import spending
from loadtests.report.summary import guards, in_cell, more_predictions, rows, shown_columns
from loadtests.report.timeline import timeline
from loadtests.report.witnesses import Witnesses, witnesses

SHELL = PageShell(
    Path(__file__).parent,
    script="report.js",
    readable=readable,
    in_cell=in_cell,
    in_words=in_words,
    lower_first=lambda text: text[:1].lower() + text[1:].rstrip("."),
    seconds=lambda ms: f"{ms / 1000:.2f} s",
)

VERDICTS = {
    "as predicted": ("✓", "predicted"),
    "not as predicted": ("✗", "refuted"),
    "inconclusive": ("?", "inconclusive"),
}
"""Each verdict's mark and class."""


class Mini(msgspec.Struct, frozen=True):
    """The strips of one architecture again, small, beside the others."""

    name: str
    css: str
    height: float
    layers: tuple[str, ...]
    """Ids of the regions of the large chart, which are drawn a second time without being there twice."""
    bands: tuple[tuple[str, str], ...]
    """(x, width) of the fault bands."""
    text: str


class Section(msgspec.Struct, frozen=True):
    """Everything about one architecture."""

    name: str
    css: str
    about: str
    result: ArchitectureResult
    charts: tuple[Chart, ...]
    witnesses: Witnesses
    interrupted: str


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
    axis = TimeAxis(evidence.end_us, evidence.window_us)
    sections = tuple(
        _section(evidence, axis, name, result)
        for name, result in results.architectures.items()
        if name in evidence.stories
    )
    return SHELL.page(
        "page.html.j2",
        verdicts=VERDICTS,
        definitions=definitions(),
        glossary=GLOSSARY,
        measures=MEASURES,
        columns=shown_columns(results),
        evidence=evidence,
        results=results,
        answer=_pieces(results.answer, results.architectures),
        rows=rows(evidence, results),
        more=more_predictions(results),
        guards=guards(results),
        minis=tuple(_mini(section, axis, evidence) for section in sections),
        experiment=experiment(evidence, results),
        sections=sections,
        cured=cured(results),
        extra=extra,
        latency=latency(evidence, results),
        distribution=distribution(evidence, results),
        spending=spending(results),
        method=method(evidence),
    )


def _section(evidence: Evidence, axis: TimeAxis, name: str, result: ArchitectureResult) -> Section:
    story = evidence.stories[name]
    return Section(
        name=name,
        css=story.css,
        about=story.ready.description.summary if story.ready else "",
        result=result,
        charts=(
            strips(story, result, axis),
            timeline(story, axis, evidence.bucket_us),
            sessions_by_node(story, axis, evidence.bucket_us),
            *(chart for chart in (memory(story, axis), wire(story, axis, evidence.bucket_us)) if chart is not None),
        ),
        witnesses=witnesses(name, result),
        interrupted=story.run.interrupted or "",
    )


def _mini(section: Section, axis: TimeAxis, evidence: Evidence) -> Mini:
    layers = [shape for shape in section.charts[0].shapes if isinstance(shape, Region) and shape.id]
    out = section.result.logged_out.shoppers
    return Mini(
        name=section.name,
        css=section.css,
        height=max((layer.height for layer in layers), default=1),
        layers=tuple(layer.id for layer in layers),
        bands=tuple(
            (
                percent(axis.share(fault.start_us)),
                percent(axis.share(fault.end_us(axis.end_us)) - axis.share(fault.start_us)),
            )
            for fault in evidence.stories[section.name].faults
        ),
        text=f"{out:,} of {section.result.shoppers:,} logged out",
    )


class Piece(msgspec.Struct, frozen=True):
    """A part of the answer; `whole` ones must not be broken into two lines."""

    text: str
    whole: bool


def _pieces(answer: str, names: Iterable[str]) -> tuple[Piece, ...]:
    """The answer, cut around the architectures' names, whose hyphens are no place to break a headline."""
    longest_first = sorted(names, key=len, reverse=True)
    if not longest_first:
        return (Piece(answer, False),)
    cut = re.split(f"({'|'.join(map(re.escape, longest_first))})", answer)
    return tuple(Piece(text, number % 2 == 1) for number, text in enumerate(cut) if text)
