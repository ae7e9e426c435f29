"""Sessions by node over time, a lane for each node; for nodes that hold no sessions, the answers each gave."""

from __future__ import annotations

from loadtests.report.axis import FOOT, TimeAxis, frame, lanes
from loadtests.report.drawing import Chart, Key
from loadtests.report.series import Story
from loadtests.report.step_chart import LANE, Steps, lane, most_and_last, steps_table

ANSWERS_US = 500_000
"""Answers are counted by half seconds."""


def sessions_by_node(story: Story, axis: TimeAxis, bucket_us: int) -> Chart:
    """The chart of one architecture."""
    sampled = story.sessions_in_nodes and bool(story.samples)
    series = _sessions(story) if sampled else _answers(story, bucket_us)
    highest = max((count for steps in series.values() for _, _, count in steps), default=0)
    top = lanes(axis, story.faults) + 2
    bottom = top + LANE * len(series)
    shapes = frame(axis, story.faults, top=top, bottom=bottom)
    for number, (node, steps) in enumerate(series.items()):
        shapes.extend(lane(most_and_last(node, steps), steps, axis, top + number * LANE, max(highest, 1)))
    what = "logged-in sessions held in its memory" if sampled else "answers given in each half second"
    key = [Key("level held", what)]
    if any(count < 0 for steps in series.values() for _, _, count in steps):
        key.append(Key("level silent", "the node did not answer"))
    return Chart(
        id=f"chart-nodes-{story.name}",
        title="Sessions by node" if sampled else "Answers by node (nodes hold no sessions here)",
        finding=_sessions_finding(story, series) if sampled else _answers_finding(series),
        description=f"One lane for each node: {what}, over time; all lanes have the same scale, up to {highest}.",
        height=bottom + FOOT,
        shapes=tuple(shapes),
        key=tuple(key),
        table=steps_table(series, axis, "sessions" if sampled else "answers"),
        css=story.css,
    )


def _sessions(story: Story) -> dict[str, Steps]:
    ends = [sample.at_us for sample in story.samples[1:]] + [max(story.end_us, story.samples[-1].at_us)]
    series: dict[str, Steps] = {}
    for node in story.node_names():
        hit = [fault.start_us for fault in story.faults if fault.victim == node]
        steps = series[node] = []
        for sample, end in zip(story.samples, ends, strict=True):
            if node in sample.sessions:
                # What a node held before it was hit says nothing about the time after, up to the next sample.
                until = min((at for at in hit if sample.at_us < at < end), default=end)
                steps.append((sample.at_us, until, sample.sessions[node]))
    return series


def _answers(story: Story, bucket_us: int) -> dict[str, Steps]:
    width = max(ANSWERS_US, bucket_us)
    series: dict[str, Steps] = {}
    for node in story.node_names():
        counts: dict[int, int] = {}
        for bucket, count in story.answers.get(node, {}).items():
            wide = bucket * bucket_us // width
            counts[wide] = counts.get(wide, 0) + count
        series[node] = [(wide * width, (wide + 1) * width, count) for wide, count in sorted(counts.items())]
    return series


def _sessions_finding(story: Story, series: dict[str, Steps]) -> str:
    on_nodes = [fault for fault in story.faults if fault.victim in series]
    if len(on_nodes) != 1:
        held = ", ".join(f"{node} {max(steps[-1][2], 0)}" for node, steps in series.items() if steps)
        return f"At the end the nodes held: {held}."
    fault = on_nodes[0]
    steps = series[fault.victim]
    before = [count for start, _, count in steps if start < fault.start_us and count >= 0]
    after = [count for start, _, count in steps if start > fault.start_us and count >= 0]
    text = f"{fault.victim} held {before[-1] if before else 0} sessions at the last look before it was hit"
    if not after:
        return text + " and was not seen holding any again."
    return f"{text}; after it was back it held {after[0]} at first and {after[-1]} at the end."


def _answers_finding(series: dict[str, Steps]) -> str:
    totals = {node: sum(count for _, _, count in steps) for node, steps in series.items()}
    total = sum(totals.values())
    if not total:
        return "No node answered."
    shares = ", ".join(f"{node} {count / total:.0%}" for node, count in totals.items())
    return f"Any node can serve anybody; share of the {total:,} answers: {shares}."
