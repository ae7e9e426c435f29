from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from compose.probes.questions import Unanswered, ask


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
