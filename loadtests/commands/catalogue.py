"""`twinshop list`: what there is to run, on what, and what can be done to it."""

from __future__ import annotations

import click

from loadtests.commands.options import DEBUG_OPTION, JSON_OPTION
from loadtests.telling import json_text, tell


@click.command("list")
@JSON_OPTION
@DEBUG_OPTION
def catalogue(as_json: bool) -> None:
    """The scenarios, architectures, faults and checks there are, a line each."""
    groups = _groups()
    if as_json:
        tell(json_text(groups))
        return
    width = max(len(name) for rows in groups.values() for name in rows) + 2
    for title, rows in groups.items():
        tell(click.style(title, bold=True))
        for name, what in rows.items():
            tell(f"  {name:<{width}}{what}")
        tell("")


def _groups() -> dict[str, dict[str, str]]:
    from compose.architectures import ARCHITECTURES
    from loadtests.checks import CHECKS
    from loadtests.faults import FAULTS
    from loadtests.scenario import all_scenarios

    return {
        "scenarios": {scenario.name: scenario.question for scenario in all_scenarios()},
        "architectures": {name: architecture.summary for name, architecture in ARCHITECTURES.items()},
        "faults": {kind: fault.sentence for kind, fault in FAULTS.items()},
        "checks": {check.kind: check.rule for check in CHECKS},
    }


COMMANDS = {"list": catalogue}
