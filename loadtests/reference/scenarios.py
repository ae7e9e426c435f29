"""The pages of all scenarios (question, story, what is broken, set and predicted), and of the pairs that show cures."""

from collections.abc import Iterator

from loadtests.faults.contract import Cure
from loadtests.model.scenario import FaultSpec, Scenario, as_set
from loadtests.planning.cures import CURES, shown_on, switch
from loadtests.planning.scenario_file import all_scenarios
from loadtests.reference.markdown import code, page, table


def scenarios() -> str:
    """docs/reference/scenarios.md."""
    families: dict[str, list[Scenario]] = {}
    for scenario in all_scenarios():
        families.setdefault(scenario.family, []).append(scenario)
    parts = []
    for name in sorted(families):
        parts.append(f"## {name.capitalize()}")
        parts += [part for scenario in families[name] for part in _scenario(scenario) if part]
    count = sum(map(len, families.values()))
    return page(
        "Scenarios",
        f"{count} questions in {len(families)} families. Each was predicted before it was run; `twinshop matrix` puts "
        "predicted beside measured. One file each in [`loadtests/scenarios`](../../loadtests/scenarios). "
        "[How to write one](../how-to/write-a-scenario.md); [where the formulas come from]"
        "(../explanation/closed-forms.md).",
        *parts,
    )


def _scenario(scenario: Scenario) -> Iterator[str]:
    yield f"### {scenario.name}"
    yield f"**{scenario.question}** {' '.join(scenario.story.split())}".strip()
    load = scenario.load
    facts = [f"{load.shoppers} shoppers, {load.seconds:g} s, {scenario.nodes} nodes"]
    if load.behaviour != "shop":
        facts.append(f"behaviour {code(load.behaviour)}")
    if load.addresses:
        facts.append(f"from {load.addresses} address{'es' if load.addresses > 1 else ''}")
    facts += [_fault(fault) for fault in scenario.fault]
    facts += [code(as_set(name, value)) for name, value in scenario.settings.items()]
    yield "; ".join(facts) + "."
    yield table(
        ("architecture", "predicted"),
        [(code(name), _predicted(scenario.expect.get(name, {}))) for name in scenario.architectures]
        + [(code(name), f"not asked: {why}") for name, why in scenario.without.items()],
    )


def _fault(fault: FaultSpec) -> str:
    until = "the end" if fault.heal_after_s is None else f"{fault.at_s + fault.heal_after_s:g} s"
    victim = "" if fault.victim == "any" else f" of {fault.victim}"
    return f"[{fault.kind}](faults.md){victim} from {fault.at_s:g} s to {until}"


def _predicted(expected: dict[str, str]) -> str:
    return ", ".join(f"{code(measure)} {_said(text)}" for measure, text in expected.items()) or "nothing"


def _said(text: str) -> str:
    # Relations and ranges are written out in the file; a bare formula means "equals", which a table must say.
    return code(text if text.strip()[0] in "<>=" else f"= {text}" if ".." not in text else f"in {text}")


def cures() -> str:
    """docs/how-to/cures.md."""
    known = {scenario.name: scenario for scenario in all_scenarios()}
    parts = [part for cure in CURES for part in _cure(cure, known[cure.before], known[cure.after])]
    return page(
        "Cures, and what they cost",
        "Most losses have a cure, which is a switch; each is shown by two scenarios that differ in it. Run both, for "
        "example `twinshop matrix --scenario two-tabs --scenario two-tabs-lock`. The predictions below were written "
        "before anything was run; the matrix shows what was measured.",
        *parts,
    )


def _cure(cure: Cure, before: Scenario, after: Scenario) -> Iterator[str]:
    yield f"## {cure.loss.rstrip('.')}"
    yield f"**Cure:** {switch(cure, before, after)}. **Price:** {cure.price}"
    measure = cure.measure or before.headline
    rows = [
        (code(name), _foreseen(before, name, measure), _foreseen(after, cure.instead or name, measure))
        for name in shown_on(cure, before, after)
    ]
    link = "[{0}](../reference/scenarios.md#{0})"
    # The cure of some losses is another architecture: then its column is about that one.
    heads = (code(measure), link.format(before.name), link.format(after.name))
    yield table(heads if not cure.instead else (*heads[:2], f"{heads[2]} on {code(cure.instead)}"), rows)


def _foreseen(scenario: Scenario, architecture: str, measure: str) -> str:
    text = scenario.expect.get(architecture, {}).get(measure, "")
    return code(text) if text else "not predicted"
