"""What is drawn in lanes: sessions and answers by node, the memory of nodes and stores, bytes on the way."""

from loadtests.report.evidence import Story
from loadtests.report.step_chart import LaneChart, Lanes, most_in, summed
from loadtests.session_model.causes import IN_NODES


def _sessions_held(story: Story) -> Lanes:
    """How many sessions each node held; nothing where nodes hold none, or nobody looked."""
    if not (story.run.store in IN_NODES and story.samples):
        return {}
    ends = [sample.at_us for sample in story.samples[1:]] + [max(story.end_us, story.samples[-1].at_us)]
    lanes: Lanes = {}
    for node in story.node_names():
        hit = [fault.start_us for fault in story.faults if fault.victim == node]
        steps = lanes[node] = []
        for sample, end in zip(story.samples, ends, strict=True):
            if node in sample.sessions:
                # What a node held before it was hit says nothing about the time after, up to the next sample.
                until = min((at for at in hit if sample.at_us < at < end), default=end)
                steps.append((sample.at_us, until, sample.sessions[node]))
    return lanes


def _sessions_finding(story: Story, lanes: Lanes) -> str:
    on_nodes = [fault for fault in story.faults if fault.victim in lanes]
    # Of several faults no single "before" and "after" would be true.
    if len(on_nodes) != 1:
        held = ", ".join(f"{node} {max(steps[-1][2], 0)}" for node, steps in lanes.items() if steps)
        return f"At the end the nodes held: {held}."
    fault = on_nodes[0]
    steps = lanes[fault.victim]
    before = [count for start, _, count in steps if start < fault.start_us and count >= 0]
    after = [count for start, _, count in steps if start > fault.start_us and count >= 0]
    last = before[-1] if before else 0
    text = f"{fault.victim} held {last} session{'' if last == 1 else 's'} just before it was hit"
    if not after:
        return text + " and was not seen holding any again."
    return f"{text}; once it was back {after[0]} at first, {after[-1]} at the end."


def _answers_given(story: Story) -> Lanes:
    # By `get`: to ask a defaultdict for a node makes an entry of it.
    return {node: summed(story.answers.get(node, {}), story.bucket_us) for node in story.node_names()}


def _answers_finding(_: Story, lanes: Lanes) -> str:
    totals = {node: sum(count for _, _, count in steps) for node, steps in lanes.items()}
    total = sum(totals.values())
    if not total:
        return "No node answered."
    return f"Shares of {total:,} answers: {', '.join(f'{node} {count / total:.0%}' for node, count in totals.items())}."


def _memory_used(story: Story) -> Lanes:
    """Resident memory of each part, in MiB; nothing if it was not sampled."""
    looks = [look for look in story.used if look.at_us >= 0]  # before the window is before the axis
    ends = [look.at_us for look in looks[1:]] + [story.end_us]
    nodes = story.node_names()
    parts = [part for part in nodes if any(part in look.usage for look in looks)]
    parts += sorted({part for look in looks for part in look.usage} - set(nodes))
    lanes = {
        part: [
            (look.at_us, max(end_us, look.at_us), round(look.usage[part].memory_bytes / 2**20))
            for look, end_us in zip(looks, ends, strict=True)
            if part in look.usage
        ]
        for part in parts
    }
    return lanes if most_in(lanes) else {}


def _memory_finding(_: Story, lanes: Lanes) -> str:
    first = sum(steps[0][2] for steps in lanes.values())
    last = sum(steps[-1][2] for steps in lanes.values())
    return f"All parts together: {first:,} MiB at the first look, {last:,} MiB at the last."


def _bytes_sent(story: Story) -> Lanes:
    """Nothing if nothing was sent."""
    sent, received = (summed(of, story.bucket_us) for of in (story.cookie_bytes, story.body_bytes))
    lanes = {"cookies sent": sent, "bodies": received}
    return lanes if most_in(lanes) else {}


def _bytes_finding(story: Story, _: Lanes) -> str:
    sent, received = (sum(found.values()) for found in (story.cookie_bytes, story.body_bytes))
    return f"{sent:,} bytes of cookies were sent, and {received:,} bytes of bodies came back."


SESSIONS = LaneChart(
    "nodes",
    "Sessions by node",
    "How many logged-in sessions each node remembers.",
    _sessions_held,
    _sessions_finding,
    description="One lane for each node: logged-in sessions held in its memory, over time; all lanes have the same "
    "scale, up to {highest}.",
    level="logged-in sessions held in its memory",
    counted="sessions",
    missing="their nodes hold no sessions, or were not looked at",
)
ANSWERS = LaneChart(
    "answers",
    "Answers by node",
    "How many answers each node gave.",
    _answers_given,
    _answers_finding,
    description="One lane for each node: answers given in each half second, over time; all lanes have the same scale, "
    "up to {highest}.",
    level="answers given in each half second",
    counted="answers",
)
MEMORY = LaneChart(
    "memory",
    "Memory",
    "What nodes and stores held in memory, all their processes together.",
    _memory_used,
    _memory_finding,
    description="One lane for each node and store: resident memory of all its processes over time; all lanes have the "
    "same scale, up to {highest} MiB.",
    level="resident memory, in MiB; a gap: the part was dead",
    counted="MiB",
    unit=" MiB",
)
BYTES = LaneChart(
    "bytes",
    "Bytes sent and received",
    "Cookies on the way there, bodies on the way back.",
    _bytes_sent,
    _bytes_finding,
    description="One lane for the Cookie headers of all requests and one for the bodies of all answers, summed over "
    "half seconds or longer, by the time of the answer; all have the same scale, up to {highest:,} bytes.",
    level="bytes in each half second, or in each bar if it is wider",
    counted="bytes",
    unit=" B",
)
