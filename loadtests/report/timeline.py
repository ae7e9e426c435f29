"""The timeline: what came of the actions that were due, bucket by bucket.

Buckets go by the *planned* time, so that the bars of all architectures are equally high and only differ in what they
are made of. What went wrong stands on the baseline, where it can be compared.
"""

from collections.abc import Mapping, Sequence

from loadtests.report.axis import FOOT, TOP, TimeAxis, frame
from loadtests.report.drawing import AnyShape, Chart, Key, Line, Region, SmallMultiples, rectangle
from loadtests.report.evidence import Fate, Story
from loadtests.report.tables import Table
from shared.plurals import inflected

TITLE = "Outcome of planned actions"
PLOT = 96
"""px, the height of the highest bar."""
MOST_ROWS = 60

ORDER: tuple[tuple[Fate, str], ...] = (
    ("stranger", "answered as a stranger (logged out)"),
    ("failed", "failed"),
    ("unknown", "unknown: it may or may not have happened"),
    ("refused", "refused, with other cookies than the shopper’s own"),
    ("not_sent", "not sent: the shopper was still waiting"),
    ("ok", "ok"),
)
"""From the baseline up."""


def timelines(stories: Sequence[Story], axis: TimeAxis, bucket_us: int, settled: Mapping[str, int]) -> SmallMultiples:
    """The charts of these architectures; a full bar is as high in each.

    Args:
        stories: one each.
        axis: of all charts.
        bucket_us: the width of a bar.
        settled: by architecture, how many actions of which the shopper knew no outcome a later look settled. A chart
            shows them as unknown, the books count them as what they came to.
    """
    highest = max((sum(bucket.values()) for story in stories for bucket in story.due.values()), default=1)
    return SmallMultiples(
        "timeline",
        TITLE,
        f"Bars for every {_in_words(bucket_us)}, by the time for which an action was planned; the highest is "
        f"{highest:,} actions. What went wrong stands at the bottom.",
        tuple(_timeline(story, axis, highest, settled.get(story.name, 0)) for story in stories),
    )


def _timeline(story: Story, axis: TimeAxis, highest: int, settled: int) -> Chart:
    bottom = TOP + PLOT
    shapes: list[AnyShape] = frame(axis, story.faults, bottom=bottom)
    shapes.append(Line("grid", "0%", TOP, "100%", TOP))
    shapes.extend(_bars(story, axis, PLOT / highest))
    present = [(fate, text) for fate, text in ORDER if any(bucket.get(fate) for bucket in story.due.values())]
    return Chart(
        id=f"chart-timeline-{story.name}",
        title=TITLE,
        finding=_finding(story) + _settled(settled),
        description=f"Bars for every {_in_words(story.bucket_us)} of the load window, as high as the number of planned "
        "actions; parts: " + ", ".join(text for _, text in present) + ".",
        height=bottom + FOOT,
        shapes=tuple(shapes),
        key=tuple(Key(f"due {fate}", text) for fate, text in present),
        table=_table(story),
        css=story.css,
        of=story.name,
    )


def _in_words(bucket_us: int) -> str:
    """A bucket's width: "100 ms"."""
    return f"{bucket_us // 1000} ms" if bucket_us < 1_000_000 else f"{bucket_us // 1_000_000} s"


def _bars(story: Story, axis: TimeAxis, px: float) -> list[AnyShape]:
    paths: dict[Fate, list[str]] = {fate: [] for fate, _ in ORDER}
    for bucket, counts in sorted(story.due.items()):
        left, right = axis.unit(bucket * story.bucket_us), axis.unit((bucket + 1) * story.bucket_us)
        right -= 8  # a hairline between bars
        y = float(PLOT)  # rounded only where it is drawn, or the roundings of many parts would add up
        for fate, _ in ORDER:
            if count := counts.get(fate, 0):
                paths[fate].append(rectangle(left, round(y - count * px, 1), right, round(y, 1)))
                y -= count * px
    return [Region(f"due {fate}", "".join(path), TOP, PLOT) for fate, path in paths.items() if path]


def _finding(story: Story) -> str:
    total = sum(sum(bucket.values()) for bucket in story.due.values())
    spoiled = sum(map(_spoiled, story.due.values()))
    if not total:
        return "No action was carried out."
    if not spoiled:
        refused = sum(bucket.get("refused", 0) for bucket in story.due.values())
        other = f", {refused:,} of them refused to other cookies than the shopper’s own" if refused else ""
        return (
            f"All {total:,} planned actions went well{other}." if other else f"All {total:,} planned actions were ok."
        )
    if not story.faults:
        return f"{spoiled:,} of {total:,} planned actions were not ok, without any fault."
    inside = outside = due_inside = 0
    start, end = story.faults[0].start_us, max(fault.end_us(story.end_us) for fault in story.faults)
    for bucket, counts in story.due.items():
        wrong = _spoiled(counts)
        # The bucket in which it began counts: what was due in its rest met the fault.
        if start - story.bucket_us < bucket * story.bucket_us < end:
            inside, due_inside = inside + wrong, due_inside + sum(counts.values())
        else:
            outside += wrong
    when = "during the fault" if len(story.faults) == 1 else "from the first fault to the last one’s end"
    otherwise = f", {outside:,} of {total - due_inside:,} at other times" if total > due_inside else ""
    return f"Not ok: {inside:,} of {due_inside:,} {inflected('action', due_inside)} {when}{otherwise}."


def _settled(actions: int) -> str:
    """Why there are more unknown ones here than in the numbers."""
    return f" Unknown here, and settled by a later look in the numbers above: {actions:,}." if actions else ""


def _spoiled(counts: dict[Fate, int]) -> int:
    # Refused to a thief or to a second device that is out: the shop did what it should.
    return sum(counts.values()) - counts.get("ok", 0) - counts.get("refused", 0)


def _table(story: Story) -> Table:
    last, bucket_us = max(story.due, default=0), story.bucket_us
    step_us = max(1_000_000, bucket_us, -(-(last + 1) * bucket_us // MOST_ROWS // 1_000_000) * 1_000_000)
    rows: dict[int, dict[Fate, int]] = {}
    for bucket, counts in sorted(story.due.items()):
        row = rows.setdefault(bucket * bucket_us // step_us, {})
        for fate, count in counts.items():
            row[fate] = row.get(fate, 0) + count
    return Table(
        ("due from", *(fate.replace("_", " ") for fate, _ in reversed(ORDER))),
        tuple(
            (f"{number * step_us // 1_000_000} s", *(str(row.get(fate, 0)) for fate, _ in reversed(ORDER)))
            for number, row in sorted(rows.items())
        ),
        f"Summed over {step_us // 1_000_000} s; the chart shows {_in_words(bucket_us)}.",
    )
