"""A claim as it is usually made, and the cases in which it is tried. Read from `claims.toml`, strictly."""

from __future__ import annotations

from pathlib import Path

import msgspec

from loadtests.campaigns.claims.rule import references
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
                is_true(case.holds, dict.fromkeys(names_in(case.holds), 1.0))
    except (msgspec.DecodeError, ValueError) as error:
        raise ScenarioError(f"{file}: {error}", next_step=f"mend {file}") from error
    return claims


def all_claims() -> tuple[Claim, ...]:
    """The claims that come with Twinshop."""
    return read_claims(FILE.read_bytes(), file=str(FILE))
