"""The claims that people make of stateful and stateless shops, and what the matrix' numbers say of them.

`claims.toml` has each claim, the cases in which it is tried, and a rule for each case. True in all of them is
confirmed, in none refuted; true in some and not in others depends, whatever the rest would say. Otherwise, what was not
run is still missing. No verdict is written anywhere: other numbers give others.
"""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from loadtests.campaigns.cells import Cell, Place
from loadtests.campaigns.jobs import TIMES
from loadtests.model.formulas import is_true, names_in
from loadtests.model.wording import number
from shared.errors import ScenarioError

FILE = Path(__file__).parent / "claims.toml"

# --- a rule over measured cells: "[node-kill/sticky-memory/logged_out] > 0" -------------------------------------------
# In brackets stands one number of one cell: scenario, architecture, and a measure (or shoppers, nodes, at_risk). The
# language is that of `loadtests.model.formulas`.


REFERENCE = re.compile(r"\[([a-z0-9-]+)/([a-z0-9-]+)/([a-z0-9_]+)\]")
OF_THE_RUN = ("shoppers", "nodes", "at_risk")  # numbers of a cell that are no measures


class Missing(LookupError):
    """A number that a rule needs is not there; says why."""


class Reference(msgspec.Struct, frozen=True):
    """One number of one cell."""

    scenario: str
    architecture: str
    measure: str

    @property
    def name(self) -> str:
        """As it stands in a rule."""
        return f"[{self.scenario}/{self.architecture}/{self.measure}]"

    def value(self, cells: Mapping[Place, Cell]) -> float:
        """Its value.

        Raises:
            Missing: the cell was not run, is inconclusive, or has no such number.
        """
        cell = cells.get((self.scenario, self.architecture))
        where = f"{self.scenario} on {self.architecture}"
        if cell is None or not cell.was_run:
            raise Missing(f"{where} was not run")
        if cell.word == "inconclusive":
            raise Missing(f"{where} is inconclusive")
        if self.measure in OF_THE_RUN:
            return float(getattr(cell, self.measure))
        if self.measure not in cell.measures:
            raise Missing(f"{where} has no {self.measure}")
        return cell.measures[self.measure]


def references(text: str) -> tuple[Reference, ...]:
    """The numbers that a rule or a sentence names, each once, in order."""
    return tuple(dict.fromkeys(Reference(*found) for found in REFERENCE.findall(text)))


def holds(rule: str, cells: Mapping[Place, Cell]) -> bool:
    """Whether it holds.

    Raises:
        Missing: a number that it needs is not there, or it compares times of different machines.
        ValueError: it is no rule.
    """
    named = references(rule)
    values = {reference.name: reference.value(cells) for reference in named}
    # Two machines are two speeds: what differs could be they. Counts hardly depend on speed.
    times = [cells[it.scenario, it.architecture] for it in named if it.measure in TIMES]
    if len({cell.machine for cell in times}) > 1:
        where = ", ".join(f"{cell.scenario} on {cell.architecture}" for cell in times)
        raise Missing(f"the times of {where} were measured on different machines")
    return is_true(rule, values)


def with_numbers(text: str, cells: Mapping[Place, Cell]) -> str:
    """A sentence with its numbers.

    Raises:
        Missing: one of them is not there.
    """
    return REFERENCE.sub(lambda found: number(Reference(*found.groups()).value(cells)), text)


# --- the claims -------------------------------------------------------------------------------------------------------


class ClaimCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One architecture or setting in which a claim is tried."""

    name: str
    """What it is tried on, so that "it holds for …" can be said of it."""
    holds: str
    """The rule: true if the claim is true in this case. See above."""
    says: str
    """The measured numbers, in a clause that says nothing of true or not."""

    def scenarios(self) -> list[str]:
        """The scenarios whose numbers it names, in order."""
        return [reference.scenario for reference in references(f"{self.holds} {self.says}")]


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that people say."""

    id: str
    """C1 … C18."""
    claim: str
    """The sentence, as it is usually made."""
    case: tuple[ClaimCase, ...]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    claim: tuple[Claim, ...]


def read_claims(content: bytes, *, file: str) -> tuple[Claim, ...]:
    """The claims in these bytes.

    Raises:
        ScenarioError: they cannot be read, or a rule is none; says which.
    """
    try:
        claims = msgspec.toml.decode(content, type=_File).claim
        for claim in claims:
            for case in claim.case:
                # With any numbers: a rule that cannot be read is told now, and not when the matrix has run for an hour.
                is_true(case.holds, dict.fromkeys(names_in(case.holds), 1.0))
    except (msgspec.DecodeError, ValueError) as error:
        raise ScenarioError(f"{file}: {error}", next_step=f"fix {file}") from error
    return claims


def all_claims() -> tuple[Claim, ...]:
    """The claims that come with Twinshop."""
    return read_claims(FILE.read_bytes(), file=str(FILE))


ClaimWord = Literal["confirmed", "refuted", "depends", "not decided"]


class Tried(msgspec.Struct, frozen=True):
    """One case, and how it came out."""

    case: ClaimCase
    holds: bool | None
    """None: something that it needs was not measured."""
    says: str = ""
    """The clause with its numbers."""
    missing: str = ""
    """What was not measured."""


class Decision(msgspec.Struct, frozen=True):
    """A claim and what is to be said of it."""

    claim: Claim
    word: ClaimWord
    sentence: str
    cases: tuple[Tried, ...]


def decide_all(claims: Iterable[Claim], cells: Mapping[Place, Cell]) -> tuple[Decision, ...]:
    """Each claim decided from these cells."""
    return tuple(decide(claim, cells) for claim in claims)


def decide(claim: Claim, cells: Mapping[Place, Cell]) -> Decision:
    """One claim decided from these cells."""
    cases = tuple(_try(case, cells) for case in claim.case)
    word = _word([case.holds for case in cases])
    return Decision(claim, word, _sentence(word, cases), cases)


def _try(case: ClaimCase, cells: Mapping[Place, Cell]) -> Tried:
    try:
        return Tried(case, holds(case.holds, cells), with_numbers(case.says, cells))
    except Missing as missing:
        return Tried(case, None, missing=str(missing))


def _word(outcomes: Sequence[bool | None]) -> ClaimWord:
    known = {outcome for outcome in outcomes if outcome is not None}
    if known == {True, False}:  # whatever is still missing: no case makes it hold everywhere any more
        return "depends"
    if None in outcomes or not known:
        return "not decided"
    return "confirmed" if known == {True} else "refuted"


def _sentence(word: ClaimWord, cases: Sequence[Tried]) -> str:
    true = _listed([case for case in cases if case.holds is True], "and")
    false = _listed([case for case in cases if case.holds is False], "or")
    parts = []
    if true:
        parts.append(f"It holds for {true}")
    if false:
        parts.append(f"{'it does not' if true else 'It does not hold'} for {false}")
    if word == "not decided":
        parts.append(_still_to_run(cases))
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _listed(cases: Sequence[Tried], word: str) -> str:
    texts = [f"{case.case.name} ({case.says})" for case in cases]
    return texts[0] if len(texts) == 1 else f" {word} ".join((", ".join(texts[:-1]), texts[-1])) if texts else ""


def _still_to_run(cases: Sequence[Tried]) -> str:
    undecided = [case for case in cases if case.holds is None]
    scenarios = dict.fromkeys(scenario for it in undecided for scenario in it.case.scenarios())
    words = [word for scenario in scenarios for word in ("--scenario", scenario)]
    missing = "; ".join(dict.fromkeys(case.missing for case in undecided))
    return f"not decided yet, because {missing}: run {shlex.join(['twinshop', 'matrix', *words])}"
