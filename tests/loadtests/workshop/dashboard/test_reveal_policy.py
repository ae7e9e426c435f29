"""Results stay covered until a prediction is committed: on every page and address there is, for everybody."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from loadtests.workshop.contract import Phase
from loadtests.workshop.dashboard.broadcaster import is_covered
from loadtests.workshop.episode_file import episode_named
from tests.loadtests.workshop.dashboard.room import HOME, Room, commit, get
from tests.loadtests.workshop.dashboard.scripted import EPISODE, a_round, a_workshop

RESULT = re.compile(
    rb'SECRET|logged_out|"losses"|"counts"|"shoppers":\[|"broken":\[\{|"guests":\[\{|event: (frame|picture)'
)
"""What tells something of a round: accounts to look oneself, what is broken, frames, numbers, losses, the report."""
COVERED_PHASES: tuple[Phase, ...] = ("starting", "predict", "run", "closing", "explain", "failed")


def everything(room: Room, client: FlaskClient) -> dict[str, bytes]:
    """What is answered at every address there is, with every value that an address can hold; of a stream, its start."""
    found = {}
    for rule in room.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint == "static":
            continue
        for path in {re.sub("<side>", side, re.sub("<int:number>", "0", rule.rule)) for side in ("left", "right")}:
            answer = get(client, path, buffered=False)
            pieces = iter(answer.response)
            found[path] = b"".join(next(pieces, b"") for _ in range(2)) if path == "/events" else answer.data
            answer.close()
    return found


def told(found: dict[str, bytes]) -> list[str]:
    """Addresses that tell a result. The page itself explains what the numbers mean, in every phase."""
    return sorted(path for path, said in found.items() if path != "/" and RESULT.search(said))


def with_results(room: Room) -> None:
    """Everything that could be found out is there."""
    (room.folder / "report.html").write_text("SECRET-REPORT")


@pytest.mark.parametrize("phase", COVERED_PHASES)
@pytest.mark.parametrize("who", ["somebody", "instructor"])
def test_a_crawler_finds_no_result_before_the_commit(room: Room, phase: Phase, who: str) -> None:
    with_results(room)
    room.goes_to(phase)
    found = everything(room, getattr(room, who)())
    assert len(found) >= 10
    assert told(found) == []
    assert b"event: covered" in found["/events"]


def test_the_page_is_the_same_whatever_happened(room: Room) -> None:
    room.goes_to("predict")
    client = room.somebody()
    before = get(client, "/").data
    room.goes_to("run")
    assert get(client, "/").data == before


def test_the_crawler_would_have_found_it(room: Room) -> None:
    with_results(room)
    room.goes_to("explain", predict=False)
    assert told(everything(room, room.somebody())) == [
        "/api/frames", "/api/losses/left/0", "/api/losses/right/0", "/events", "/report",
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["/api/frames", "/api/losses/left/0", "/api/observed", "/report"])
def test_a_covered_address_says_why(room: Room, path: str) -> None:
    with_results(room)
    room.goes_to("run")
    answer = get(room.somebody(), path, headers={"Accept": "application/json"})
    assert answer.status_code == 403
    assert b"covered" in answer.data


def test_who_commits_late_sees_from_then_on(room: Room) -> None:
    room.goes_to("run")
    late, never = room.somebody(), room.somebody()
    assert commit(late).status_code == 201
    assert get(late, "/api/frames").status_code == 200
    assert b"event: picture" in everything(room, late)["/events"]
    assert get(never, "/api/frames").status_code == 403


def test_a_commit_counts_in_its_own_round_only(room: Room, tmp_path: Path) -> None:
    room.goes_to("run")
    client = room.somebody()
    commit(client)
    (tmp_path / "another").mkdir()
    room.goes_to("run", number=2, folder=tmp_path / "another")
    assert get(client, "/api/frames").status_code == 403


def test_others_predictions_are_counted_only_as_long_as_one_is_covered(room: Room) -> None:
    room.goes_to("predict")
    early, never = room.somebody(), room.somebody()
    commit(early)
    assert get(early, "/api/predictions").json == {"count": 1}
    room.goes_to("run")
    assert get(never, "/api/predictions").json == {"count": 1}
    answers = {"left": {"10": 1}, "right": {"0": 1}, "you": {"right": 1}}
    assert get(early, "/api/predictions").json == {"count": 1, "answers": answers}


def test_questions_come_without_their_answers(room: Room) -> None:
    room.goes_to("predict")
    card = get(room.somebody(), "/api/episode").json
    assert [question["id"] for question in card["questions"]] == ["left", "right", "you"]
    assert not {"truth", "observed", "when"} & {key for question in card["questions"] for key in question}
    assert "explanation" not in card
    assert len(card["tips"]) == 2, "the third one is the solution"
    assert "new_idea" not in card


def test_the_solution_is_the_instructors_until_the_round_is_over(room: Room) -> None:
    room.goes_to("run")
    client, instructor = room.somebody(), room.instructor()
    for each in (client, instructor):
        commit(each)
    card = get(client, "/api/episode").json
    assert (len(card["tips"]), "new_idea" in card) == (2, True)
    assert len(get(instructor, "/api/episode").json["tips"]) == 3
    room.goes_to("explain")
    assert len(get(client, "/api/episode").json["tips"]) == 3


def test_the_explanation_comes_when_all_is_over(room: Room) -> None:
    room.goes_to("run")
    client = room.somebody()
    commit(client)
    assert "explanation" not in get(client, "/api/episode").json
    room.goes_to("explain")
    assert get(client, "/api/episode").json["explanation"]
    assert "explanation" not in get(room.somebody(), "/api/episode").json


def test_minutes_are_the_instructors(room: Room) -> None:
    room.goes_to("predict")
    assert "minutes" not in get(room.somebody(), "/api/episode").json
    assert get(room.instructor(), "/api/episode").json["minutes"] == episode_named(EPISODE).minutes


@pytest.mark.parametrize("phase", ["open", "run", "explain"])
def test_free_play_and_rounds_without_predictions_cover_nothing(tmp_path: Path, phase: Phase) -> None:
    free = a_workshop(a_round(tmp_path, phase, episode=""))
    unasked = a_workshop(a_round(tmp_path, phase), predict=False)
    assert not is_covered(free, committed=False)
    assert not is_covered(unasked, committed=False)


def test_nobody_sees_anything_while_people_predict(tmp_path: Path) -> None:
    assert is_covered(a_workshop(a_round(tmp_path, "predict")), committed=True)
    assert not is_covered(a_workshop(a_round(tmp_path, "run")), committed=True)


def test_before_there_is_a_workshop_nothing_is_told(room: Room) -> None:
    assert told(everything(room, room.somebody())) == ["/events"], "an empty picture"
    assert get(room.somebody(), "/api/me", base_url=HOME).json["round"] == 0
