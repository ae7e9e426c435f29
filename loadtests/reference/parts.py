"""The pages of what Twinshop is made of: architectures, faults, checks, behaviours, measures, words."""

from __future__ import annotations

from compose.architectures import ARCHITECTURES
from loadtests.behaviours import BEHAVIOURS
from loadtests.checks import CAUSES, CHECKS, MEASURES, TALLIES, Check
from loadtests.faults import FAULTS
from loadtests.faults.contract import Fault
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
        for kind in dict.fromkeys(fault.kind for fault in scenario.fault):
            users.setdefault(kind, []).append(scenario.name)
    rows = [
        (code(kind), it.sentence, it.strikes, _memory(it), _causes(it), _listed(users.get(kind, [])))
        for kind, it in _sorted()
    ]
    return page(
        "Faults",
        "What can be broken, seen to be broken, healed, and seen to be healed: one file each in "
        "[`loadtests/faults`](../../loadtests/faults). A fault that nobody saw makes its run inconclusive. "
        "[How to add one](../how-to/add-a-fault.md).",
        table(
            (
                "fault",
                "what is broken and how it is healed",
                "strikes",
                "takes memory",
                "causes",
                "scenarios",
            ),
            rows,
        ),
    )


def _sorted() -> list[tuple[str, Fault]]:
    return sorted(FAULTS.items())


def _memory(fault: Fault) -> str:
    return "yes" if fault.takes_memory else "no"


def _causes(fault: Fault) -> str:
    return ", ".join(code(cause.name) for cause in fault.causes) or "–"


def causes() -> str:
    """docs/reference/causes.md."""
    faults_of: dict[str, list[str]] = {}
    for kind, fault in _sorted():
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


def glossary() -> str:
    """docs/reference/glossary.md, of the very words that the reports show."""
    return page(
        "Glossary",
        "One word for one thing, everywhere: in the code, the files, the reports and these pages.",
        table(("word", "meaning"), GLOSSARY.items()),
        "## Losses",
        "Some break a session guarantee (Terry et al., *Session Guarantees for Weakly Consistent Replicated Data*, "
        "1994).",
        table(("loss", "when"), [(code(check.kind), check.rule + _broken(check)) for check in CHECKS.values()]),
        "## What is counted beside losses",
        table(("count", "when"), [(code(tally.name), tally.rule) for tally in TALLIES.values()]),
    )


def _broken(check: type[Check]) -> str:
    return f" Breaks *{check.breaks}*." if check.breaks else ""
