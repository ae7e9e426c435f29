"""The shopper strips: a row for each shopper, over time. Grouped by home node, so that one sees which third fell."""

from bisect import bisect_right
from collections import defaultdict

import msgspec

from loadtests.faults.words import what_was_done
from loadtests.model.results import ArchitectureResult
from loadtests.report.axis import FOOT, TOP, TimeAxis, frame
from loadtests.report.drawing import Chart, Key, Label, Region
from loadtests.report.evidence import Shopper, Story
from loadtests.report.tables import Table
from shared.plurals import inflected

ROWS = ((40, 5.0), (80, 3.0), (240, 1.2))
"""(up to so many shoppers, px a shopper): a chart is not much higher for a crowd."""
HEAD = 20
"""px above each group, for its name."""
MOST_ROWS = ROWS[-1][0]
MOST_PIECES = 6_000
"""Of all rows together, so that a long run's report is not larger than others: in one with more, what lies close
together is drawn as one."""
SEEN = 60
"""The least width of a logged-out mark, in 10,000ths: a shopper who logs in again at once must still be seen."""

KEY = (
    Key("strip shopping", "shopping (thick)"),
    Key("strip again", "shopping again after a logout (thin)"),
    Key("strip trouble", "no service: failed, unknown or not sent (dotted)"),
    Key("strip out", "logged out (block)"),
)
STATES = ("trouble", "shopping", "again", "out")
"""In the order in which they are painted."""


class ShopperRow(msgspec.Struct, frozen=True):
    """One shopper to be drawn."""

    number: int
    shopper: Shopper
    logouts_us: tuple[int, ...]

    @property
    def order(self) -> tuple[float, ...]:
        """Those who fell first on top, then by the time of the first login."""
        logins = self.shopper.logins_us
        return (*(times[0] if times else float("inf") for times in (self.logouts_us, logins)), self.number)

    def states(self, end_us: int, apart_us: int = 0) -> list[tuple[str, int, int]]:
        """What the shopper was doing, from the first login to the end: (state, from, to).

        What went wrong less than `apart_us` after the same had gone wrong is one with it.
        """
        logins, trouble = self.shopper.logins_us, _joined(self.shopper.trouble, apart_us)
        if not logins:
            return [("trouble", start, end) for start, end in trouble]
        # A logout lasts to the next acknowledged login, of which there may be none.
        ends = [bisect_right(logins, at) for at in self.logouts_us]
        out = [(at, logins[n] if n < len(logins) else end_us) for at, n in zip(self.logouts_us, ends, strict=True)]
        out = _joined(out, apart_us)
        states = [("out", start, end) for start, end in out]
        states += [("trouble", start, end) for start, end in trouble]
        at = logins[0]
        # With the end as a span of no length, which closes the last stretch of shopping.
        for start, end in sorted([*out, *trouble, (end_us, end_us)]):
            if start > at:
                states.append(("again" if self.logouts_us and at >= self.logouts_us[0] else "shopping", at, start))
            at = max(at, end)  # a logout and an outage may overlap
        return states


def _joined(spans: list[tuple[int, int]], apart_us: int) -> list[tuple[int, int]]:
    if not apart_us:
        return spans
    joined = spans[:1]
    for start, end in spans[1:]:
        if start - joined[-1][1] < apart_us:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def strips(story: Story, result: ArchitectureResult, axis: TimeAxis) -> Chart:
    """The chart of one architecture."""
    groups = _groups(story, result)
    shown = _thin_out(groups)
    px = next((px for most, px in ROWS if sum(map(len, shown.values())) <= most), ROWS[-1][1])
    bottom = TOP + sum(HEAD + px * len(rows) for rows in shown.values())
    how_many = _how_many(groups, shown)
    shapes = frame(axis, story.faults, bottom=bottom)
    apart_us = _apart_us(story, shown)
    shapes.extend(_rows(story, shown, axis, px, apart_us))
    y = float(TOP)
    for home, rows in shown.items():
        shapes.append(Label("group", "0%", y + 14, _group_name(home, groups[home])))
        y += HEAD + px * len(rows)
    return Chart(
        id=f"chart-strips-{story.name}",
        title="Every shopper, one row each",
        finding=_finding(story, result, groups),
        description=f"{how_many}, grouped by the node that had answered last before the fault. "
        "A row is thick while its shopper shops, dotted without service, a block at a logout and thin after it.",
        height=bottom + FOOT,
        shapes=tuple(shapes),
        key=(
            *KEY,
            *([Key("", how_many)] if shown is not groups else []),
            *([Key("", f"less than {apart_us / 1e6:.1f} s apart is drawn as one")] if apart_us else []),
        ),
        table=_table(groups),
        css=f"{story.css} rows-of-{px:.0f}",
        of=story.name,
        about=story.run.description.summary if story.run.description else "",
    )


def _groups(story: Story, result: ArchitectureResult) -> dict[str, list[ShopperRow]]:
    """Rows by home node, in the nodes' order; in each, those who fell first on top."""
    logouts: dict[int, list[int]] = defaultdict(list)
    for loss in result.losses:
        if loss.kind == "logged_out":
            logouts[loss.shopper].append(round(loss.at_ms * 1000))
    groups: dict[str, list[ShopperRow]] = defaultdict(list)
    for number, shopper in story.shoppers.items():
        groups[shopper.home].append(ShopperRow(number, shopper, tuple(sorted(logouts[number]))))
    order = [*story.node_names(), ""]
    return {home: sorted(groups[home], key=lambda row: row.order) for home in order if home in groups}


def _thin_out(groups: dict[str, list[ShopperRow]]) -> dict[str, list[ShopperRow]]:
    """At most MOST_ROWS rows, evenly taken from each group."""
    total = sum(len(rows) for rows in groups.values())
    if total <= MOST_ROWS:
        return groups
    # From sorted rows, so that the shares of those who fell and of those who did not stay what they are.
    every = -(-total // MOST_ROWS)
    return {home: rows[::every] for home, rows in groups.items()}


def _apart_us(story: Story, groups: dict[str, list[ShopperRow]]) -> int:
    """How far apart things must be to be drawn apart: 0, unless there are too many."""
    apart_us = 0
    while sum(len(row.states(story.end_us, apart_us)) for rows in groups.values() for row in rows) > MOST_PIECES:
        if apart_us > story.end_us:
            break
        apart_us = 2 * apart_us or 1 + story.end_us // 2000  # from a 2,000th of the chart on: less than a pixel
    return apart_us


def _how_many(groups: dict[str, list[ShopperRow]], shown: dict[str, list[ShopperRow]]) -> str:
    total, drawn = (sum(map(len, rows.values())) for rows in (groups, shown))
    if drawn == total:
        return "One row for each shopper"
    return f"Rows for {drawn:,} of {total:,} shoppers, evenly taken from each group"


def _rows(story: Story, groups: dict[str, list[ShopperRow]], axis: TimeAxis, px: float, apart_us: int) -> list[Region]:
    """All rows as one stroked outline for each state: a few KB for 60 shoppers, where a shape for each would be 60."""
    paths: dict[str, list[str]] = {state: [] for state in STATES}
    y = 0.0
    for rows in groups.values():
        y += HEAD
        for row in rows:
            for state, start_us, end_us in row.states(story.end_us, apart_us):
                left, right = axis.unit(start_us), axis.unit(end_us)
                if state == "out":
                    right = max(right, left + SEEN)
                if right > left:
                    paths[state].append(f"M{left} {y + px / 2:g}H{right}")
            y += px
    return [Region(f"strip {state}", "".join(path), TOP, y) for state, path in paths.items() if path]


def _group_name(home: str, rows: list[ShopperRow]) -> str:
    fallen = sum(1 for row in rows if row.logouts_us)
    return f"{home or 'never answered'}: {fallen:,} of {len(rows):,} logged out"


def _finding(story: Story, result: ArchitectureResult, groups: dict[str, list[ShopperRow]]) -> str:
    fallen, unseen = result.logged_out.shoppers, result.users.undecided
    shoppers = f"{result.shoppers:,} {inflected('shopper', result.shoppers)}"
    if not fallen:
        but = f", as far as anybody saw: {unseen:,} could not be looked at" if unseen else ""
        return f"None of the {shoppers} was logged out{but}."
    text = f"{fallen:,} of {shoppers} {inflected('was', fallen, 'were')} logged out"
    if not story.faults:
        return text + ", without any fault."
    first = story.faults[0]
    if len(story.faults) > 1 or first.victim not in groups:
        return f"{text}, {result.logged_out_before_fault:,} of them before anything was broken on purpose."
    mine = sum(1 for row in groups[first.victim] if row.logouts_us)
    share = "all" if mine == fallen else f"{mine:,}"
    done = what_was_done(first.kind, first.victim).removeprefix(f"{first.victim} ")
    return f"{text}; {share} of them had been served by {first.victim} just before it was {done}."


def _table(groups: dict[str, list[ShopperRow]]) -> Table:
    rows = [
        (
            str(row.number),
            home or "–",
            str(len(row.logouts_us)),
            f"{row.logouts_us[0] / 1e6:.2f} s" if row.logouts_us else "–",
            str(row.shopper.not_ok),
        )
        for home, members in groups.items()
        for row in members
    ]
    cut = (
        f"{len(rows) - MOST_ROWS:,} more rows are not listed: history.ndjson has them all."
        if len(rows) > MOST_ROWS
        else ""
    )
    return Table(
        ("shopper", "home node", "logouts", "first logout", "planned actions not ok"), tuple(rows[:MOST_ROWS]), cut
    )
