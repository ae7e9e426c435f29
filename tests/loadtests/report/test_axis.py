import pytest

from loadtests.report.axis import TimeAxis, frame
from loadtests.report.drawing import Box, Line
from tests.loadtests.stories import fault

AXIS = TimeAxis(12_500_000, 12_000_000)
BAND = fault("n2", "kill", 5_000_000, 5_030_000, 8_000_000, 9_000_000)


def test_moments_lie_within_50_ms_of_where_they_belong() -> None:
    for at_us in (0, 5_002_123, 8_910_777, 12_499_999):
        assert abs(AXIS.unit(at_us) / 10_000 * AXIS.end_us - at_us) < 50_000


def test_nothing_is_drawn_outside() -> None:
    assert AXIS.share(-900_000) == 0
    assert AXIS.share(99_000_000) == 1


@pytest.mark.parametrize("seconds", [1, 5, 12.5, 60, 600, 7200])
def test_there_are_a_few_round_ticks(seconds: float) -> None:
    ticks = TimeAxis(int(seconds * 1e6), int(seconds * 1e6)).ticks()
    assert 2 <= len(ticks) <= 7


def test_a_band_has_four_lines() -> None:
    shapes = frame(AXIS, (BAND,), bottom=100)
    assert [shape.width for shape in shapes if isinstance(shape, Box)] == ["32%"]
    lines = [shape.css for shape in shapes if isinstance(shape, Line) and shape.css.startswith("fault")]
    assert lines == ["fault injected", "fault observed", "fault healed", "fault observed-healed"]


def test_a_fault_that_was_never_seen_lasts_to_the_end() -> None:
    shapes = frame(AXIS, (fault("n2", "kill", 5_000_000),), bottom=100)
    assert [shape.width for shape in shapes if isinstance(shape, Box)] == ["60%"]
