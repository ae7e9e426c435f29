"""Faults in words, for sentences about a run: what was done, to whom, one after another."""

from collections.abc import Sequence

from loadtests.faults import FAULTS
from loadtests.model.plan import PlannedFault

MOST_NAMED = 3  # more victims than these are counted, not named: a sentence has at most thirty words


def victim_in_words(victim: str) -> str:
    """The victim, for reading: "n2", "the store", "the cluster"."""
    return victim if victim[1:].isdecimal() else f"the {victim}"  # n2, but not the store


def what_was_done(kind: str, victim: str) -> str:
    """As in: n2 killed; the store frozen."""
    # Of an old run's results, which may name a kind that this version does not know any more.
    done = FAULTS[kind].done if kind in FAULTS else f"hit by {kind!r}"
    return f"{victim_in_words(victim)} {done}"


def doing(faults: Sequence[PlannedFault], joint: str = "and") -> str:
    """As in: Killing n2; Restarting n1, n2 and n3; Killing n1 and freezing the store; 5 faults. "" without any."""
    victims: dict[str, list[str]] = {}
    for fault in sorted(faults, key=lambda fault: fault.at_ms):
        of_kind = victims.setdefault(fault.kind, [])
        if fault.victim not in of_kind:
            of_kind.append(fault.victim)
    if len(victims) > 2 or (len(victims) == 2 and any(len(of_kind) > MOST_NAMED for of_kind in victims.values())):
        return f"{len(faults)} faults"
    parts = [_doing(kind, of_kind, joint) for kind, of_kind in victims.items()]
    return " and ".join(part if not number else part[:1].lower() + part[1:] for number, part in enumerate(parts))


def listed(words: Sequence[str], joint: str) -> str:
    """As in: a, b and c."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"


def _doing(kind: str, victims: Sequence[str], joint: str) -> str:
    names = [victim_in_words(victim) for victim in victims]
    whom = listed(names, joint) if len(names) <= MOST_NAMED else f"{len(names)} nodes"
    return f"{FAULTS[kind].doing if kind in FAULTS else kind.capitalize() + ' of'} {whom}"
