"""What a person sees when the repeats have ended: one sentence, the pairs, the controls, what to do next."""

from __future__ import annotations

import shlex
from pathlib import Path

from loadtests.campaigns.repeats.compare import extent
from loadtests.campaigns.repeats.repeats import PAGE, Comparison, Kind, Repeats
from loadtests.model.measures import spoken
from loadtests.report.tables import Table, Text

_HEAD = ("measure", "pair", "per fault", "difference", "how sure", "word")
_MOST = 60  # letters of a list of measures; the page names them all
_KINDS: dict[Kind, str] = {"no-fault": "without faults", "placebo": "placebo", "again": "A against A"}


def summary(repeats: Repeats, folder: Path, *, report: str = "") -> str:
    """The answer, the table of pairs, the controls and the next commands. Plain text.

    `report`: where the report is, if `folder` is gone by the time that somebody reads this.
    """
    asked = repeats.asked
    faults = len(repeats.of_kind("fault"))
    return "\n".join((
        repeats.answer,
        "",
        Text().write(Table(_HEAD, tuple(_row(each) for each in repeats.comparisons))),
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
    return ", ".join(names) if len(", ".join(names)) <= _MOST else f"{len(names)} measures"


def _controls(repeats: Repeats) -> list[str]:
    counts = ", ".join(f"{len(repeats.of_kind(kind))} {words}" for kind, words in _KINDS.items())
    noisy = [f"{spoken(each.measure)} of {each.architecture}" for each in repeats.noise if each.too_much]
    told = f"too noisy or unknown: {', '.join(noisy[:3])}{', …' if len(noisy) > 3 else ''}" if noisy else "quiet enough"
    false = [each for each in repeats.again if each.word in ("larger", "smaller")]
    itself = f"; differs from itself in {', '.join(spoken(each.measure) for each in false)}" if false else ""
    return [f"controls {counts}; the machine: {told}{itself}"]
