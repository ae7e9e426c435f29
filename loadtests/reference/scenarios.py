"""What the pages of all scenarios say, and of the pairs that show cures."""

from collections.abc import Iterator

from loadtests.model.scenario import FaultSpec, Scenario, as_set
from loadtests.planning.cures import CURES, shown_on, switch
from loadtests.planning.scenario_file import all_scenarios
from loadtests.report.markdown_pages import code, table
from shared.plurals import counted


def families() -> dict[str, list[Scenario]]:
    """All scenarios, by family."""
    found: dict[str, list[Scenario]] = {}
    for scenario in sorted(all_scenarios(), key=lambda it: it.family):
        found.setdefault(scenario.family, []).append(scenario)
    return found


def facts(scenario: Scenario) -> Iterator[str]:
    """Its load, what is broken, and what is set."""
    load = scenario.load
    yield f"{counted(load.shoppers, 'shopper')}, {load.seconds:g} s, {counted(scenario.nodes, 'node')}"
    if load.behaviour != "shop":
        yield f"behaviour {code(load.behaviour)}"
    if load.addresses:
        yield f"from {counted(load.addresses, 'address', 'addresses')}"
    yield from map(_fault, scenario.fault)
    yield from (code(as_set(name, value)) for name, value in scenario.settings.items())


def predictions(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """A row for each architecture: what is predicted of it, or why it is not asked."""
    yield from ((code(name), _predicted(scenario.expect.get(name, {}))) for name in scenario.architectures)
    yield from ((code(name), f"not asked: {why}") for name, why in scenario.without.items())


def _fault(fault: FaultSpec) -> str:
    until = "the end" if fault.heal_after_s is None else f"{fault.at_s + fault.heal_after_s:g} s"
    victim = "" if fault.victim == "any" else f" of {fault.victim}"
    return f"[{fault.kind}](faults.md){victim} from {fault.at_s:g} s to {until}"


def _predicted(expected: dict[str, str]) -> str:
    return ", ".join(f"{code(measure)} {_said(text)}" for measure, text in expected.items()) or "nothing"


def _said(text: str) -> str:
    # Relations and ranges are written out in the file; a bare formula means "equals", which a table must say.
    return code(text if text.strip()[0] in "<>=" else f"= {text}" if ".." not in text else f"in {text}")


def cures() -> Iterator[dict[str, object]]:
    """Each cure, its switch, and a table of what is predicted without it and with it."""
    known = {scenario.name: scenario for scenario in all_scenarios()}
    link = "[{0}](../reference/scenarios.md#{0})"
    for cure in CURES:
        before, after = known[cure.before], known[cure.after]
        measure = cure.measure or before.headline
        # The cure of some losses is another architecture: then its column is about that one.
        instead = f" on {code(cure.instead)}" if cure.instead else ""
        rows = (
            (code(name), _foreseen(before, name, measure), _foreseen(after, cure.instead or name, measure))
            for name in shown_on(cure, before, after)
        )
        heads = (code(measure), link.format(before.name), link.format(after.name) + instead)
        yield {"cure": cure, "switch": switch(cure, before, after), "predicted": table(heads, rows)}


def _foreseen(scenario: Scenario, architecture: str, measure: str) -> str:
    text = scenario.expect.get(architecture, {}).get(measure, "")
    return code(text) if text else "not predicted"
