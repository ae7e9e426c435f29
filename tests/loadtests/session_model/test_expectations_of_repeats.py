"""Memory of writes that the balancer repeated at another node, which refused: unknown, although an answer came."""

from __future__ import annotations

import msgspec

from tests.loadtests.stories import Story, after, findings, settled


def repeated(status: int) -> Story:
    story = Story().login().add("tea", 2, shows={"tea": 2}).checkout(status=status, node="n2")
    story.exchanges[-1] = msgspec.structs.replace(story.last, outcome="unknown")
    return story


def test_a_stranger_may_have_ordered() -> None:
    told = repeated(401).login("n2", why="recovery").cart({}, node="n2")
    assert [finding.kind for finding in findings(told)] == ["logged_out"], "it was ordered: no cart is lost"
    assert settled(told) == {"0003": "ok"}
    assert after(told).book().ordered == 2


def test_or_not() -> None:
    told = repeated(401).login("n2", why="recovery").cart({"tea": 2}, node="n2")
    assert [finding.kind for finding in findings(told)] == ["logged_out"]
    assert settled(told) == {"0003": "failed"}


def test_who_was_refused_by_the_only_node_that_was_asked_has_lost_the_cart() -> None:
    told = Story().login().add("tea", 2, shows={"tea": 2}).stranger("checkout", "n2").login("n2").cart({}, node="n2")
    assert [finding.kind for finding in findings(told)] == ["logged_out", "cart_lost"]


def test_an_empty_cart_that_cannot_be_ordered_was_ordered_before() -> None:
    assert findings(repeated(400).cart({})) == []
    assert settled(repeated(400)) == {"0003": "ok"}
    once = Story().login().add("tea", 2, shows={"tea": 2}).checkout(status=400, node="n2")
    assert [finding.kind for finding in findings(once)] == ["cart_lost"]


def test_whoever_was_perhaps_logged_out_is_a_stranger_rightly() -> None:
    told = Story().login().stranger("logout", "n2")
    assert [finding.kind for finding in findings(told)] == ["logged_out"]
    told.exchanges[-1] = msgspec.structs.replace(told.last, outcome="unknown")
    assert findings(told) == []
