"""Who may ask, from where, and how: Host, Origin, methods, tokens, foreign pages, join codes, hostile input."""

from __future__ import annotations

import base64
import hashlib
import time

import msgspec
import pytest

from loadtests.workshop.contract import Begin, Break, Close, CommandReply, EndWorkshop, Heal, Release
from loadtests.workshop.dashboard.pages import SCRIPT
from loadtests.workshop.dashboard.request_context import COOKIE_LIFE_S
from tests.loadtests.workshop.dashboard.room import HOME, PORT, TOKEN, Room, commit, get, post

COMMANDS = [
    Begin(),
    Begin("kill-one-of-three"),
    Release(),
    Break("kill", ("left", "right")),
    Heal(),
    Heal(0),
    Close(),
    EndWorkshop(),
]
FOREIGN_HOSTS = [
    "evil.example",
    f"evil.example:{PORT}",
    "127.0.0.1",
    "127.0.0.1:81",
    f"127.0.0.1.evil.example:{PORT}",
    "",
]
FOREIGN_ORIGINS = [
    "http://evil.example",
    "null",
    f"https://127.0.0.1:{PORT}",
    "http://127.0.0.1:81",
    f"http://localhost:{PORT}",
]


def addresses(room: Room) -> list[tuple[str, str]]:
    """Every method and address there is."""
    found = []
    for rule in room.app.url_map.iter_rules():
        path = rule.rule.replace("<side>", "left").replace("<int:number>", "0").replace("<path:filename>", "page.css")
        found += [(method, path) for method in sorted(rule.methods or ()) if method != "OPTIONS"]
    assert ("POST", "/api/commands") in found
    return found


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_name_that_is_not_ours_is_refused_everywhere(room: Room, host: str) -> None:
    room.goes_to("open", episode="")
    for method, path in addresses(room):
        answer = room.instructor().open(path, method=method, base_url=HOME, headers={"Host": host}, json={"do": "end"})
        assert answer.status_code == 403, (method, path)
    assert room.told == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "teacher.local"])
def test_our_own_names_are_known(room: Room, host: str) -> None:
    assert get(room.somebody(), "/healthz", headers={"Host": f"{host}:{PORT}"}).status_code == 200


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_another_sites_page_is_refused_everywhere(room: Room, origin: str) -> None:
    room.goes_to("open", episode="")
    for method, path in addresses(room):
        headers = {"Origin": origin}
        answer = room.instructor().open(path, method=method, base_url=HOME, headers=headers, json={"do": "end"})
        assert answer.status_code == 403, (method, path)
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert room.told == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_foreign_page_cannot_even_have_something_loaded(room: Room, site: str) -> None:
    asked = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
    assert get(room.somebody(), "/events", headers=asked).status_code == 403
    opened = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
    assert get(room.somebody(), "/", headers=opened).status_code == 200


@pytest.mark.parametrize("content", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_foreign_form_can_send_is_refused(room: Room, content: str) -> None:
    room.goes_to("run")
    instructor = room.instructor()
    for path in ("/api/commands", "/api/predictions", "/join"):
        answer = instructor.post(path, base_url=HOME, data=b'{"do":"end"}', headers={"Content-Type": content})
        assert answer.status_code == 403, path
    assert room.told == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_commands_are_the_instructors(room: Room, command: object) -> None:
    room.goes_to("open", episode="")
    assert post(room.somebody(), "/api/commands", command).status_code == 403
    assert room.told == []
    answer = post(room.instructor(), "/api/commands", command)
    assert (answer.status_code, answer.json["ok"]) == (200, True)
    assert room.told == [command]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"do":"pay"}', b"{", b"\xff", b"[" * 5000])
def test_what_is_no_command_is_not_passed_on(room: Room, body: bytes) -> None:
    answer = post(room.instructor(), "/api/commands", body)
    assert answer.status_code == 400
    assert set(answer.json) == {"error", "why", "next"}
    assert room.told == []


def test_a_command_that_the_harness_refuses_says_why(room: Room) -> None:
    room.reply = CommandReply(False, "n1 is dead already", "heal it first")
    answer = post(room.instructor(), "/api/commands", Break("kill", ("left",), "n1"))
    assert answer.json == {
        "ok": False, "why": "n1 is dead already", "next_step": "heal it first",
        "error": "n1 is dead already", "next": "heal it first",
    }  # fmt: skip


def test_the_token_leaves_the_address_at_once_and_is_in_no_cookie(room: Room) -> None:
    answer = get(room.somebody(), f"/?key={TOKEN}")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie


@pytest.mark.parametrize("key", ["", "wrong", TOKEN[:-1], TOKEN + "x", "é"])
def test_another_key_opens_nothing(room: Room, key: str) -> None:
    client = room.somebody()
    assert get(client, "/", query_string={"key": key}).status_code == 403
    assert get(client, "/api/me").json["instructor"] is False


def test_a_cookie_of_ones_own_making_is_a_strangers(room: Room) -> None:
    instructor = room.instructor()
    name = f"twinshop_workshop_{PORT}"
    good = instructor.get_cookie(name, domain="127.0.0.1")
    assert good is not None
    body, _, proof = good.value.rpartition(".")
    for forged in (f"{body}.{proof[::-1]}", f"{body[::-1]}.{proof}", body, "W10", "", "x" * 4000):
        client = room.somebody()
        client.set_cookie(name, forged, domain="127.0.0.1")
        assert get(client, "/api/me").json["instructor"] is False


@pytest.mark.parametrize("hours", [-1, 25])
def test_a_clock_that_is_set_takes_nobody_s_seat(room: Room, monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    somebody = room.somebody()
    before = get(somebody, "/api/me").json
    now_s = time.time() + hours * 3600
    monkeypatch.setattr(time, "time", lambda: now_s)
    assert get(somebody, "/api/me").json == before


def test_a_cookie_s_life_is_said_in_seconds_for_a_date_means_the_telephone_s_clock(room: Room) -> None:
    cookie = get(room.app.test_client(), "/").headers["Set-Cookie"]
    assert f"Max-Age={COOKIE_LIFE_S}" in cookie
    assert get(room.somebody(), "/").headers.get("Set-Cookie") is None, "who has theirs is given no other"


def test_who_one_is_is_no_proof_of_being_them(room: Room) -> None:
    """A prediction's `who` stands in a file that everybody gets."""
    room.goes_to("predict")
    victim = room.somebody()
    who = get(victim, "/api/me").json["who"]
    thief = room.somebody()
    thief.set_cookie(f"twinshop_workshop_{PORT}", who, domain="127.0.0.1")
    assert get(thief, "/api/me").json["who"] != who


def test_every_answer_is_protected(room: Room) -> None:
    room.goes_to("run")
    for method, path in addresses(room):
        answer = room.somebody().open(path, method=method, base_url=HOME, json={})
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert answer.headers["Cache-Control"] == "no-store" or path.startswith("/static/"), path
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy, path
        assert "unsafe" not in policy, path
        answer.close()


def test_a_report_may_not_act_in_the_dashboards_name(room: Room) -> None:
    (room.folder / "report.html").write_text("<p>")
    room.goes_to("explain", predict=False)
    assert get(room.somebody(), "/report").headers["Content-Security-Policy"].startswith("sandbox allow-scripts ")


def test_the_pages_have_nothing_inline_but_one_script_that_the_policy_names(room: Room) -> None:
    for path, own in (("/", f"<script>{SCRIPT}</script>"), ("/join", ""), ("/what-you-do", "")):
        answer = get(Room(room.folder / "other", join_code="" if own else "x").somebody(), path)
        page = answer.text
        assert own in page
        digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
        assert (f"'sha256-{digest}'" in answer.headers["Content-Security-Policy"]) == bool(own)
        page = page.replace(own, "")
        assert "<style" not in page
        assert " style=" not in page
        assert "<script>" not in page
        assert "onclick" not in page


def test_too_much_is_not_read(room: Room) -> None:
    room.goes_to("predict")
    answer = commit(room.somebody(), reason="x" * 20_000)
    assert answer.status_code == 413
    assert set(answer.json) == {"error", "why", "next"}


@pytest.mark.parametrize(
    "path", ["/api/losses/left/-1", "/api/losses/middle/0", "/api/losses/left/99999999", "/api/nothing", "/api/%00"]
)
def test_what_is_not_there_is_said_as_json_to_a_program(room: Room, path: str) -> None:
    room.goes_to("run", predict=False)
    answer = get(room.somebody(), path)
    assert answer.status_code == 404
    assert set(answer.json) == {"error", "why", "next"}


def test_what_is_not_there_is_a_page_for_a_person(room: Room) -> None:
    answer = get(room.somebody(), "/nothing", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"


def test_our_own_mistakes_show_no_traceback(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    (room.folder / "results.json").write_text("SECRET damaged")
    room.goes_to("explain", predict=False)
    answer = get(room.somebody(), "/api/observed?key=SECRET")
    assert answer.status_code == 500
    assert b"Traceback" not in answer.data
    assert b"SECRET" not in answer.data
    said = capsys.readouterr().err
    assert "/api/observed" in said
    assert "SECRET" not in said


def test_commands_have_nobody_to_go_to_in_a_recorded_run(room: Room) -> None:
    recorded = Room(room.folder / "other", harness=False)
    assert post(recorded.instructor(), "/api/commands", EndWorkshop()).status_code == 409


class TestJoining:
    def test_nobody_comes_in_without_the_code(self, open_room: Room) -> None:
        open_room.goes_to("open", episode="")
        client = open_room.somebody()
        assert get(client, "/").headers["Location"] == "/join"
        for method, path in addresses(open_room):
            if path not in ("/join", "/what-you-do", "/healthz") and not path.startswith("/static"):
                answer = client.open(path, method=method, base_url=HOME, json={})
                assert answer.status_code in (303, 403), path

    @pytest.mark.parametrize("typed", ["apple-42", "APPLE-42", " apple 42 ", "Apple42"])
    def test_the_code_opens_however_it_is_typed(self, open_room: Room, typed: str) -> None:
        client = open_room.somebody()
        assert post(client, "/join", {"code": typed}).json == {"joined": True}
        assert get(client, "/").status_code == 200
        assert get(client, "/api/me").json["instructor"] is False

    def test_the_form_of_the_door_works_without_a_script(self, open_room: Room) -> None:
        client = open_room.somebody()
        form = client.post("/join", base_url=HOME, data={"code": "apple-42"}, headers={"Origin": HOME})
        assert (form.status_code, form.headers["Location"]) == (303, "/")
        assert get(client, "/").status_code == 200

    def test_the_instructor_needs_no_code(self, open_room: Room) -> None:
        assert get(open_room.instructor(), "/").status_code == 200

    def test_guesses_are_bounded_from_one_address(self, open_room: Room) -> None:
        client = open_room.somebody()
        for _ in range(10):
            assert post(client, "/join", {"code": "wrong"}).status_code == 403
        answer = post(client, "/join", {"code": "apple-42"})
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 61
        open_room.clock_s += 61
        assert post(client, "/join", {"code": "apple-42"}).status_code == 200

    def test_who_guesses_locks_out_nobody_else(self, open_room: Room) -> None:
        def guess(number: int, code: str) -> int:
            from_there = {"REMOTE_ADDR": f"10.0.{number // 250}.{number % 250}"}
            return int(post(open_room.somebody(), "/join", {"code": code}, environ_base=from_there).status_code)

        assert {guess(number % 10, "wrong") for number in range(100)} == {403}
        assert guess(3, "apple-42") == 429
        assert guess(300, "apple-42") == 200
        assert get(open_room.instructor(), "/").status_code == 200

    def test_a_cookie_of_another_workshop_opens_nothing(self, open_room: Room) -> None:
        elsewhere = Room(open_room.folder / "other", join_code="pear-7")
        client = elsewhere.somebody()
        post(client, "/join", {"code": "pear-7"})
        name = f"twinshop_workshop_{PORT}"
        cookie = client.get_cookie(name, domain="127.0.0.1")
        assert cookie is not None
        stranger = open_room.somebody()
        stranger.set_cookie(name, cookie.value, domain="127.0.0.1")
        assert get(stranger, "/api/me").status_code == 403


def test_replies_decode_as_the_contract_says(room: Room) -> None:
    answer = post(room.instructor(), "/api/commands", Release())
    assert msgspec.json.decode(answer.data, type=CommandReply) == CommandReply(True)
