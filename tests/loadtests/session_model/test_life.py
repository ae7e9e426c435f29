"""A session's life at its edges: the microsecond at which two things meet, and what an error tells."""

from __future__ import annotations

import msgspec
import pytest

from loadtests.model.history import Exchange
from loadtests.session_model.circumstances import NOTHING, circumstances_of
from loadtests.session_model.life import SessionLife, began_to_stray, home_since, life_in, lifetime_over
from loadtests.session_model.stores.memory import held_no_more
from tests.loadtests.session_model.accused import SHORT, where
from tests.loadtests.stories import Story


def one(told: Story, **changes: int | str) -> Exchange:
    """The last exchange of a story, with these fields otherwise."""
    return msgspec.structs.replace(told.last, **changes)


def lived(*exchanges: Exchange) -> SessionLife:
    """A session in memory, after these."""
    life = life_in(where("sticky-memory"))
    for exchange in exchanges:
        life.saw(exchange)
    return life


LOGIN = Story().login("n2").last


@pytest.mark.parametrize(("status", "adrift"), [(500, True), (503, True), (499, False)])
def test_an_error_of_the_shop_is_no_answer(status: int, adrift: bool) -> None:
    told = Story().at(1).say("cart", status, node="n1")
    assert (lived(LOGIN, one(told, node="n1")).adrift is not None) is adrift


def test_who_was_known_at_the_moment_of_straying_was_not_at_home_again() -> None:
    away = Story().at(1).browse("n1").last
    known = one(Story().at(0.5).me({}, node="n2"), done_us=away.done_us)
    later = Story().at(2).browse("n3").last
    life = lived(LOGIN, away)
    life.known = known
    life.saw(later)
    assert life.strayed is away
    life.known = msgspec.structs.replace(known, done_us=away.done_us + 1)
    life.saw(later)
    assert life.strayed is later


def test_what_came_with_the_last_answer_of_home_is_not_since_then() -> None:
    answer = Story().at(5).stranger(node="n1").last
    life = lived(LOGIN)
    home = home_since(life)
    assert home is LOGIN
    life.strayed = msgspec.structs.replace(answer, done_us=home.done_us)
    assert began_to_stray(life, answer) is answer
    life.strayed = later = msgspec.structs.replace(answer, done_us=home.done_us + 1)
    assert began_to_stray(life, answer) is later


def test_a_page_that_is_asked_for_when_the_lifetime_is_over_refreshes_nothing() -> None:
    refreshing = where("redis", limits=SHORT, session_refresh_each_request=True)
    over_us = LOGIN.done_us + 3_000_000
    for sent_us, perhaps in ((over_us - 1, True), (over_us, False)):
        life = life_in(refreshing)
        life.saw(LOGIN)
        life.saw(one(Story().at(3).browse("n1"), sent_us=sent_us, done_us=sent_us + 10_000))
        assert (life.perhaps is not None) is perhaps


def test_a_write_of_which_nobody_knows_what_became_is_no_answer_whatever_its_status() -> None:
    told = Story().at(1).add("tea", node="n2")
    assert lived(LOGIN, one(told, outcome="unknown")).hung is not None
    assert lived(LOGIN, told.last).hung is None


def test_a_lifetime_that_may_be_over_may_be_so_from_the_beginning_of_that_second_on() -> None:
    around = circumstances_of(where("redis", limits=SHORT))
    life = lived(one(Story().at(0.4).login("n2"), done_us=1_200_000))
    begins_us, ends_us = 3_000_000, 4_000_000
    for at_us, sure, since_us in ((begins_us, False, begins_us), (ends_us, True, ends_us)):
        answer = one(Story().at(5).stranger(), sent_us=at_us - (not sure), done_us=at_us)
        harm = lifetime_over(life, answer, around, NOTHING)
        assert harm is not None
        assert (harm.sure, harm.at_us) == (sure, since_us)
    early = one(Story().at(5).stranger(), sent_us=0, done_us=begins_us - 1)
    assert lifetime_over(life, early, around, NOTHING) is None


def test_what_was_never_opened_was_not_thrown_out_either() -> None:
    around = circumstances_of(where("sticky-memory"))
    assert held_no_more(SessionLife(), Story().stranger().last, around, NOTHING) == []
