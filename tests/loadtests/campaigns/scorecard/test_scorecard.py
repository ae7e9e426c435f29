"""Each requirement accuses the shop that breaks it, and no shop that keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from loadtests.campaigns.scorecard.requirements import REQUIREMENTS, DoorVisitor, Finding, altered, entropy_bits
from loadtests.campaigns.scorecard.scorecard_run import (
    STATES,
    Scorecard,
    execute,
    in_text,
    scorecard_of,
    write_scorecard,
)
from loadtests.load.answers import HttpRequest
from tests.loadtests.campaigns.scorecard.fake_shop import BROKEN, FakeShop

USERS = [f"user-{number:04d}" for number in range(1, len(REQUIREMENTS) + 1)]


def findings(shop: FakeShop) -> dict[str, Finding]:
    return execute(shop, USERS, lambda: None)


def test_a_shop_that_keeps_them_passes_all() -> None:
    found = findings(FakeShop())
    assert {number: finding.word for number, finding in found.items()} == dict.fromkeys(found, "pass"), found


def test_every_requirement_has_a_twin_that_breaks_it() -> None:
    assert list(BROKEN) == [requirement.number for requirement in REQUIREMENTS]


@pytest.mark.parametrize("number", list(BROKEN))
def test_the_twin_that_breaks_it_is_named(number: str) -> None:
    found = findings(BROKEN[number]())
    assert found[number].word == "fail", found[number]
    assert len(found[number].witness) > 10


@pytest.mark.parametrize("number", [number for number in BROKEN if number not in ("7.2.1", "7.2.2", "7.2.3")])
def test_nothing_else_of_that_twin_is(number: str) -> None:
    """The first three break what others rest on: tokens that are alike are one session."""
    failed = [each for each, finding in findings(BROKEN[number]()).items() if finding.word == "fail"]
    assert failed == [number]


class Closed(FakeShop):
    """Nobody is let in."""

    def ask(self, visitor: DoorVisitor, asked: HttpRequest) -> tuple[int, dict[str, Any]]:
        return 503, {}


def test_of_a_shop_that_lets_nobody_in_nothing_can_be_said() -> None:
    assert {finding.word for finding in findings(Closed()).values()} == {"not applicable"}


class AnswersTheList(FakeShop):
    """It has no other session to show, and says so with that status; the other one may have ended."""

    def __init__(self, status: int, *, other_ended: bool = False) -> None:
        super().__init__()
        self.status, self.other_ended = status, other_ended

    def answer(self, path: str, user: str, token: str, body: dict[str, object]) -> tuple[int, dict[str, Any]]:
        if path != "/sessions":
            return super().answer(path, user, token, body)
        if self.other_ended:
            self.end_user(user, but=token)
        return self.status, {}


@pytest.mark.parametrize(
    ("status", "other_ended", "word"),
    [
        (501, False, "fail"),
        (501, True, "fail"),  # that there is no list needs no other session
        (200, False, "fail"),
        (503, False, "fail"),
        (0, False, "fail"),
        (200, True, "not applicable"),
        (503, True, "not applicable"),
        (0, True, "not applicable"),
        (401, False, "not applicable"),
        (401, True, "not applicable"),
    ],
)
def test_who_is_shown_no_list_accuses_only_where_it_is_proved(status: int, other_ended: bool, word: str) -> None:
    found = findings(AnswersTheList(status, other_ended=other_ended))["7.5.2"]
    assert (found.word, "nobody" in found.witness) == (word, status == 0), found


def test_the_break_comes_between() -> None:
    shop, order = FakeShop(), list[int]()
    execute(shop, USERS, lambda: order.append(len(shop.sessions)))
    assert order[0] >= 8, "sessions were opened before it"


@pytest.mark.parametrize("token", ["abc", "a.b.c", "0123456789abcdef", "AAAA"])
def test_an_altered_token_is_another_one_of_the_same_length(token: str) -> None:
    assert altered(token) != token
    assert len(altered(token)) == len(token)


def test_entropy() -> None:
    assert entropy_bits("0" * 32) == 128
    assert entropy_bits("family." + "f" * 31) == 124
    assert entropy_bits("Zz-_" * 8) == 192


def made_up_card() -> Scorecard:
    good, bad = findings(FakeShop()), findings(BROKEN["7.4.1"]())
    return scorecard_of(
        {"redis": dict.fromkeys(STATES, good), "signed-token": {**dict.fromkeys(STATES, good), "calm": bad}}
    )


@pytest.fixture
def card() -> Scorecard:
    return made_up_card()


def test_the_page_and_the_document(tmp_path: Path, card: Scorecard) -> None:
    document, page = write_scorecard(tmp_path, card)
    assert msgspec.json.decode(document.read_bytes(), type=Scorecard) == card
    text = page.read_text()
    for number in card.requirements:
        assert number in text
    assert "65 of 66 cells pass, 1 fail, 0 are not applicable." in text
    assert "| 7.4.1 | pass | FAIL |" in (tmp_path / "scorecard.md").read_text()
    assert "http://" not in text.replace("http://www.w3.org", "")


def test_the_terminal_says_what_failed(card: Scorecard) -> None:
    assert "7.4.1 signed-token: the logout was answered 200; a copy of the session was answered 200" in in_text(card)
