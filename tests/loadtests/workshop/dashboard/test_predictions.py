"""Predictions: once per person and round, on the disk first, and only what was asked."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest

from loadtests.workshop.contract import CommittedPrediction
from loadtests.workshop.dashboard.predictions import PredictionsBook
from loadtests.workshop.dashboard.refusals import Refusal
from loadtests.workshop.predictions import FILE, append_prediction, read_predictions, tally
from tests.loadtests.workshop.dashboard.room import ANSWERS, Room, commit, get


def said(who: str, left: str = "10") -> CommittedPrediction:
    return CommittedPrediction(1, who, "", {"left": left}, "Because.")


def test_it_is_on_the_disk_before_it_is_acknowledged(room: Room) -> None:
    room.goes_to("predict")
    client = room.somebody()
    assert commit(client, name=" Ada ").status_code == 201
    (kept,) = read_predictions(room.folder)
    assert (kept.who, kept.name, kept.answers) == (get(client, "/api/me").json["who"], "Ada", ANSWERS)
    assert get(client, "/api/me").json["committed"] is True


def test_it_is_committed_once(room: Room) -> None:
    room.goes_to("predict")
    client = room.somebody()
    commit(client)
    assert commit(client, reason="I have changed my mind").status_code == 409
    assert len(read_predictions(room.folder)) == 1


def test_it_outlives_a_restart(room: Room) -> None:
    room.goes_to("predict")
    client = room.somebody()
    commit(client)
    again = Room(room.folder.parent)
    again.goes_to("run")
    cookie = client.get_cookie("twinshop_workshop_8080", domain="127.0.0.1")
    assert cookie is not None
    same = again.somebody()
    same.set_cookie(cookie.key, cookie.value, domain="127.0.0.1")
    assert get(same, "/api/me").json["committed"] is True
    assert commit(same).status_code == 409


@pytest.mark.parametrize(
    "fields",
    [
        {"answers": {}},
        {"answers": {**ANSWERS, "left": ""}},
        {"answers": {**ANSWERS, "left": "many"}},
        {"answers": {**ANSWERS, "left": "-1"}},
        {"answers": {**ANSWERS, "left": "nan"}},
        {"answers": {**ANSWERS, "left": "inf"}},
        {"answers": {**ANSWERS, "left": "1e12"}},
        {"answers": {**ANSWERS, "left": "1" * 41}},
        {"answers": {**ANSWERS, "you": "perhaps"}},
        {"answers": {**ANSWERS, "another": "1"}},
        {"answers": {**ANSWERS, "left": 10}},
        {"reason": ""},
        {"reason": " \n"},
        {"reason": "x" * 501},
        {"name": "x" * 41},
        {"who": "somebody else"},
    ],
    ids=str,
)
def test_what_is_no_whole_prediction_is_refused_and_may_be_mended(room: Room, fields: dict[str, object]) -> None:
    room.goes_to("predict")
    client = room.somebody()
    answer = commit(client, **fields)
    assert answer.status_code == 400
    assert answer.json["error"]
    assert read_predictions(room.folder) == ()
    assert commit(client).status_code == 201


@pytest.mark.parametrize(
    ("given", "kept"), [("10", "10"), ("10.0", "10"), (" 010 ", "10"), ("2,5", "2.5"), ("1e1", "10")]
)
def test_equal_numbers_are_kept_in_one_form(room: Room, given: str, kept: str) -> None:
    room.goes_to("predict")
    commit(room.somebody(), answers={**ANSWERS, "left": given})
    assert read_predictions(room.folder)[0].answers["left"] == kept


def test_control_characters_are_left_out(room: Room) -> None:
    room.goes_to("predict")
    commit(room.somebody(), reason="one\ntwo\x00\x1b[31m\u202e", name="A\nda")
    kept = read_predictions(room.folder)[0]
    assert (kept.reason, kept.name) == ("one\ntwo[31m", "A da")


def test_where_nothing_is_asked_nothing_is_taken(room: Room) -> None:
    room.goes_to("open", episode="")
    assert commit(room.somebody()).status_code == 409
    room.goes_to("run", predict=False)
    assert commit(room.somebody()).status_code == 409
    assert not (room.folder / FILE).exists()


def test_before_the_round_has_a_folder_one_is_asked_to_wait(room: Room) -> None:
    assert commit(room.somebody()).status_code == 503
    room.goes_to("starting", folder="")
    assert commit(room.somebody()).status_code == 503


def test_while_one_is_written_the_same_person_is_refused(tmp_path: Path) -> None:
    refused = []

    def slow_disk(folder: Path, prediction: CommittedPrediction) -> None:
        with pytest.raises(Refusal) as caught:
            book.commit(prediction)
        refused.append(caught.value.status)
        append_prediction(folder, prediction)

    book = PredictionsBook(tmp_path, slow_disk)
    book.commit(said("a"))
    assert refused == [409]
    assert len(read_predictions(tmp_path)) == 1


def test_what_could_not_be_written_does_not_count(tmp_path: Path) -> None:
    def full_disk(folder: Path, prediction: CommittedPrediction) -> None:
        raise OSError(28, "No space left on device")

    book = PredictionsBook(tmp_path, full_disk)
    with pytest.raises(Refusal) as caught:
        book.commit(said("a"))
    assert caught.value.status == 507
    assert not book.has("a")


def test_a_line_that_was_cut_off_is_left_out_and_spoils_no_other(tmp_path: Path) -> None:
    append_prediction(tmp_path, said("a"))
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"at_us":1,"who":"b","na')
    append_prediction(tmp_path, said("c"))
    assert [it.who for it in read_predictions(tmp_path)] == ["a", "c"]


def test_each_is_a_line_of_its_own(tmp_path: Path) -> None:
    for who in "abc":
        append_prediction(tmp_path, said(who))
    lines = (tmp_path / FILE).read_bytes().splitlines()
    assert [msgspec.json.decode(line, type=CommittedPrediction).who for line in lines] == ["a", "b", "c"]
    assert stat.S_ISREG((tmp_path / FILE).stat().st_mode)


def test_answers_are_counted_numbers_in_order(tmp_path: Path) -> None:
    answers = ["10", "9", "both", "10", "2.5"]
    assert list(tally([said("x", answer) for answer in answers], "left").items()) == [
        ("2.5", 1), ("9", 1), ("10", 2), ("both", 1),
    ]  # fmt: skip
