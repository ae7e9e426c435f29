from __future__ import annotations

from pathlib import Path

import pytest

from compose.balancers.access_log import AccessLine
from shared.errors import RunFolderError
from tests.compose.engine_tests import access_lines

SERVED = (
    '{"answered_by":"n2","at_us":"1795225354057139","details":"via_upstream","flags":"-","id":"a-1","method":"GET",'
    '"node":"n2","path":"/cart","status":200,"took_us":936}\n'
)
REFUSED = (
    '{"answered_by":null,"at_us":"1795225354343242","details":"connection_refused","flags":"UF","id":"a-2",'
    '"method":"POST","node":"n1","path":"/cart","status":503,"took_us":null}\n'
)


def test_lines_are_read_as_they_are_written(tmp_path: Path) -> None:
    log = tmp_path / "access.ndjson"
    log.write_text(SERVED + REFUSED)
    assert list(access_lines(log)) == [
        AccessLine(1795225354057139, 200, 936, "a-1", "GET", "/cart", "-", "n2", "n2", "via_upstream"),
        AccessLine(1795225354343242, 503, None, "a-2", "POST", "/cart", "UF", "n1", None, "connection_refused"),
    ]


def test_a_last_line_that_is_cut_off_is_left_out(tmp_path: Path) -> None:
    log = tmp_path / "access.ndjson"
    log.write_text(SERVED + REFUSED[:50])
    assert [line.id for line in access_lines(log)] == ["a-1"]


def test_any_other_damage_is_named(tmp_path: Path) -> None:
    log = tmp_path / "access.ndjson"
    log.write_text(SERVED + "nonsense\n" + SERVED)
    with pytest.raises(RunFolderError, match=r"access\.ndjson, line 2"):
        list(access_lines(log))


def test_a_field_of_another_name_is_damage(tmp_path: Path) -> None:
    log = tmp_path / "access.ndjson"
    log.write_text(SERVED.replace('"flags"', '"flacs"'))
    with pytest.raises(RunFolderError, match=r"access\.ndjson, line 1"):
        list(access_lines(log))


def test_no_log_has_no_lines(tmp_path: Path) -> None:
    assert list(access_lines(tmp_path / "access.ndjson")) == []
