"""Charts of lanes, one below the other: how much there was of something over time, drawn as steps.

Four are drawn: sessions and answers by node, the memory of nodes and stores, bytes on the way.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import msgspec

from loadtests.report.axis import FOOT, TOP, TimeAxis, frame
from loadtests.report.drawing import AnyShape, Chart, Key, Label, Line, Region, SmallMultiples, rectangle
from loadtests.report.evidence import Story
from loadtests.report.tables import Table
from shared.plurals import counted, inflected

LANE = 52
"""px a lane, of which the highest bar takes all but HEAD."""
HEAD = 18
MOST_ROWS = 40

Steps = list[tuple[int, int, int]]
"""(from, to, how many) in microseconds; -1: nobody could say."""
Lanes = dict[str, Steps]
"""By what is said in front of each lane."""

MOST_STEPS = 300
"""Of a lane: a long run's charts are no larger than others'."""
SUMMED_US = 500_000
"""Answers and bytes are summed over half seconds, or over the charts' buckets where these are wider."""


def steps_of(by_bucket: Mapping[int, int], bucket_us: int) -> Steps:
    """What was counted by bucket of that width, as steps."""
    width_us = max(SUMMED_US, bucket_us)
    counts: Counter[int] = Counter()
    for bucket, count in by_bucket.items():
        counts[bucket * bucket_us // width_us] += count
    return [(wide * width_us, (wide + 1) * width_us, count) for wide, count in sorted(counts.items())]


def most_in(lanes: Lanes) -> int:
    """The highest step of all; 0 if there is none."""
    return max((count for steps in lanes.values() for _, _, count in steps), default=0)


class LaneChart(msgspec.Struct, frozen=True):
    """Something that is drawn in lanes, for each architecture that has it."""

    id: str
    title: str
    text: str
    """What is drawn, for a reader who sees it for the first time."""
    read: Callable[[Story], Lanes]
    """No lanes: there is nothing to draw."""
    finding: Callable[[Story, Lanes], str]
    description: str
    """What is drawn, for those who cannot see it; `highest` is put in."""
    level: str
    """What the height of a step means."""
    counted: str
    """What the table counts."""
    unit: str = ""
    missing: str = ""
    """Why some have no such chart, where that is said."""

    def of_all(self, stories: list[Story], axis: TimeAxis) -> SmallMultiples:
        """The charts, all on the scale of the highest."""
        found = [(story, lanes) for story in stories if (lanes := self.read(story))]
        highest = max((most_in(lanes) for _, lanes in found), default=0)
        charts = tuple(self._chart(story, lanes, axis, highest) for story, lanes in found)
        others = [story.name for story in stories if story.name not in {chart.of for chart in charts}]
        missing = f"Not of {', '.join(others)}: {self.missing}." if others and self.missing else ""
        return SmallMultiples(self.id, self.title, self.text, charts, missing=missing)

    def _chart(self, story: Story, lanes: Lanes, axis: TimeAxis, highest: int) -> Chart:
        bottom = TOP + LANE * len(lanes)
        shapes = frame(axis, story.faults, bottom=bottom)
        for number, (name, steps) in enumerate(lanes.items()):
            said = _most_and_last(name, steps, self.unit)
            shapes.extend(_lane(said, steps, axis, TOP + number * LANE, max(highest, 1)))
        silent = any(count < 0 for steps in lanes.values() for _, _, count in steps)
        return Chart(
            id=f"chart-{self.id}-{story.name}",
            title=self.title,
            finding=self.finding(story, lanes),
            description=self.description.format(highest=highest),
            height=bottom + FOOT,
            shapes=tuple(shapes),
            key=(Key("level held", self.level), *((Key("level silent", "the node did not answer"),) if silent else ())),
            table=_steps_table(lanes, axis, self.counted),
            css=story.css,
            of=story.name,
        )


def _lane(said: str, steps: Steps, axis: TimeAxis, top: float, highest: int) -> Iterable[AnyShape]:
    """One lane, with what is said of it."""
    room = LANE - HEAD
    steps = _thinned(steps)
    held = _outline([(axis.unit(a), axis.unit(b), max(count, 0) / highest * room) for a, b, count in steps])
    # A strip at the foot: how high it was, nobody knows.
    silent = "".join(rectangle(axis.unit(a), LANE - 7, axis.unit(b), LANE) for a, b, count in steps if count < 0)
    if held:
        yield Region("level held", held, top, LANE)
    if silent:
        yield Region("level silent", silent, top, LANE)
    yield Line("axis", "0%", top + LANE, "100%", top + LANE)
    yield Label("group", "0%", top + 14, said)


def _thinned(steps: Steps) -> Steps:
    """Of too many steps, several become one, as high as the highest; what nobody could say stays so."""
    several = -(-len(steps) // MOST_STEPS)
    if several <= 1:
        return steps
    thinned: Steps = []
    for number, (start, end, count) in enumerate(steps):
        before = thinned[-1] if number % several and thinned else None
        # Only steps that touch and were both seen: a gap must not be drawn over, nor silence be taken for a height.
        if before is not None and before[1] == start and before[2] >= 0 and count >= 0:
            thinned[-1] = (before[0], end, max(before[2], count))
        else:
            thinned.append((start, end, count))
    return thinned


def _most_and_last(name: str, steps: Steps, unit: str) -> str:
    most = max((count for _, _, count in steps), default=0)
    last = steps[-1][2] if steps else 0
    return f"{name}: up to {max(most, 0):,}{unit}, end {max(last, 0):,}"


def _outline(steps: list[tuple[int, int, float]]) -> str:
    """One closed line around each run of steps that touch; steps of height 0 end a run."""
    path = ""
    end = None
    for left, right, height in steps:
        if not height:
            continue
        # A gap closes the outline and begins another, so that it stays a gap.
        if left != end:
            path += f"V{LANE}ZM{left} {LANE}" if path else f"M{left} {LANE}"
        path += f"V{LANE - height:.1f}H{right}"
        end = right
    return path + f"V{LANE}Z" if path else ""


def _steps_table(series: Lanes, axis: TimeAxis, what: str) -> Table:
    """All lanes as numbers, at round times."""
    # Whole half seconds, rounded up (the floor of what is negative is a ceiling): at most MOST_ROWS of them.
    step_us = -(-axis.end_us // MOST_ROWS // 500_000) * 500_000 or 500_000
    rows = []
    for at_us in range(0, axis.end_us, step_us):
        cells = [_at(steps, at_us) for steps in series.values()]
        rows.append((f"{at_us / 1e6:.1f} s", *cells))
    return Table(("at", *(f"{node}: {what}" for node in series)), tuple(rows), "–: no answer, or nothing to count.")


def _at(steps: Steps, at_us: int) -> str:
    return next((str(count) for start, end, count in steps if start <= at_us < end and count >= 0), "–")


# --- the four


def _sessions_held(story: Story) -> Lanes:
    """How many sessions each node held; nothing where nodes hold none, or nobody looked."""
    description = story.run.description
    if description is None or not description.in_nodes or not story.samples:
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
    text = f"{fault.victim} held {counted(last, 'session')} just before it was hit"
    if not after:
        return text + " and was not seen holding any again."
    return f"{text}; once it was back {after[0]} at first, {after[-1]} at the end."


def _answers_given(story: Story) -> Lanes:
    # By `get`: to ask a defaultdict for a node makes an entry of it.
    return {node: steps_of(story.answers.get(node, {}), story.bucket_us) for node in story.node_names()}


def _answers_finding(_: Story, lanes: Lanes) -> str:
    totals = {node: sum(count for _, _, count in steps) for node, steps in lanes.items()}
    total = sum(totals.values())
    if not total:
        return "No node answered."
    shares = ", ".join(f"{node} {count / total:.0%}" for node, count in totals.items())
    return f"Shares of {total:,} {inflected('answer', total)}: {shares}."


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
    sent, received = (steps_of(of, story.bucket_us) for of in (story.cookie_bytes, story.body_bytes))
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
