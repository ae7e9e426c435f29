"""The repeats as one HTML page, in the report's own style. Pure: `repeats.json` in, the same bytes out."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from loadtests.campaigns.repeats.compare import extent
from loadtests.campaigns.repeats.dots import dots, plain_cell
from loadtests.campaigns.repeats.refusals import NOISE_RULE
from loadtests.campaigns.repeats.repeats import CONTROLLED, Block, Comparison, Repeats, definition
from loadtests.checks import MEASURES
from loadtests.model.measures import spoken
from loadtests.report.palette import side
from loadtests.report.shell import PageShell
from loadtests.report.tables import Table

AT_ONCE = 20  # blocks whose counts are shown before anything is unfolded
COMPARED_AT_ONCE = 12  # of more comparisons, only the headline's: on a telephone each is a card
MARKS = {"larger": "▲", "smaller": "▼", "no difference shown": "≈", "not comparable": "✕"}


class Left(msgspec.Struct, frozen=True):
    """A fault that does not count, or a block that was not measured."""

    block: Block
    architecture: str
    why: str


def render(repeats: Repeats) -> bytes:
    """The page. It names no winner: an architecture that is better in one measure is worse in another."""
    asked = repeats.asked
    # Real repeats have nine measures, some of them 0 in every block: those are folded behind one sentence.
    drawn = [measure for measure in asked.measures if measure == asked.headline or _any(repeats, measure)]
    flat = [measure for measure in asked.measures if measure not in drawn]
    told = [it for it in repeats.comparisons if it.measure == asked.headline]
    return SHELL.page(
        "repeats.html.j2",
        repeats=repeats,
        asked=asked,
        charts=[dots(repeats, measure) for measure in drawn],
        flat=flat,
        flat_charts=[dots(repeats, measure) for measure in flat],
        told=told if len(repeats.comparisons) > COMPARED_AT_ONCE else repeats.comparisons,
        left=left_out(repeats),
        counts=counted_tables(repeats),
        versions=asked_on(repeats),
        marks=MARKS,
        side=side,
        command=shlex.join(asked.command),
        controlled=CONTROLLED,
        noise_rule=NOISE_RULE,
        words_of=words_of,
    )


def words_of(comparisons: Sequence[Comparison]) -> str:
    """How many of them say what: "3 differ, 1 shows no difference, 2 cannot be compared"."""
    counts = Counter(it.word for it in comparisons)
    differ, same = counts["larger"] + counts["smaller"], counts["no difference shown"]
    refused = counts["not comparable"]
    parts = [f"{differ} {'differs' if differ == 1 else 'differ'}"] if differ else []
    parts += [f"{same} {'shows' if same == 1 else 'show'} no difference"] if same else []
    parts += [f"{refused} cannot be compared"] if refused else []
    return ", ".join(parts)


class CountsOfBlocks(msgspec.Struct, frozen=True):
    """One measure as it was counted, block by block; no statistics."""

    measure: str
    first: Table
    rest: Table | None
    """Further blocks; None if there are none."""


def counted_tables(repeats: Repeats) -> tuple[CountsOfBlocks, ...]:
    """Of each measure that counts something, the headline first; what is 0 everywhere is left out."""
    asked = repeats.asked
    others = (it for it in asked.measures if it != asked.headline and _counts(it) and _any(repeats, it))
    return tuple(_counts_of(repeats, measure) for measure in (asked.headline, *others))


def _counts(measure: str) -> bool:
    return measure in MEASURES and MEASURES[measure].sort in ("loss", "count", "book")


def _any(repeats: Repeats, measure: str) -> bool:
    return any(shot.values.get(measure) for block in repeats.of_kind("fault") for shot in block.shots)


def _counts_of(repeats: Repeats, measure: str) -> CountsOfBlocks:
    names = repeats.asked.architectures
    rows = tuple(
        (f"{block.number} (seed {block.seed})", *(plain_cell(block, name, measure) for name in names))
        for block in repeats.of_kind("fault")
    )
    head = ("Block", *names)
    rest = Table(head, rows[AT_ONCE:]) if len(rows) > AT_ONCE else None
    return CountsOfBlocks(measure, Table(head, rows[:AT_ONCE]), rest)


def asked_on(repeats: Repeats) -> dict[str, str]:
    """With which versions, and on which machines if there were several."""
    machines = [name for name in repeats.machines if name]
    return repeats.asked.versions | ({"machines": ", ".join(machines)} if machines else {})


def left_out(repeats: Repeats) -> tuple[Left, ...]:
    """Everything that was to be a fault and is none."""
    found = []
    for block in repeats.of_kind("fault"):
        if block.error:
            found.append(Left(block, "", block.error))
        found += [Left(block, shot.architecture, shot.doubt) for shot in block.shots if shot.doubt]
    return tuple(found)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.4g}".replace("-", "−") if value else "0"  # a zero has no sign


def _chance(value: float | None) -> str:
    """A p-value; very small ones are not told to the last digit."""
    if value is None:
        return "–"
    return "< 0.0001" if value < 0.0001 else f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


SHELL = PageShell(
    Path(__file__).parent,
    style=("repeats.css",),
    number=_number,
    signed=_signed,
    chance=_chance,
    spoken=spoken,
    definition=definition,
    extent=extent,
)
