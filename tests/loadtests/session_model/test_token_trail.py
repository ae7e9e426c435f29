"""Which refresh token a request showed: by the microsecond, by what came back, and by whose cookies it was."""

from __future__ import annotations

import msgspec
import pytest

from loadtests.model.history import Exchange
from loadtests.session_model.token_trail import ISSUES, RECENT, USES, Issue, TokenTrail, TokenUse
from tests.loadtests.stories import Story

LOGIN = Story().login().last
"""Sent at 0, answered at 10 ms: its access token of a second is over between 1.00 and 1.01 s."""
FIRST = Issue(0, 10_000)


def trail() -> TokenTrail:
    return TokenTrail(LOGIN, 1_000_000)


def asked(sent_us: int, done_us: int, status: int = 200, **others: object) -> Exchange:
    return msgspec.structs.replace(Story().say("me", status).last, sent_us=sent_us, done_us=done_us, **others)


def copied(do: str, at_us: int, jar: str, request: str = "r") -> Exchange:
    sent_us = at_us if request else -1
    return msgspec.structs.replace(asked(sent_us, at_us + 1_000_000, 0), do=do, jar=jar, request=request)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sent_us", "done_us", "sure"),
    [
        (900_000, 999_999, None),
        (900_000, 1_000_000, False),
        (1_009_999, 1_020_000, False),
        (1_010_000, 1_020_000, True),
    ],
)
def test_it_is_shown_from_when_the_access_token_is_over(sent_us: int, done_us: int, sure: bool | None) -> None:
    use = trail().use_by(asked(sent_us, done_us))
    assert (None if use is None else (use.issue, use.sure)) == (None if sure is None else (FIRST, sure))


@pytest.mark.parametrize(("status", "sure"), [(0, False), (1, True), (401, True), (499, True), (500, False)])
def test_whether_it_arrived_only_an_answer_tells(status: int, sure: bool) -> None:
    use = trail().use_by(asked(2_000_000, 2_100_000, status))
    assert use is not None
    assert use.sure is sure


@pytest.mark.parametrize("changes", [{"request": ""}, {"jar": "thief"}])
def test_what_was_not_sent_or_with_cookies_that_hold_none_shows_none(changes: dict[str, str]) -> None:
    assert trail().use_by(asked(2_000_000, 2_100_000, **changes)) is None


@pytest.mark.parametrize(
    ("status", "jar", "brings"),
    [
        (0, "main", False), (1, "main", True), (200, "main", True), (400, "main", True), (401, "main", False),
        (402, "main", True), (499, "main", True), (500, "main", False), (200, "thief", True), (200, "stolen", False),
        (200, "planted", False),
    ],
)  # fmt: skip
def test_an_answer_brings_another_one(status: int, jar: str, brings: bool) -> None:
    it = trail()
    if jar != "main":
        it._issues[jar] = [FIRST]  # type: ignore[index]
    it.saw(asked(2_000_000, 2_100_000, status, jar=jar))
    later = it.use_by(asked(4_000_000, 4_100_000, jar=jar))
    assert later is not None
    assert later.issue == (Issue(2_000_000, 2_100_000) if brings else FIRST)


def test_who_may_have_shown_it_may_have_the_one_before_still() -> None:
    it = trail()
    unsure = asked(1_005_000, 1_020_000)
    assert it.saw(unsure) == TokenUse(FIRST, unsure, sure=False)
    later = it.use_by(asked(4_000_000, 4_100_000))
    assert later is not None
    assert later.issue == Issue(0, 1_020_000), "perhaps as old as the login"


@pytest.mark.parametrize(("sent_us", "issue"), [(2_099_999, FIRST), (2_100_000, Issue(2_000_000, 2_100_000))])
def test_a_browser_has_what_came_before_it_asks(sent_us: int, issue: Issue) -> None:
    it = trail()
    it.saw(asked(2_000_000, 2_100_000))
    use = it.use_by(asked(sent_us, 4_000_000))
    assert use is not None
    assert use.issue == issue


@pytest.mark.parametrize(
    ("do", "jar", "request_id", "to", "holds"),
    [
        ("logout", "main", "r", "stolen", FIRST),
        ("logout", "second", "r", "stolen", None),
        ("read_cookie", "thief", "r", "thief", FIRST),
        ("read_cookie", "thief", "", "thief", Issue(2_000_000, 2_100_000)),
        ("me", "thief", "r", "thief", None),
    ],
)
def test_a_copy_has_what_the_shopper_had_then(do: str, jar: str, request_id: str, to: str, holds: Issue | None) -> None:
    """What the logout carried when it was sent; of what is only read, when it was read."""
    it = trail()
    it.saw(asked(2_000_000, 2_100_000))
    it.saw(copied(do, 2_050_000, jar, request_id))
    use = it.use_by(asked(9_000_000, 9_100_000, jar=to))
    assert (None if use is None else use.issue) == holds


def test_of_requests_the_last_few_are_kept() -> None:
    it = trail()
    sent = [asked(number, number) for number in range(RECENT + 3)]
    for exchange in sent:
        it.saw(exchange)
    it.saw(asked(50, 50, jar="thief"))
    it.saw(asked(51, 51, request=""))
    assert it.recent == sent[-RECENT:]


def test_of_uses_the_first_of_each_token_and_the_last() -> None:
    it = trail()
    same = [asked(2_000_000 + number, 2_100_000, 401) for number in range(USES + 3)]
    for exchange in same:
        it.saw(exchange)
    assert [use.exchange for use in it.uses] == [*same[:USES], same[-1]]
    other = [asked(number * 2_000_000, number * 2_000_000 + 10) for number in range(2, ISSUES + 3)]
    for exchange in other:
        it.saw(exchange)
    assert [use.exchange for use in it.uses[-ISSUES:]] == other[-ISSUES:]
    assert same[0] in [use.exchange for use in it.uses], "a few tokens later it is known still"
