"""The pages of what Twinshop is made of: architectures, faults, checks, behaviours, measures, words."""

from compose.architectures import ARCHITECTURES
from loadtests.behaviours import BEHAVIOURS
from loadtests.checks import CAUSES, CHECKS, MEASURES, TALLIES
from loadtests.faults import FAULTS
from loadtests.planning.scenario_file import all_scenarios
from loadtests.reference.markdown import code, page, table
from loadtests.report.glossary import GLOSSARY


def architectures() -> str:
    """docs/reference/architectures.md."""
    rows = [
        (code(it.name), code(it.app), it.store, it.affinity, str(it.replicas or "–"), it.summary)
        for it in ARCHITECTURES.values()
    ]
    return page(
        "Architectures",
        "An architecture is a shop, where its sessions live, and how the balancer picks the node. They are data, in "
        "[`compose/architectures.py`](../../compose/architectures.py). "
        "[How to add one](../how-to/add-an-architecture.md).",
        table(("architecture", "shop", "sessions", "affinity", "replicas", "in a sentence"), rows),
    )


def faults() -> str:
    """docs/reference/faults.md."""
    users: dict[str, list[str]] = {}
    for scenario in all_scenarios():
        # A scenario that strikes twice with one kind is still one scenario.
        for kind in dict.fromkeys(fault.kind for fault in scenario.fault):
            users.setdefault(kind, []).append(scenario.name)
    rows = [
        (
            code(kind), it.sentence, it.strikes, "yes" if it.takes_memory else "no",
            ", ".join(code(cause.name) for cause in it.causes) or "–", _listed(users.get(kind, [])),
        )
        for kind, it in sorted(FAULTS.items())
    ]  # fmt: skip
    return page(
        "Faults",
        "What can be broken, seen to be broken, healed, and seen to be healed: one file each in "
        "[`loadtests/faults`](../../loadtests/faults). A fault that nobody saw makes its run inconclusive. "
        "[How to add one](../how-to/add-a-fault.md).",
        table(("fault", "what is broken and how it is healed", "strikes", "takes memory", "causes", "scenarios"), rows),
    )


def causes() -> str:
    """docs/reference/causes.md."""
    faults_of: dict[str, list[str]] = {}
    for kind, fault in sorted(FAULTS.items()):
        for cause in fault.causes:
            faults_of.setdefault(cause.name, []).append(f"[{kind}](faults.md)")
    rows = [
        (code(name), meaning, ", ".join(faults_of.get(name, [])) or "–") for name, meaning in sorted(CAUSES.items())
    ]
    return page(
        "Causes",
        "Why something was lost: each loss has one of these words, or several that were needed together (`+`), or "
        "alternatives (`|`). A word is only named if, by the model of session life, the same answer would have known "
        "the shopper without it: [how a loss is explained](../explanation/causes.md). A fault's own file says what it "
        "can be the cause of. [What the numbers mean](results.md).",
        table(("cause", "meaning", "faults it can come from"), rows),
    )


def _listed(names: list[str]) -> str:
    return ", ".join(f"[{name}](scenarios.md#{name})" for name in names) or "–"


def checks() -> str:
    """docs/reference/checks.md."""
    return page(
        "Checks",
        "What accuses, and when. A check reads the history and names losses, each with a cause and a witness; a tally "
        "counts what is no loss and still happened. One file each in [`loadtests/checks`](../../loadtests/checks). "
        "[How to add one](../how-to/add-a-loss.md). [What the numbers mean](results.md).",
        "## Losses",
        table(("loss", "when"), [(code(check.kind), check.rule) for check in CHECKS.values()]),
        "## Tallies",
        table(("tally", "when"), [(code(tally.name), tally.rule) for tally in TALLIES.values()]),
    )


def behaviours() -> str:
    """docs/reference/behaviours.md."""
    users: dict[str, list[str]] = {}
    for scenario in all_scenarios():
        users.setdefault(scenario.load.behaviour, []).append(scenario.name)
    rows = [
        (code(name), it.sentence, ", ".join(sorted(it.uses)) or "–", f"{it.pace:g}", _listed(users.get(name, [])))
        for name, it in BEHAVIOURS.items()
    ]
    return page(
        "Behaviours",
        'What shoppers do: `behaviour = "…"` below `[load]` in a scenario. One file each in '
        "[`loadtests/behaviours`](../../loadtests/behaviours).",
        table(("behaviour", "what these shoppers do", "also does", "actions a pause", "scenarios"), rows),
    )


def measures() -> str:
    """docs/reference/measures.md."""
    return page(
        "Measures",
        "What a scenario can predict, and what stands in the matrix. A prediction is a number or a formula (met "
        "exactly, or within half a unit if it does not come out whole), a relation, or a range; see "
        "[how to write a scenario](../how-to/write-a-scenario.md). [Where each number comes from](results.md); "
        "[how to add one](../how-to/add-a-measure.md).",
        table(
            ("measure", "counts as", "unit", "better", "definition"),
            [(code(name), it.sort, it.unit, it.better or "–", it.definition) for name, it in MEASURES.items()],
        ),
    )


_BESIDE = {
    "application": "What is under test: one of the twins, or anybody’s web application, described in one file.",
    "campaign": "Many runs under one question: a matrix, repeats, conformance.",
    "effect": "What a fault does to sessions, in a small closed vocabulary.",
    "episode": "A part of the lesson: a scenario whose faults people make, with a prediction before it.",
    "finding": "A refuted prediction whose cause is known; or what a balancer does and its documentation does not say.",
    "grade": (
        "How much can be seen of an application: A, by shoppers, balancer and nodes; B, by shoppers and balancer; "
        "C, by shoppers alone."
    ),
    "guest": "A person with a browser in the shops of a workshop; in no shopper’s books.",
    "round": "A run of a workshop: two architectures at the same time, and people who choose the faults.",
    "scenario": "One file: a question, a load, its faults, and what is predicted.",
    "session life": (
        "Where a session is held, since when, when it was last written, until when it is good, and what ended it."
    ),
    "twins": "The two shops, which differ in one file: stateful_app and stateless_app.",
}
"""What these pages speak of, and a run's report does not."""


def glossary() -> str:
    """docs/reference/glossary.md: the very words that the reports show, and those of the other pages."""
    losses = [(code(it.kind), it.rule + (f" Breaks *{it.breaks}*." if it.breaks else "")) for it in CHECKS.values()]
    return page(
        "Glossary",
        "One word for one thing, everywhere: in the code, the files, the reports and these pages.",
        table(("word", "meaning"), GLOSSARY.items()),
        "## Words that no report needs",
        table(("word", "meaning"), _BESIDE.items()),
        "## Losses",
        "Some break a session guarantee (Terry et al., *Session Guarantees for Weakly Consistent Replicated Data*, "
        "1994).",
        table(("loss", "when"), losses),
        "## What is counted beside losses",
        table(("count", "when"), [(code(tally.name), tally.rule) for tally in TALLIES.values()]),
    )
