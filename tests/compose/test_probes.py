from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, repeat

import pytest

from compose.probes import (
    Unanswered,
    ask,
    ask_server,
    info,
    ping,
    report_of_sentinel,
    report_of_store,
    report_of_wires,
)

HOST = "127.0.0.1"


@contextmanager
def server(answer: bytes) -> Iterator[str]:
    """Answers one request with these bytes and closes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(20)


def test_an_answer() -> None:
    with server(b"HTTP/1.1 200 OK\r\nX-Run: abc\r\nContent-Length: 2\r\n\r\nhi") as url:
        answer = ask(f"{url}/healthz?x=1", within_s=20)
    assert (answer.status, answer.headers["x-run"], answer.body) == (200, "abc", b"hi")


@pytest.mark.parametrize(("answer", "reason"), [(b"", "reset"), (b"not http\r\n\r\n", "BadStatusLine")])
def test_no_answer_has_a_reason(answer: bytes, reason: str) -> None:
    with server(answer) as url, pytest.raises(Unanswered) as raised:
        ask(url + "/", within_s=20)
    assert raised.value.reason == reason


def test_silence_has_a_bound() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        with pytest.raises(Unanswered, match="timeout"):
            ask(url, within_s=0.05)
    with socket.socket() as held:  # so that nobody else listens there meanwhile
        held.bind(("127.0.0.1", 0))
        with pytest.raises(Unanswered, match="refused"):
            ask(f"http://127.0.0.1:{held.getsockname()[1]}/", within_s=20)


@contextmanager
def answering(pieces: Iterable[bytes], times: int = 1) -> Iterator[int]:
    """A server that answers each of so many connections with these pieces, a moment apart, and waits for its end."""
    with socket.create_server((HOST, 0)) as listening:

        def serve() -> None:
            for _ in range(times):
                connection, _ = listening.accept()
                with connection, suppress(OSError):  # it may have given up
                    connection.recv(1000)
                    for piece in pieces:
                        connection.sendall(piece)
                        time.sleep(0.01)
                    connection.recv(1000)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(20)


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ((b"+PONG\r\n",), "PONG"),
        ((b":12\r\n",), "12"),
        ((b"$5\r\nab\r\nc\r\n",), "ab\r\nc"),
        ((b"$5\r", b"\nhe", b"llo", b"\r\n"), "hello"),
    ],
)
def test_an_answer_whole_or_in_pieces(pieces: tuple[bytes, ...], said: str) -> None:
    with answering(pieces) as port:
        assert ask_server(f"redis://{HOST}:{port}", "PING", within_s=20) == said


@pytest.mark.parametrize(
    ("answer", "why"),
    [(b"-NOAUTH no\r\n", "NOAUTH no"), (b"*1\r\n:1\r\n", "another kind"), (b"$-1\r\n", "another kind")],
)
def test_what_is_no_answer_says_why(answer: bytes, why: str) -> None:
    with answering([answer]) as port, pytest.raises(Unanswered, match=why):
        ask_server(f"redis://{HOST}:{port}", "PING", within_s=20)


def test_the_bound_is_for_all_of_it() -> None:
    dribble = chain([b"$9999999\r\n"], repeat(b"x"))  # no single wait is long, and there is no end to them
    with answering(dribble) as port, pytest.raises(Unanswered, match="timeout"):
        ask_server(f"redis://{HOST}:{port}", "PING", within_s=0.05)


def test_facts_of_an_answer_to_info() -> None:
    said = b"# Server\r\nrun_id:ab\r\n\r\ndb0:keys=1,expires=0\r\n"
    with answering([b"$%d\r\n%b\r\n" % (len(said), said)]) as port:
        assert info(f"redis://{HOST}:{port}/0", within_s=20) == {"run_id": "ab", "db0": "keys=1,expires=0"}


def test_a_ping_is_put_into_words() -> None:
    with answering([b"+PONG\r\n"]) as port:
        reply = ping(f"redis://{HOST}:{port}/0")
    assert (reply.ok, reply.status, reply.words) == (True, 0, f"PING: PONG after {reply.took_ms:.0f} ms")
    with answering([b"-LOADING wait\r\n"]) as port:
        assert ping(f"redis://{HOST}:{port}/0").words.startswith("PING: LOADING wait after")


@pytest.mark.parametrize("listen", [report_of_store, report_of_sentinel, report_of_wires])
def test_who_speaks_another_language_is_no_part_of_ours(listen: object) -> None:
    assert callable(listen)
    with answering([b"$9\r\nhello:you\r\n"], times=2) as port:
        voice = listen(f"redis://{HOST}:{port}")
        assert (voice.answers, voice.boot) == (False, None)
        assert str(port) in voice.words
        listen(f"redis://{HOST}:{port}")
