"""Sessions by node over time, and the answers that each node gave: a lane for each node."""

from __future__ import annotations

from loadtests.report.axis import TimeAxis
from loadtests.report.drawing import Chart, Key
from loadtests.report.series import Story
from loadtests.report.step_chart import Lanes, stacked, steps_table, summed

HELD, GIVEN = "logged-in sessions held in its memory", "answers given in each half second"


def sessions_held(story: Story) -> Lanes:
    """How many sessions each node held; nothing where nodes hold none, or nobody looked."""
    if not (story.sessions_in_nodes and story.samples):
        return {}
    ends = [sample.at_us for sample in story.samples[1:]] + [max(story.end_us, story.samples[-1].at_us)]
    series: Lanes = {}
    for node in story.node_names():
        hit = [fault.start_us for fault in story.faults if fault.victim == node]
        steps = series[node] = []
        for sample, end in zip(story.samples, ends, strict=True):
            if node in sample.sessions:
                # What a node held before it was hit says nothing about the time after, up to the next sample.
                until = min((at for at in hit if sample.at_us < at < end), default=end)
                steps.append((sample.at_us, until, sample.sessions[node]))
    return series


def sessions_by_node(story: Story, series: Lanes, axis: TimeAxis, highest: int) -> Chart:
    """The chart of one architecture whose nodes hold sessions."""
    shapes, height = stacked(series, axis, story.faults, highest)
    silent = any(count < 0 for steps in series.values() for _, _, count in steps)
    return Chart(
        id=f"chart-nodes-{story.name}",
        title="Sessions by node",
        finding=_sessions_finding(story, series),
        description=f"One lane for each node: {HELD}, over time; all lanes have the same scale, up to {highest}.",
        height=height,
        shapes=shapes,
        key=(Key("level held", HELD), *((Key("level silent", "the node did not answer"),) if silent else ())),
        table=steps_table(series, axis, "sessions"),
        css=story.css,
        of=story.name,
    )


def answers_given(story: Story, bucket_us: int) -> Lanes:
    """How many answers each node gave, by half seconds."""
    # By `get`: to ask a defaultdict for a node makes an entry of it.
    return {node: summed(story.answers.get(node, {}), bucket_us) for node in story.node_names()}


def answers_by_node(story: Story, series: Lanes, axis: TimeAxis, highest: int) -> Chart:
    """The chart of one architecture."""
    shapes, height = stacked(series, axis, story.faults, highest)
    return Chart(
        id=f"chart-answers-{story.name}",
        title="Answers by node",
        finding=_answers_finding(series),
        description=f"One lane for each node: {GIVEN}, over time; all lanes have the same scale, up to {highest}.",
        height=height,
        shapes=shapes,
        key=(Key("level held", GIVEN),),
        table=steps_table(series, axis, "answers"),
        css=story.css,
        of=story.name,
    )


def _sessions_finding(story: Story, series: Lanes) -> str:
    on_nodes = [fault for fault in story.faults if fault.victim in series]
    # Of several faults no single "before" and "after" would be true.
    if len(on_nodes) != 1:
        held = ", ".join(f"{node} {max(steps[-1][2], 0)}" for node, steps in series.items() if steps)
        return f"At the end the nodes held: {held}."
    fault = on_nodes[0]
    steps = series[fault.victim]
    before = [count for start, _, count in steps if start < fault.start_us and count >= 0]
    after = [count for start, _, count in steps if start > fault.start_us and count >= 0]
    last = before[-1] if before else 0
    text = f"{fault.victim} held {last} session{'' if last == 1 else 's'} just before it was hit"
    if not after:
        return text + " and was not seen holding any again."
    return f"{text}; once it was back {after[0]} at first, {after[-1]} at the end."


def _answers_finding(series: Lanes) -> str:
    totals = {node: sum(count for _, _, count in steps) for node, steps in series.items()}
    total = sum(totals.values())
    if not total:
        return "No node answered."
    return f"Shares of {total:,} answers: {', '.join(f'{node} {count / total:.0%}' for node, count in totals.items())}."
