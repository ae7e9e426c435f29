"""The report, put together: evidence and results in, one HTML file out. The same folder gives the same bytes."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from loadtests.checks import MEASURES
from loadtests.faults.words import in_words
from loadtests.model.results import ArchitectureResult, Results
from loadtests.model.wording import readable
from loadtests.report import palette
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
from loadtests.report.shopper_timelines import strips
from loadtests.report.spending import spending
from loadtests.report.summary import guards, in_cell, more_predictions, rows, shown_columns
from loadtests.report.timeline import timeline
from loadtests.report.witnesses import Witnesses, witnesses

ROOM = Path(__file__).parent

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
    style, script = _style(), (ROOM / "report.js").read_text(encoding="utf-8")
    page = _environment().get_template("page.html.j2")
    html = page.render(
        style=Markup(style),  # our own files, not values from a run
        style_hash=_hash(style),
        script=Markup(script),
        script_hash=_hash(script),
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
    return html.encode()


def _hash(text: str) -> str:
    """As the content security policy names what it allows."""
    return b64encode(hashlib.sha256(text.encode()).digest()).decode()


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
        interrupted=story.interrupted or "",
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
                percent(axis.share(band.injected_us)),
                percent(axis.share(band.end_us(axis.end_us)) - axis.share(band.injected_us)),
            )
            for band in evidence.stories[section.name].bands
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


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(ROOM / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["readable"] = readable
    environment.filters["in_cell"] = in_cell
    environment.filters["in_words"] = in_words
    environment.filters["lower_first"] = lambda text: text[:1].lower() + text[1:].rstrip(".")
    environment.filters["seconds"] = lambda ms: f"{ms / 1000:.2f} s"
    return environment


def _style() -> str:
    colours = (
        f":root{{{palette.variables(palette.LIGHT)}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{color-scheme:dark;{palette.variables(palette.DARK)}}}}}"
    )
    return colours + "\n" + (ROOM / "report.css").read_text(encoding="utf-8")
