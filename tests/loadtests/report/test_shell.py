import pytest

from loadtests.report.shell import DARK, LIGHT, STATEFUL, STATELESS, variables
from tests.contrast import contrast


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
    assert (STATELESS, STATEFUL) == ("#0072B2", "#D55E00")
    assert (LIGHT["stateless"], LIGHT["stateful"]) == (STATELESS, STATEFUL)


def test_light_and_dark_name_the_same_things() -> None:
    assert LIGHT.keys() == DARK.keys()
    assert variables({"ink": "#000", "paper": "#fff"}) == "--ink:#000;--paper:#fff"


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
