import pytest

from tests.contrast import contrast, report_colours

LIGHT, DARK = report_colours()


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_what_is_read_stands_out(colours: dict[str, str]) -> None:
    for ground in ("paper", "card"):
        for text in ("ink", "muted", "link"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_what_is_drawn_stands_out(colours: dict[str, str]) -> None:
    for mark in ("stateful", "stateless", "ink", "edge"):
        assert contrast(colours[mark], colours["card"]) >= 3, mark


def test_the_two_colours_are_the_agreed_ones() -> None:
    assert (LIGHT["stateless"], LIGHT["stateful"]) == ("#0072B2", "#D55E00")


def test_light_and_dark_name_the_same_things() -> None:
    assert LIGHT.keys() == DARK.keys()
    assert len(LIGHT) == 12


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
