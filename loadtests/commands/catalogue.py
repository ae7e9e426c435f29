"""`twinshop list`: what there is to run, on what, and what can be done to it."""

from collections.abc import Mapping

import click

from loadtests.commands.options import DEBUG_OPTION, JSON_OPTION
from loadtests.running.console import json_text, tell
from shared.errors import UsageError

WIDTH = 100
Lines = Mapping[str, str]
"""A sentence by name."""


@click.command(
    "list",
    epilog="""\b
Examples:
  twinshop list availability                    one family of scenarios
  twinshop list faults                          all that can be broken
  twinshop list cookie                          whatever has that word in its name or sentence
""",
)
@click.argument("word", metavar="[FAMILY|WORD]", default="")
@JSON_OPTION
@DEBUG_OPTION
def catalogue(word: str, as_json: bool) -> None:
    """What there is, a line each: scenarios by family, architectures, balancers, faults, checks, measures, …"""
    families, others = _with(word, _families()), _with(word, _others())
    # A whole group, where the word is its name: `list faults` means no scenario that speaks of faults.
    if word in families:
        families, others = {word: families[word]}, {}
    elif word in others:
        families, others = {}, {word: others[word]}
    if not families and not others:
        raise UsageError(f"nothing here is called {word!r}, or speaks of it", next_step="twinshop list")
    if as_json:
        tell(json_text({"schema": 1, "scenarios": families, **others}))
        return
    for name, rows in families.items():
        _show(f"scenarios: {name}", rows)
    for title, rows in others.items():
        _show(title, rows)


def _with(word: str, groups: Mapping[str, Lines]) -> dict[str, dict[str, str]]:
    """Whatever has that word in its name or sentence, or all of a group that begins so; the others are left out."""
    held = ((title, name, says) for title, rows in groups.items() for name, says in rows.items())
    found: dict[str, dict[str, str]] = {}
    for title, name, says in held:
        if title.startswith(word) or word.lower() in f"{name} {says}".lower():
            found.setdefault(title, {})[name] = says
    return found


def _show(title: str, rows: Lines) -> None:
    from loadtests.report.tables import Table, Text

    tell(click.style(title, bold=True))
    tell(Text(indent=2, width=WIDTH).write(Table(("", ""), tuple(rows.items()))))
    tell("")


def _families() -> dict[str, dict[str, str]]:
    from loadtests.planning.scenario_file import all_scenarios

    families: dict[str, dict[str, str]] = {}
    for scenario in sorted(all_scenarios(), key=lambda it: (it.family, it.name)):
        families.setdefault(scenario.family, {})[scenario.name] = scenario.question
    return families


def _others() -> dict[str, dict[str, str]]:
    from compose.architectures import ARCHITECTURES
    from compose.balancers import BALANCERS
    from loadtests.behaviours import BEHAVIOURS
    from loadtests.checks import CHECKS, MEASURES
    from loadtests.faults import FAULTS

    return {
        "architectures": {name: architecture.summary for name, architecture in ARCHITECTURES.items()},
        "balancers": {name: f"{balancer.title} ({balancer.version})" for name, balancer in BALANCERS.items()},
        "faults": {kind: fault.sentence for kind, fault in sorted(FAULTS.items())},
        "checks": {check.kind: check.rule for check in CHECKS.values()},
        "measures": {name: measure.definition for name, measure in MEASURES.items()},
        "behaviours": {name: behaviour.sentence for name, behaviour in BEHAVIOURS.items()},
    }
