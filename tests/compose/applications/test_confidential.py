"""What logs must not keep is blanked in them; what is evidence stays as it was."""

from __future__ import annotations

from pathlib import Path

from compose.applications.confidential import blank_in_logs, passwords_of
from compose.applications.description_file import read_description
from compose.description import Description
from tests.applications import BROKEN

TEXT = (BROKEN / "app.toml").read_text()
IN_PATHS = TEXT.replace(
    'send = "GET /"\nuser', 'send = "GET /people/{token}/me?key={token}&pw={password}"\nuser'
).replace("ok = { status = 200 }", 'token = { json = "/t" }')


def _described(text: str) -> Description:
    return read_description(text.encode(), file="app.toml", folder="")


def test_what_the_application_prints_is_kept_without_its_secrets(tmp_path: Path) -> None:
    log = tmp_path / "n1.log"
    log.write_text("user=u1&password=pass+word%21 pass word! key=0123abcd\nlistening\nab\n")
    blank_in_logs(_described(TEXT), {"n1": log}, ("pass word!", "0123abcd", "ab"))
    assert log.read_text() == "user=u1&password=[secret] [secret] key=[secret]\nlistening\nab\n"


def test_a_path_is_told_without_what_is_filled_in(tmp_path: Path) -> None:
    access = tmp_path / "access.ndjson"
    line = '{"path":"/people/aZ.9-_/me?key=aZ.9-_&pw=example","status":200}\n{"path":"/note"}\n'
    access.write_text(line)
    it = _described(IN_PATHS)
    blank_in_logs(it, {"access": access, "access.own": tmp_path / "none"}, ("status",))
    assert access.read_text() == (
        '{"path":"/people/{token}/me?key={token}&pw={password}","status":200}\n{"path":"/note"}\n'
    )


def test_the_passwords_of_a_file_are_secrets() -> None:
    assert "example" in passwords_of(_described(TEXT))
