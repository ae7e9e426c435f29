"""*Did the experiment happen?* The fault's steps and the counts that must agree, architecture by architecture."""

from collections.abc import Callable

import msgspec

from loadtests.faults.words import victim_in_words
from loadtests.model.application import can_of
from loadtests.model.measures import NOT_MEASURED
from loadtests.model.results import ArchitectureResult, ExperimentStep, Results
from loadtests.report.evidence import Evidence, Story

STICKY = ("cookie", "hash", "address")
"""By these a balancer leads a shopper to the same node again, so that it knows who was at risk."""
STEPS = {
    "planned": "planned",
    "injected": "injected",
    "observed": "observed from outside",
    "not_observed": "not observed",
    "healed": "healed",
    "observed_healed": "observed healed",
    "not_healed": "not healed",
    "nothing_there": "nothing there to break",
    "spared": "not made here",
}


Cell = tuple[str, str]
"""A text and its mark, which is "good", "bad" or ""."""


class Experiment(msgspec.Struct, frozen=True):
    """What must hold before anything is believed, and both tables."""

    statements: dict[str, bool]
    """Each sentence, and whether it holds."""
    steps: dict[tuple[int, str], tuple[str, ...]]
    """By fault and step: when it was taken, in each architecture."""
    counts: dict[str, dict[str, Cell]]
    """By a key of the page's definitions and by architecture: what was counted, or a statement."""
    nothing_there: tuple[tuple[str, str], ...]
    """(architecture, why there was nothing to strike)."""


def experiment(evidence: Evidence, results: Results) -> Experiment:
    """The section's content."""
    counts = _counts(evidence, results.architectures)
    return Experiment(
        statements=_seen(results) | _agree(counts) | _looked_at(results),
        steps=_steps(results),
        counts=counts,
        nothing_there=tuple(
            (name, why)
            for name, story in evidence.stories.items()
            for why in dict.fromkeys(fault.nothing_there for fault in story.run.faults if fault.nothing_there)
        ),
    )


AGREE = {
    "at-risk-by-balancer": "Victim and balancer agree on who was at risk, wherever the balancer can know it",
    "books": "The books balance: every action, every shopper and every unit of goods is somewhere",
    "reconciled": "The logs of shoppers, balancer and nodes have the same requests",
}
"""By the count that says so; in the order in which they are said."""


def _seen(results: Results) -> dict[str, bool]:
    """Whether the faults happened."""
    if not any(result.experiment for result in results.architectures.values()):
        return {}
    unseen = [name for name, result in results.architectures.items() if not _happened(result.experiment)]
    text = "Each fault was seen from outside of what caused it, and seen to be over if it was to end"
    return {f"{text}{_but(unseen)}.": not unseen}


def _happened(steps: tuple[ExperimentStep, ...]) -> bool:
    """Each fault was seen (or there was nothing to break, or it was not made here), and none was seen to stay."""
    taken: dict[int, set[str]] = {}
    for step in steps:
        taken.setdefault(step.fault, set()).add(step.step)
    seen = all(names & {"observed", "nothing_there", "spared"} for names in taken.values())
    return bool(taken) and seen and not any(names & {"not_observed", "not_healed"} for names in taken.values())


def _agree(counts: dict[str, dict[str, Cell]]) -> dict[str, bool]:
    found = {}
    for definition, text in AGREE.items():
        if definition in counts:
            wrong = [name for name, (_, mark) in counts[definition].items() if mark == "bad"]
            found[f"{text}{_but(wrong)}."] = not wrong
    return found


def _looked_at(results: Results) -> dict[str, bool]:
    """Whether the audit saw everybody: who could not be looked at is no zero."""
    unseen = [name for name, result in results.architectures.items() if result.users.undecided]
    return {f"Everybody could be looked at in the last audit{_but(unseen)}.": not unseen}


def _but(names: list[str]) -> str:
    return f": not so in {', '.join(names)}" if names else ""


def _steps(results: Results) -> dict[tuple[int, str], tuple[str, ...]]:
    all_steps = [(step.fault, step.step) for result in results.architectures.values() for step in result.experiment]
    # A step of another version, which has no place among these, comes last.
    order = sorted(set(all_steps), key=lambda pair: (pair[0], list(STEPS).index(pair[1]) if pair[1] in STEPS else 99))
    measured = results.architectures.values()
    return {
        (fault, STEPS.get(name, name)): tuple(_when(result, fault, name) for result in measured)
        for fault, name in order
    }


def _when(result: ArchitectureResult, fault: int, name: str) -> str:
    step = next((it for it in result.experiment if (it.fault, it.step) == (fault, name)), None)
    return f"{victim_in_words(step.victim)} at {step.at_ms / 1000:.3f} s" if step else "–"


def _counts(evidence: Evidence, measured: dict[str, ArchitectureResult]) -> dict[str, dict[str, Cell]]:
    # Without any fault nobody was at risk, and three rows of zeros would look as if somebody had been asked.
    shown = (OF_FAULTS if any(result.experiment for result in measured.values()) else {}) | OF_ALL
    return {
        definition: {name: read(result, evidence.stories[name]) for name, result in measured.items()}
        for definition, read in shown.items()
    }


def _by_balancer(result: ArchitectureResult, story: Story) -> Cell:
    count = result.reconciliation.at_risk_by_balancer
    if count is None:
        return "–", ""
    if story.run.affinity not in STICKY:
        return f"{count:,}", ""
    agrees = count == result.at_risk
    return (f"{count:,}, agrees", "good") if agrees else (f"{count:,}, does not agree", "bad")


def _books(result: ArchitectureResult, _: Story) -> Cell:
    return ("balance", "good") if result.books_balance else ("do not balance", "bad")


def _reconciled(result: ArchitectureResult, _: Story) -> Cell:
    logs = result.reconciliation
    guests = f", beside them {logs.guests:,} by people with browsers" if logs.guests else ""
    can = can_of(result.facts)
    nodes = f"{logs.nodes:,}" if can.logs_requests else "not measured"
    balancer = f"{logs.balancer:,}" if can.behind_our_balancer else "not measured"
    counts = f"shoppers {logs.client:,}, balancer {balancer}, nodes {nodes}{guests}"
    if logs.mismatch_count:
        return f"{counts}: {logs.mismatch_count:,} not explained", "bad"
    return f"{counts}: every one accounted for", "good"


Read = Callable[[ArchitectureResult, Story], Cell]
OF_FAULTS: dict[str, Read] = {
    "at-risk": lambda it, _: (NOT_MEASURED if it.at_risk is None else f"{it.at_risk:,}", ""),
    "at-risk-by-balancer": _by_balancer,
    "served-by-victim": lambda it, _: (f"{it.served_by_victim:,}", ""),
}
OF_ALL: dict[str, Read] = {
    "logged-out": lambda it, _: (f"{it.logged_out.shoppers:,} of {it.shoppers:,}", ""),
    "before-fault": lambda it, _: (f"{it.logged_out_before_fault:,}", ""),
    "more-than-once": lambda it, _: (f"{it.logged_out.more_than_once:,}", ""),
    "facts": lambda it, _: (f"{it.facts_checked:,}", ""),
    "books": _books,
    "reconciled": _reconciled,
}
"""How each count is read."""
