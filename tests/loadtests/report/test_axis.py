import pytest

from loadtests.report.axis import TimeAxis, frame, lanes
from loadtests.report.drawing import Box, Label, Line
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
    assert 2 <= len(ticks) <= 8


def test_a_band_has_four_lines_and_two_labels() -> None:
    shapes = frame(AXIS, (BAND,), top=20, bottom=100)
    assert [shape.width for shape in shapes if isinstance(shape, Box)] == ["32%"]
    lines = [shape.css for shape in shapes if isinstance(shape, Line) and shape.css.startswith("fault")]
    assert lines == ["fault injected", "fault observed", "fault healed", "fault observed-healed"]
    words = [shape.text for shape in shapes if isinstance(shape, Label) and shape.y < 40]
    assert words == ["n2 killed", "n2 back", "audit"]


def test_a_fault_that_was_never_seen_says_so_and_lasts_to_the_end() -> None:
    band = fault("n2", "kill", 5_000_000)
    shapes = frame(AXIS, (band,), top=20, bottom=100)
    assert "n2 killed (not seen)" in [shape.text for shape in shapes if isinstance(shape, Label)]
    assert [shape.width for shape in shapes if isinstance(shape, Box)] == ["60%"]


def test_labels_that_would_touch_get_rows_of_their_own() -> None:
    near = fault("n3", "kill", 5_200_000, 5_300_000, 8_000_000, 9_100_000, number=1)
    assert lanes(AXIS, (BAND, near)) > lanes(AXIS, (BAND,))
    labels = [shape for shape in frame(AXIS, (BAND, near), top=50, bottom=90) if isinstance(shape, Label)]
    moments = [shape for shape in labels if shape.css == "moment"]
    assert len({(shape.y, shape.x) for shape in moments}) == len(moments)
