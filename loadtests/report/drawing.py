"""What charts are made of: a few shapes, drawn as one SVG by `templates/chart.svg.j2`.

Drawn here and not by Altair + vl-convert, by measurement: the twelve time charts of one run (four architectures, 60
shoppers, 12 s) took vl-convert 1.2 s of CPU and came out as 649 KB, more than the whole report may have; these take
0.01 s and 74 KB. Besides, those are pictures of a fixed width, whose labels are 5 px high on a phone, and 104 MB of
dependencies. Here `x` is a share of the width (percent, or 10,000ths inside a `Region`)
and `y` is pixels: the chart follows the page, its letters keep the page's size at any zoom, and its colours are the
page's variables, light and dark.
"""

import msgspec

from loadtests.report.tables import Table

UNITS = 10_000
"""The width of a `Region` in its own units."""


class Shape(msgspec.Struct, frozen=True):
    """Anything that can be drawn; `css` is its class in report.css."""

    css: str

    @property
    def kind(self) -> str:
        """Which of those below, for the template."""
        return type(self).__name__.lower()


class Region(Shape, frozen=True):
    """Filled or stroked outlines, stretched to the chart's width: x in 10,000ths of it, y in px from `top`."""

    path: str
    top: float
    height: float


class Box(Shape, frozen=True):
    """An upright rectangle; x and width in percent, y and height in px."""

    x: str
    y: float
    width: str
    height: float


class Line(Shape, frozen=True):
    """A straight line; x in percent, y in px."""

    x1: str
    y1: float
    x2: str
    y2: float


class Label(Shape, frozen=True):
    """A few words; `anchor` is start, middle or end."""

    x: str
    y: float
    text: str
    anchor: str = "start"


class Mark(Shape, frozen=True):
    """One of the page's symbols (`m-circle`, `m-square`, …), centred on a point."""

    symbol: str
    x: str
    y: float


AnyShape = Region | Box | Line | Label | Mark


class Key(msgspec.Struct, frozen=True):
    """One line of a chart's key: a swatch of that class, and what it means."""

    css: str
    text: str


class Chart(msgspec.Struct, frozen=True):
    """A chart with all that goes with it."""

    id: str
    title: str
    finding: str
    """What one sees, in one sentence."""
    description: str
    """What is drawn, for those who cannot see it."""
    height: float
    shapes: tuple[AnyShape, ...]
    key: tuple[Key, ...]
    table: Table
    """The numbers behind it."""
    css: str = ""
    """`stateful` or `stateless`: the colour of its data."""
    of: str = ""
    """The architecture that it shows, where a figure has a chart for each."""
    about: str = ""
    """What that architecture is, where it is shown first."""


class SmallMultiples(msgspec.Struct, frozen=True):
    """The same chart of each architecture, side by side on one scale, so that the eye compares.

    Title, key and table stand once.
    """

    id: str
    title: str
    text: str
    """What is drawn, for a reader who sees it for the first time."""
    charts: tuple[Chart, ...]
    timed: bool = True
    """Their x is time, from 0 to the end of the longest run."""
    missing: str = ""
    """Which architectures have no such chart, and why."""

    @property
    def key(self) -> tuple[Key, ...]:
        """Of all charts, each entry once."""
        return tuple(dict.fromkeys(entry for chart in self.charts for entry in chart.key))

    @property
    def columns(self) -> int:
        """How many stand side by side where there is room: rows of the same length, if there can be."""
        count = len(self.charts)  # where neither 4 nor 3 divides it: seven are 4 + 3, five are 3 + 2
        return next((n for n in (4, 3) if count % n == 0), 4 if count > 6 else min(count, 3))


def percent(share: float) -> str:
    """A share of the width as an SVG length: 0.5 is "50%". Two decimals: 1.3 ms in a run of 13 s."""
    return f"{min(max(share, 0.0), 1.0) * 100:.2f}".rstrip("0").rstrip(".") + "%"


def three_digits(number: float) -> str:
    """Three digits that say something, and never an exponent: 0.123, 12.3, 1,230."""
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def rectangle(left: int, top: float, right: int, bottom: float) -> str:
    """The path of a rectangle."""
    return f"M{left} {top:g}H{right}V{bottom:g}H{left}Z"
