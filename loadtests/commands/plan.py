"""`twinshop plan SCENARIO`: what would happen, without doing it."""

from __future__ import annotations

import click

from loadtests.commands.options import DEBUG_OPTION


@click.command()
@click.argument("scenario")
@click.option("--shoppers", type=click.IntRange(1, 20_000), help="How many people shop.  [default: the scenario's]")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Of the plan.")
@click.option("--json", "as_json", is_flag=True, help="Print plan.json itself: its SHA-256 is the plan's name.")
@DEBUG_OPTION
def plan(scenario: str, shoppers: int | None, seed: int, as_json: bool) -> None:
    """Print what a run of SCENARIO would do and what it would cost; start nothing."""
    from loadtests.model.plan import encode_plan
    from loadtests.planning.make_plan import make_plan, plan_page
    from loadtests.planning.scenario_file import load_scenario
    from loadtests.running.console import tell

    asked = load_scenario(scenario)
    made = make_plan(asked, seed=seed, shoppers=shoppers)
    tell(encode_plan(made).decode() if as_json else plan_page(made, asked), nl=not as_json)


COMMANDS = {"plan": plan}
