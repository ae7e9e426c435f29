"""The dashboard's process over real sockets: many subscribers, lazy subscribers, restarts."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from loadtests.workshop.dashboard.server import OF_ONE_BROWSER, STREAM
from loadtests.workshop.listen_addresses import SEATS_OF_ONE_ADDRESS, ListenAddress
from tests.loadtests.workshop.dashboard.process import Dashboard, dashboard, small_buffer
from tests.loadtests.workshop.dashboard.reader import Reader
from tests.loadtests.workshop.dashboard.room import ANSWERS
from tests.loadtests.workshop.dashboard.scripted import a_round, a_workshop, write_workshop
from tests.waiting import until


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Dashboard]:
    """A round that goes on, without predictions; at most three may watch."""
    make_round(tmp_path, predict=False)
    with dashboard(tmp_path, max_watchers=3) as it:
        yield it


def make_round(folder: Path, *, predict: bool) -> None:
    (folder / "run").mkdir(exist_ok=True)
    write_workshop(folder / "workshop.json", a_workshop(a_round(folder / "run", "run"), predict=predict))


def watchers_of(live: Dashboard) -> int:
    """How many it says there are no more of than this."""
    return live.ask("/events", Accept="text/event-stream").status


def test_a_stream_goes_on_without_a_gap_over_a_reconnect(live: Dashboard) -> None:
    reader = Reader()
    first = live.watch()
    first.read(reader, 6)
    first.close()
    reader.reconnected()
    seen, before = reader.last_id, len(reader.names)
    again = live.watch(seen)
    again.read(reader, 4)
    again.close()
    assert reader.gaps == []
    assert set(reader.names[before:]) == {"frame"}
    assert reader.ids == list(range(reader.ids[0], reader.ids[0] + len(reader.ids)))


def test_who_comes_when_the_room_is_full_is_told_so_and_gets_in_when_somebody_leaves(live: Dashboard) -> None:
    watching = [live.watch() for _ in range(3)]
    assert [it.status for it in watching] == [200, 200, 200]
    refused = live.ask("/events", Accept="text/event-stream")
    assert refused.status == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert msgspec.json.decode(refused.body)["error"] == "3 people watch already"
    page = live.ask("/events", Accept="text/html")
    assert (page.status, page.headers["Content-Type"].split(";")[0]) == (503, "text/html")
    watching.pop().close()

    def let_in() -> bool:
        another = live.watch()
        another.close()
        return another.status == 200

    assert until(let_in, 10)
    for it in watching:
        it.close()


def test_who_reloads_the_page_in_a_full_room_gets_their_own_place(live: Dashboard) -> None:
    cookies = [live.ask("/api/me").headers["Set-Cookie"].split(";")[0] for _ in range(3)]
    watching = [live.watch(cookie=cookie) for cookie in cookies]
    again = live.watch(cookie=cookies[1])
    assert again.status == 200
    assert watching[1].ended(within_s=20)
    reader = Reader()
    watching[0].read(reader, 4)
    assert live.ask("/events").status == 503
    for it in (*watching, again):
        it.close()


def test_asking_only_for_the_head_takes_no_place(live: Dashboard) -> None:
    for _ in range(5):
        assert live.ask("/events", method="HEAD").status == 200


RAW = {
    "no host": (b"GET /api/me HTTP/1.0\r\n\r\n", b"403"),
    "two hosts": (b"GET /api/me HTTP/1.1\r\nHost: evil\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n", b"403"),
    "foreign address": (b"GET http://evil/api/me HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n", b"403"),
    "no words": (b"\x16\x03\x01\r\n\r\n", b"400"),
    "a long line": (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", b"414"),
    "who knows how much": (
        b"POST /join HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + b"2000\r\n" + b"x" * 0x2000 + b"\r\n"
        + (b"2000\r\n" + b"x" * 0x2000 + b"\r\n") * 2 + b"0\r\n\r\n", b"411",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RAW)
def test_hostile_bytes_are_refused_without_a_traceback(live: Dashboard, name: str) -> None:
    said, status = RAW[name]
    with socket.create_connection(("127.0.0.1", live.port), timeout=30) as connection:
        connection.sendall(said.replace(b"%d", b"%d" % live.port))
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
            if b"\r\n\r\n" in answer:
                break
    first = answer.split(b"\r\n", 1)[0]
    assert status in first, answer[:200]
    assert b"Traceback" not in answer
    assert live.ask("/healthz").status == 200
    assert "Traceback" not in live.log.read_text()


def test_nobody_in_the_room_can_take_everybodys_places(live: Dashboard) -> None:
    greedy = [socket.create_connection(("127.0.0.1", live.port), source_address=("127.0.0.2", 0)) for _ in range(45)]
    try:

        def turned_away() -> int:
            return sum(_hung_up(it) for it in greedy)

        assert until(lambda: turned_away() == len(greedy) - OF_ONE_BROWSER * SEATS_OF_ONE_ADDRESS, 60)
        assert live.ask("/healthz").status == 200
    finally:
        for it in greedy:
            it.close()


def _hung_up(it: socket.socket) -> bool:
    it.setblocking(False)
    try:
        return it.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_a_page_and_its_files_are_served(live: Dashboard) -> None:
    page = live.ask("/", Accept="text/html")
    assert page.status == 200
    assert live.ask("/static/page.css").status == 200
    assert live.ask("/static/../server.py").status == 404


def test_who_does_not_read_is_dropped_and_others_are_not_held_up(tmp_path: Path) -> None:
    make_round(tmp_path, predict=False)
    with dashboard(tmp_path, "tests.loadtests.workshop.dashboard.flooded", max_watchers=2) as live:
        lazy = small_buffer(live.port)
        reader = Reader()
        eager = live.watch()
        eager.read(reader, 400)
        assert reader.gaps == []

        def let_in() -> bool:
            another = live.watch()
            another.close()
            return another.status == 200

        assert until(let_in, 20), "the lazy one still has a place"
        lazy.close()
        eager.close()


def test_after_a_restart_the_prediction_stands_and_the_picture_comes_anew(tmp_path: Path) -> None:
    make_round(tmp_path, predict=True)
    reader = Reader()
    with dashboard(tmp_path) as live:
        cookie = live.ask("/").headers["Set-Cookie"].split(";")[0]
        body = msgspec.json.encode({"answers": ANSWERS, "reason": "So."})
        sent = live.ask("/api/predictions", method="POST", body=body, cookie=cookie, Content_Type="application/json")
        assert sent.status == 201, sent.body
        port = live.port
        watch = live.watch(cookie=cookie)
        watch.read(reader, 5)
        watch.close()
    reader.reconnected()
    before = len(reader.names)
    with dashboard(tmp_path, listen=ListenAddress(port=port)) as live:
        assert msgspec.json.decode(live.ask("/api/me", cookie=cookie).body)["committed"] is True
        watch = live.watch(reader.last_id, cookie=cookie)
        watch.read(reader, 4)
        watch.close()
    assert reader.names[before : before + 2] == ["workshop", "picture"]
    assert reader.gaps == []


def test_it_ends_within_a_moment_with_watchers_there(live: Dashboard) -> None:
    watching = [live.watch() for _ in range(3)]
    begun = time.monotonic()
    live.process.terminate()
    assert live.process.wait(60) == 0
    assert time.monotonic() - begun < 20, "a stream lasts for as long as the workshop"
    for it in watching:
        it.close()


def test_its_log_never_holds_the_token(live: Dashboard) -> None:
    from tests.loadtests.workshop.dashboard.process import TOKEN

    assert live.ask(f"/?key={TOKEN}").status == 303
    assert live.ask(f"/nothing?key={TOKEN}").status == 404
    live.ask(f"/{'x' * 9000}?key={TOKEN}")
    assert TOKEN not in live.log.read_text()


def test_a_stream_is_not_cut_off_as_an_answer_is(live: Dashboard) -> None:
    """Answers have a time; a stream is known by its kind, and goes on."""
    watching = live.watch()
    assert watching.answer.getheader("Content-Type") == STREAM
    watching.close()
    assert live.ask("/healthz").headers["Content-Type"] != STREAM
