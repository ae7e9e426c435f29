"""The request log: whole lines, whatever happens to the writer."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from shared.errors import RunFolderError
from shared.request_log import LoggedRequest, LoggedSession, RequestLog, read_request_log

ASKED = LoggedRequest(1, "r1", "n1", "b", "GET", "/cart", 200, 12, "user-0001")
OPENED = LoggedSession(1, "opened", "r1", "n1", "b", "user-0001", "0123456789ab")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "log")
    log.write(OPENED, ASKED)
    log.close()
    log.close()
    assert list(read_request_log(tmp_path / "log")) == [OPENED, ASKED]


def test_the_words_of_a_line_are_a_contract(tmp_path: Path) -> None:
    RequestLog(tmp_path / "log").write(ASKED)
    assert (tmp_path / "log").read_text() == (
        '{"record":"request","at_us":1,"id":"r1","node":"n1","boot":"b","method":"GET","path":"/cart","status":200,'
        '"took_us":12,"user":"user-0001"}\n'
    )


def test_a_strangers_line_names_the_session_they_brought(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "log")
    stranger = LoggedRequest(1, "r1", "n1", "b", "POST", "/cart", 401, 12, "", "0123456789ab")
    log.write(stranger)
    assert (tmp_path / "log").read_text().endswith('"user":"","session":"0123456789ab"}\n')
    assert list(read_request_log(tmp_path / "log")) == [stranger]


def test_a_restarted_node_writes_on(tmp_path: Path) -> None:
    for _ in range(2):
        log = RequestLog(tmp_path / "log")
        log.write(ASKED)
        log.close()
    assert list(read_request_log(tmp_path / "log")) == [ASKED, ASKED]


def test_a_line_cut_off_by_a_kill_does_not_swallow_the_next(tmp_path: Path) -> None:
    path = tmp_path / "log"
    RequestLog(path).write(ASKED)
    whole = path.read_bytes()
    for cut in range(1, len(whole) - 1):
        path.write_bytes(whole + whole[:cut])
        RequestLog(path).write(OPENED)
        assert list(read_request_log(path)) == [ASKED, OPENED]


def test_many_threads_at_once(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "log")
    threads = [threading.Thread(target=lambda: [log.write(OPENED, ASKED) for _ in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert list(read_request_log(tmp_path / "log")) == [OPENED, ASKED] * 1600


@pytest.mark.parametrize("damage", [b"nonsense\n", b'{"record":"other"}\n', b'{"record":"request","at_us":"x"}\n'])
def test_a_damaged_line_is_named(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "log"
    RequestLog(path).write(ASKED)
    path.write_bytes(path.read_bytes() + damage)
    with pytest.raises(RunFolderError, match="log, line 2"):
        list(read_request_log(path))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="cannot read"):
        list(read_request_log(tmp_path / "none"))


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    RequestLog(tmp_path / "log").write(ASKED)
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600
