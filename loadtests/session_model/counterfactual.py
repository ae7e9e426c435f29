"""The smallest set of factors without which the same answer would have known the shopper, or shown the cart.

    harms(nothing thought away)  ->  the layer: only what is sure, if that suffices to explain the loss, else everything
    factors of all harms met     ->  candidates
    subsets, fewest settings first, then smallest   ->  the first size at which some set leaves no harm: all such sets

Each set is minimal, as no smaller one of its kind suffices; several of the same size are alternatives. Harms are given
as a function of what is thought away, so that this module knows nothing of stores, faults or times.
"""

from collections.abc import Callable, Sequence
from itertools import combinations, groupby

import msgspec

from loadtests.session_model.circumstances import NOTHING, Circumstances, Factor, Harm, Without

MOST_FACTORS = 12
"""So many are thought away in every combination; more never met one session in any run."""

Harms = Callable[[Without], list[Harm]]
"""What harms there are while those factors are thought away; none: the shopper would have been known."""


class Explanation(msgspec.Struct, frozen=True):
    """Sets of harms, each of which alone explains the loss if its factors are thought away; none: nothing does."""

    alternatives: tuple[tuple[Harm, ...], ...] = ()

    @property
    def cause(self) -> str:
        """The words: members of a set joined by "+", in order of time; alternatives by "|"; equal ones once."""
        words = ["+".join(dict.fromkeys(harm.word for harm in harms)) for harms in self.alternatives]
        return "|".join(dict.fromkeys(words)) or "unexplained"

    @property
    def members(self) -> tuple[tuple[int, Harm], ...]:
        """All of them, with the number of the alternative that each belongs to."""
        return tuple((number, harm) for number, harms in enumerate(self.alternatives) for harm in harms)


UNEXPLAINED = Explanation()


def explain_by(harms: Harms) -> Explanation:
    """What explains that there are harms at all.

    What only may have happened is left out where what surely happened suffices: it is not needed.
    """
    for sure_only in (True, False):

        def in_layer(without: Without, sure_only: bool = sure_only) -> list[Harm]:
            return [harm for harm in harms(without) if harm.sure or not sure_only]

        if in_layer(NOTHING):
            return Explanation(tuple(_named(best, in_layer) for best in _smallest(in_layer)))
    return UNEXPLAINED


def _smallest(harms: Harms) -> list[Without]:
    """The sets without which there is no harm: of those with the fewest settings the smallest, all of that size."""
    # Settings stand first, so that alternatives of one size come in the order of these and then of the others.
    candidates = sorted(_candidates(harms), key=lambda factor: factor.kind != "setting")
    sizes = range(1, len(candidates) + 1)
    sets = sorted((frozenset(some) for size in sizes for some in combinations(candidates, size)), key=_rank)
    of_a_rank = ([chosen for chosen in alike if not harms(chosen)] for _, alike in groupby(sets, key=_rank))
    return next(filter(None, of_a_rank), [])


def _rank(chosen: Without) -> tuple[int, int]:
    # Fewest settings first: that memory is not shared is always true, and would explain every loss of the architecture.
    return sum(factor.kind == "setting" for factor in chosen), len(chosen)


def _candidates(harms: Harms) -> Sequence[Factor]:
    """Every factor that some harm has, also those that only show when others are thought away."""
    known: dict[Factor, None] = {}
    ahead: list[Without] = [NOTHING]
    while ahead and len(known) < MOST_FACTORS:
        without = ahead.pop()
        for harm in harms(without):
            if harm.factor not in known and len(known) < MOST_FACTORS:
                known[harm.factor] = None
                # Alone, and with all found so far: some harms show only once another is out of the way.
                ahead += [frozenset({harm.factor}), frozenset(known)]
    return tuple(known)


def _named(chosen: Without, harms: Harms) -> tuple[Harm, ...]:
    """Each member with the word and the time of the harm that is left when only the others are thought away."""
    named = []
    for factor in chosen:
        left = harms(chosen - {factor})
        its = [harm for harm in left if harm.factor == factor] or [harm._replace(factor=factor) for harm in left]
        named.append(min(its, key=lambda harm: (harm.at_us, harm.word)))
    # The fault's number last: of two at one moment the order must not be that of a set, which differs by process.
    return tuple(sorted(named, key=lambda harm: (*_place(harm), harm.factor.kind, harm.factor.fault or 0)))


def _place(harm: Harm) -> tuple[bool, int, str]:
    return harm.factor.kind == "setting", harm.at_us, harm.word


def counterfactual_in_words(explanation: Explanation, around: Circumstances, what: str, lifetime: str = "") -> str:
    """The counterfactual as a sentence without its first capital: "without killing n2 at 4.0 s, ...".

    Args:
        explanation: what is thought away.
        around: tells the faults' names.
        what: what would have been, as in "this session was good until 3,604.0 s".
        lifetime: when that began, for an explanation that time is part of.
    """
    if not explanation.alternatives:
        return ""
    sets = [" and ".join(_thought_away(harm, around, lifetime) for harm in harms) for harms in explanation.alternatives]
    return f"without {', or without '.join(dict.fromkeys(sets))}, {what}"


def seconds(at_us: int) -> str:
    """A time of the window, for reading: "3,604.0 s"."""
    return f"{at_us / 1e6:,.1f} s"


def _thought_away(harm: Harm, around: Circumstances, lifetime: str) -> str:
    if harm.factor.kind == "fault":
        return f"{around.done_to(harm.factor)} at {seconds(harm.at_us)}"
    if harm.factor.kind == "time":
        return f"the end of its lifetime at {seconds(harm.at_us)}{lifetime}"
    phrase = PHRASES.get(harm.word, harm.word.replace("_", " "))
    return phrase if harm.at_us < 0 else f"{phrase} at {seconds(harm.at_us)}"


PHRASES = {
    "other_node": "being answered by a node that does not hold it",
    "memory_cap": "the cap on the sessions that a node keeps in its memory",
    "worker": "several processes in a node",
    "affinity_lost": "the browser's loss of the balancer's cookie",
    "held_for_dead": "the balancer's taking its node for dead",
    "not_revoked": "a session that travels with the shopper and that no node asks about",
    "node_not_told": "nodes that do not tell each other of a session's end",
    "written_back": "the request under way that wrote it again",
    "fixation": "a login that keeps the session's id",
    "cookie_too_large": "the limit of 4,096 bytes on a cookie",
    "refreshed_by_slow_page": "the slow page that saved the session as it had been",
    "request_repeated": "the second sending of one request",
    "key_ignored": "a shop that makes a second order for a key that it has seen",
    "overlapping_write": "the write that overlapped it",
}
"""What is thought away that is no fault, for a sentence that begins "without"."""
