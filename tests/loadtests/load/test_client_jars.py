"""The client's jars, its connections side by side, and its event streams, on a stand-in shop."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose.applications.twins import session_cookie
from compose.architectures import ARCHITECTURES
from compose.balancers.contract import affinity_cookie, ring_cookie
from compose.cluster import ClusterSpec
from loadtests.load.cookies import NODE_COOKIES, Pocket
from tests.loadtests.standins import StandinShop, in_load_process, standin_shop

BEGIN = """
import time
import gevent
from loadtests.load.client import StrictSession, assert_strict
from loadtests.model.plan import ClientLimits
assert_strict()
limits = ClientLimits(connect_timeout_ms=500, answer_timeout_ms=int(sys.argv[2]) if len(sys.argv) > 2 else 2000)
session = StrictSession(sys.argv[1], limits)
def log_in(jar="main"):
    return session.ask("POST", "/login", {}, b'{"user": "user-0001"}', jar).status
def me(jar="main"):
    return session.ask("GET", "/me", {}, b"", jar).status
"""
JARS = """
told = [log_in(), me(), me("second"), log_in("second"), me("second")]
session.pocket("stolen").fill_from(session.pocket("main"))
told.append(session.ask("POST", "/logout", {}).status)
told += [me(), me("stolen"), me("second"), log_in(), me()]
session.pocket("main").empty()
told.append(me())
print(json.dumps(told))
"""
PLANTED = """
opened = session.ask("GET", "/login", {}, b"", "planted")
session.pocket("main").fill_from(session.pocket("planted"))
sent = session.ask("GET", "/products", {})
before = [cookie.value for cookie in session.pocket("planted").cookies]
log_in()
log_in("planted")
after = [cookie.value for cookie in session.pocket("planted").cookies]
print(json.dumps([opened.status, sent.cookie_bytes, before == after, me(), me("planted")]))
"""
AT_ONCE = """
log_in()
asking = [gevent.spawn(session.ask, "GET", "/recommendations", {}) for _ in range(3)]
gevent.joinall(asking)
together = min(each.value.done_ns for each in asking) > max(each.value.sent_ns for each in asking)
apart = len(session._idle["main"])
me()
print(json.dumps([[each.value.status for each in asking], together, apart, len(session._idle["main"])]))
"""
STREAMS = """
def watch(seconds):
    began = time.monotonic_ns()
    answer = session.watch("/orders/progress", {"X-Request-Id": "w"}, began + int(seconds * 1e9))
    took = (answer.done_ns - answer.sent_ns) / 1e9
    return [answer.status, answer.dropped, answer.streamed > 0, answer.error, took, answer.cookie_bytes > 0]
stranger = watch(5)
log_in()
told = [stranger] + [watch(seconds) for seconds in times]
told.append(me())
print(json.dumps(told))
"""
JOBS = """
from loadtests.load.load_worker import GreenletJob
noted = []
def fail():
    raise ValueError("no")
def wait():
    try:
        gevent.sleep(60)
    except gevent.GreenletExit:
        noted.append("stopped")
        raise
told = []
done = GreenletJob(lambda: noted.append("done"))
done.join()
failing = GreenletJob(fail)
try:
    failing.join()
except ValueError as error:
    told.append(str(error))
waiting, never_begun = GreenletJob(wait), None
gevent.sleep(0)
waiting.stop()
waiting.stop()
never_begun = GreenletJob(wait)
never_begun.stop()
done.stop()
print(json.dumps([told, noted]))
"""


@pytest.fixture
def shop() -> Iterator[StandinShop]:
    with standin_shop() as running:
        yield running


def test_each_jar_has_cookies_of_its_own(shop: StandinShop) -> None:
    assert in_load_process(BEGIN + JARS, shop.url) == [200, 200, 401, 200, 200, 200, 401, 401, 200, 200, 200, 401]


def test_a_stolen_jar_is_taken_along_as_it_was(shop: StandinShop) -> None:
    in_load_process(BEGIN + JARS, shop.url)
    cookies = [cookies for method, path, _, cookies in shop.seen() if (method, path) == ("GET", "/me")]
    assert cookies == ["session=s1", "", "session=s2", "session=s1", "session=s1", "session=s2", "session=s3", ""]


def test_a_planted_jar_takes_no_other_cookies(shop: StandinShop) -> None:
    assert in_load_process(BEGIN + PLANTED, shop.url) == [200, len("session=s1"), True, 200, 401]


def test_requests_at_once_have_a_connection_each_which_are_used_again(shop: StandinShop) -> None:
    statuses, together, apart, later = in_load_process(BEGIN + AT_ONCE, shop.url)
    assert statuses == [200, 200, 200]
    assert together, "the last was asked after the first had been answered"
    assert (apart, later) == (3, 3)


def test_a_stream_is_held_until_its_time_or_dropped_before(shop: StandinShop) -> None:
    shop.rule("GET /orders/progress", "cut 3")
    shop.rule("GET /orders/progress", "finish 3")
    stranger, cut, finished, held, later = in_load_process(BEGIN + "times = (60, 60, 0.6)\n" + STREAMS, shop.url)
    assert stranger[:4] == [401, False, False, ""]
    assert cut[:4] == [200, True, True, ""]
    assert finished[:4] == [200, True, True, ""]
    assert held[:4] == [200, False, True, ""]
    assert max(cut[4], finished[4]) < 60
    assert 0.6 <= held[4] < 20
    assert held[5] is True
    assert later == 200


def test_a_stream_outlasts_the_limit_of_an_answer(shop: StandinShop) -> None:
    _, held, *_ = in_load_process(BEGIN + "times = (0.6,)\n" + STREAMS, shop.url, "300")
    assert held[:3] == [200, False, True]


def test_a_stream_that_nobody_answers_is_a_failure_within_the_limits() -> None:
    with socket.socket() as unbound:  # nobody listens
        unbound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unbound.getsockname()[1]}"
        stranger, *_ = in_load_process(BEGIN + "times = ()\n" + STREAMS.replace("log_in()\n", ""), url)
    assert stranger[:4] == [0, False, False, "refused"]


def test_what_a_job_raises_is_for_who_joins_it_and_stopping_is_noted(shop: StandinShop) -> None:
    assert in_load_process(BEGIN + JOBS, shop.url) == [["no"], ["done", "stopped"]]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_balancers_cookies_are_told_by_their_names(name: str) -> None:
    spec = ClusterSpec("0123abcd", ARCHITECTURES[name])
    assert affinity_cookie(spec).startswith(NODE_COOKIES)
    assert ring_cookie(spec).startswith(NODE_COOKIES)
    assert not session_cookie(spec).startswith(NODE_COOKIES)


def test_forgetting_the_node_leaves_the_session() -> None:
    pocket = Pocket("main", "http://127.0.0.1:80")
    for cookie in ("twinshop-node-redis-1=a", "twinshop-ring-redis-1=b", "twinshop-redis-1=c"):
        pocket.take(Headers(f"{cookie}; Path=/"), "/")
    pocket.forget("node")
    headers: dict[str, str] = {}
    pocket.dress("/cart", headers)
    assert headers == {"Cookie": "twinshop-redis-1=c"}


@given(
    st.lists(
        st.builds(
            "{}={}; Path={}{}".format,
            st.sampled_from(("a", "b")), st.sampled_from("12"), st.sampled_from(("/", "/cart")),
            st.sampled_from(("", "; Max-Age=60", "; Max-Age=0")),
        ),
        max_size=6,
    ),
)  # fmt: skip
def test_a_header_that_was_remembered_is_the_one_that_would_be_made_now(cookies: list[str]) -> None:
    pocket = Pocket("main", "http://127.0.0.1:80")
    for cookie in cookies:
        pocket.take(Headers(cookie), "/cart")
        afresh = Pocket("main", "http://127.0.0.1:80")
        afresh.fill_from(pocket)
        for path in ("/", "/cart", "/cart"):
            assert dressed(pocket, path) == dressed(afresh, path)
            afresh.fill_from(pocket)  # it remembers nothing


def dressed(pocket: Pocket, path: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    pocket.dress(path, headers)
    return headers


class Headers:
    """As many headers as a cookie jar wants to see."""

    def __init__(self, cookie: str) -> None:
        self._cookie = cookie

    def get_all(self, name: str, default: list[str]) -> list[str]:
        return [self._cookie] if name == "Set-Cookie" else default
