"""Whom the rule hits that the second use of a refresh token ends its session: thieves, or the honest."""

from loadtests.model.measures import Measure
from loadtests.model.results import ArchitectureResult

HONEST = frozenset({"refresh_race", "refresh_answer_lost"})
"""Causes of revocations in which nobody but the shopper's own browser had the token."""


def _share(result: ArchitectureResult) -> float | None:
    """None if nobody's session was ended that way: then there is nothing to share."""
    named = [set(loss.cause.split("|")) for loss in result.losses if loss.kind == "logged_out"]
    revoked = [words for words in named if words & {*HONEST, "refresh_stolen"}]
    return sum(bool(words & HONEST) for words in revoked) / len(revoked) if revoked else None


MEASURES = (
    Measure(
        "honest_revocations",
        "Of the sessions ended because a refresh token was used twice: the share in which nobody had stolen it.",
        _share,
        sort="count",
        group="Security",
        headline="share of revocations that hit honest people",
        percent=True,
        place=51,
    ),
)
