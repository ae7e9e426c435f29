"""What people see of repeats: on a terminal when they have ended, and as one HTML page, in the report's own style.

Pure: `repeats.json` in, the same bytes out.
"""

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from loadtests.campaigns.repeats.compare import extent
from loadtests.campaigns.repeats.dots import dots, plain_cell
from loadtests.campaigns.repeats.refusals import NOISE_RULE
from loadtests.campaigns.repeats.repeats import CONTROLLED, PAGE, Block, Comparison, Kind, Repeats, definition
from loadtests.checks import MEASURES
from loadtests.model.measures import spoken
from loadtests.report.shell import PageShell
from loadtests.report.tables import Table, Text

AT_ONCE = 20  # blocks whose counts are shown before anything is unfolded
COMPARED_AT_ONCE = 12  # of more comparisons, only the headline's: on a telephone each is a card
MARKS = {"larger": "▲", "smaller": "▼", "no difference shown": "≈", "not comparable": "✕"}
HEAD = ("measure", "pair", "per fault", "difference", "how sure", "word")
MOST_LETTERS = 60  # letters of a list of measures; the page names them all
KINDS: dict[Kind, str] = {"no-fault": "without faults", "placebo": "placebo", "again": "A against A"}


def summary(repeats: Repeats, folder: Path, *, report: str = "") -> str:
    """The answer, the table of pairs, the controls and the next commands. Plain text.

    `report`: where the report is, if `folder` is gone by the time that somebody reads this.
    """
    asked = repeats.asked
    faults = len(repeats.of_kind("fault"))
    return "\n".join((
        repeats.answer,
        "",
        Text().write(Table(HEAD, tuple(_row(each) for each in repeats.comparisons))),
        "",
        *_refused(repeats),
        *_controls(repeats),
        f"blocks   {faults} of {asked.repeats}, in each every architecture once under one plan; "
        f"{len(repeats.comparisons)} comparisons, corrected (Holm)",
        f"verdict  {repeats.verdict} (the worst of the blocks)",
        f"report   {report or folder / PAGE}",
        *([] if report else [f"next     twinshop report {shlex.quote(str(folder))}   (the same page again, offline)"]),
    ))  # fmt: skip


def _row(told: Comparison) -> tuple[str, ...]:
    means = difference = sure = "–"
    if told.first_mean is not None and told.second_mean is not None:
        means = f"{told.first_mean:.4g} / {told.second_mean:.4g}"
    if told.difference is not None:
        difference, sure = f"{told.difference.mean:+.4g}", extent(told.difference, told.faults)
    return (spoken(told.measure), f"{told.first} / {told.second}", means, difference, sure, told.word)


def _refused(repeats: Repeats) -> list[str]:
    """Why something is not comparable: each reason once."""
    reasons: dict[str, list[str]] = {}
    for each in repeats.comparisons:
        if each.reason:
            reasons.setdefault(each.reason, []).append(spoken(each.measure))
    return [f"not comparable ({_listed(measures)}): {reason}" for reason, measures in reasons.items()]


def _listed(measures: list[str]) -> str:
    names = list(dict.fromkeys(measures))
    return ", ".join(names) if len(", ".join(names)) <= MOST_LETTERS else f"{len(names)} measures"


def _controls(repeats: Repeats) -> list[str]:
    counts = ", ".join(f"{len(repeats.of_kind(kind))} {words}" for kind, words in KINDS.items())
    noisy = [f"{spoken(each.measure)} of {each.architecture}" for each in repeats.noise if each.too_much]
    told = f"too noisy or unknown: {', '.join(noisy[:3])}{', …' if len(noisy) > 3 else ''}" if noisy else "quiet enough"
    false = [each for each in repeats.again if each.word in ("larger", "smaller")]
    itself = f"; differs from itself in {', '.join(spoken(each.measure) for each in false)}" if false else ""
    return [f"controls {counts}; the machine: {told}{itself}"]


# --- the page ---------------------------------------------------------------------------------------------------------


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
        command=shlex.join(asked.command),
        controlled=CONTROLLED,
        noise_rule=NOISE_RULE,
        counted_words=counted_words,
    )


def counted_words(comparisons: Sequence[Comparison]) -> str:
    """How many of them say what: "3 differ, 1 shows no difference, 2 cannot be compared"."""
    counts = Counter(it.word for it in comparisons)
    differ, same = counts["larger"] + counts["smaller"], counts["no difference shown"]
    refused = counts["not comparable"]
    parts = [f"{differ} {'differs' if differ == 1 else 'differ'}"] if differ else []
    parts += [f"{same} {'shows' if same == 1 else 'show'} no difference"] if same else []
    parts += [f"{refused} cannot be compared"] if refused else []
    return ", ".join(parts)


def counted_tables(repeats: Repeats) -> dict[str, tuple[Table, Table]]:
    """By measure that counts something, the headline first, its first blocks and the rest; what is 0 is left out."""
    asked = repeats.asked
    others = (it for it in asked.measures if it != asked.headline and _counts(it) and _any(repeats, it))
    return {measure: _counts_of(repeats, measure) for measure in (asked.headline, *others)}


def _counts(measure: str) -> bool:
    return measure in MEASURES and MEASURES[measure].sort in ("loss", "count", "book")


def _any(repeats: Repeats, measure: str) -> bool:
    return any(shot.values.get(measure) for block in repeats.of_kind("fault") for shot in block.shots)


def _counts_of(repeats: Repeats, measure: str) -> tuple[Table, Table]:
    names = repeats.asked.architectures
    rows = tuple(
        (f"{block.number} (seed {block.seed})", *(plain_cell(block, name, measure) for name in names))
        for block in repeats.of_kind("fault")
    )
    head = ("Block", *names)
    return Table(head, rows[:AT_ONCE]), Table(head, rows[AT_ONCE:])


def asked_on(repeats: Repeats) -> dict[str, str]:
    """With which versions, and on which machines if there were several."""
    machines = [name for name in repeats.machines if name]
    return repeats.asked.versions | ({"machines": ", ".join(machines)} if machines else {})


def left_out(repeats: Repeats) -> list[tuple[Block, str, str]]:
    """Everything that was to be a fault and is none: the block, the architecture ("": all of it), and why."""
    found = []
    for block in repeats.of_kind("fault"):
        if block.error:
            found.append((block, "", block.error))
        found += [(block, shot.architecture, shot.doubt) for shot in block.shots if shot.doubt]
    return found


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
