"""What the measured cells say of a claim: confirmed, refuted, depends, or not decided; and the sentence that follows.

A claim is tried in several cases. True in all of them is confirmed, in none refuted; true in some and not in others
depends, whatever the rest would say. Otherwise, what was not run is still missing.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from loadtests.campaigns.cells import Cell, Place
from loadtests.campaigns.claims.rule import Missing, holds, references, told
from loadtests.model.formulas import is_true, names_in
from shared.errors import ScenarioError

FILE = Path(__file__).parent / "claims.toml"


class ClaimCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One architecture or setting in which a claim is tried."""

    name: str
    """What it is tried on, so that "it holds for …" can be said of it."""
    holds: str
    """The rule: true if the claim is true in this case. See `loadtests.campaigns.claims.rule`."""
    says: str
    """The measured numbers, in a clause that says nothing of true or not."""


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that people say."""

    id: str
    """C1 … C18."""
    claim: str
    """The sentence, as it is usually made."""
    case: tuple[ClaimCase, ...]

    def scenarios(self) -> tuple[str, ...]:
        """The scenarios that decide it, in order."""
        texts = [text for case in self.case for text in (case.holds, case.says)]
        return tuple(dict.fromkeys(reference.scenario for text in texts for reference in references(text)))


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
    return Decision(claim, word, _sentence(claim, word, cases), cases)


def _try(case: ClaimCase, cells: Mapping[Place, Cell]) -> Tried:
    try:
        return Tried(case, holds(case.holds, cells), told(case.says, cells))
    except Missing as missing:
        return Tried(case, None, missing=str(missing))


def _word(outcomes: Sequence[bool | None]) -> ClaimWord:
    known = {outcome for outcome in outcomes if outcome is not None}
    if known == {True, False}:  # whatever is still missing: no case makes it hold everywhere any more
        return "depends"
    if None in outcomes or not known:
        return "not decided"
    return "confirmed" if known == {True} else "refuted"


def _sentence(claim: Claim, word: ClaimWord, cases: Sequence[Tried]) -> str:
    true = _listed([case for case in cases if case.holds is True], "and")
    false = _listed([case for case in cases if case.holds is False], "or")
    parts = []
    if true:
        parts.append(f"It holds for {true}")
    if false:
        parts.append(f"{'it does not' if true else 'It does not hold'} for {false}")
    if word == "not decided":
        parts.append(_still_to_run(claim, cases))
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _listed(cases: Sequence[Tried], word: str) -> str:
    texts = [f"{case.case.name} ({case.says})" for case in cases]
    return texts[0] if len(texts) == 1 else f" {word} ".join((", ".join(texts[:-1]), texts[-1])) if texts else ""


def _still_to_run(claim: Claim, cases: Sequence[Tried]) -> str:
    scenarios = dict.fromkeys(
        scenario
        for case in cases
        if case.holds is None
        for scenario in msgspec.structs.replace(claim, case=(case.case,)).scenarios()
    )
    words = [word for scenario in scenarios for word in ("--scenario", scenario)]
    missing = "; ".join(dict.fromkeys(case.missing for case in cases if case.holds is None))
    return f"not decided yet, because {missing}: run {shlex.join(['twinshop', 'matrix', *words])}"
