"""What became of one shopper: the session life in words, and the very losses that the judge names, nobody else's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from loadtests.checks.logged_out import LoggedOut
from loadtests.judging.explaining import SessionStory, ShopperStory, Storyteller, explain, story_in_words
from loadtests.judging.judge import judge
from loadtests.judging.replay import HistoryReplay
from loadtests.model.history import Exchange, StoredOrder, encode_records, read_history
from loadtests.model.results import Loss
from loadtests.model.run_folder import RunFolder
from loadtests.session_model.timeline import RunTimeline
from shared.errors import UsageError
from tests.loadtests.model_run import write_run
from tests.loadtests.session_model.accused import strike, where
from tests.loadtests.stories import Story


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return write_run(tmp_path_factory.mktemp("runs") / "20261121-000000-model-1")


def test_each_shopper_has_the_losses_that_the_judge_names(run: RunFolder) -> None:
    judged = judge(run.root).architectures
    assert judged["sticky-memory"].losses
    for shopper in range(1, 10):
        stories = explain(run.root, shopper)
        assert [story.architecture for story in stories] == ["sticky-memory", "redis"]
        for story in stories:
            assert (story.shopper, story.user) == (shopper, f"user-000{shopper}")
            assert story.losses == tuple(
                loss for loss in judged[story.architecture].losses if loss.shopper == shopper
            ), "orders of the database count, too: none is missing"
            ended = [session.cause for session in story.sessions if session.cause]
            assert ended == [loss.cause for loss in story.losses if loss.kind == "logged_out"]
            assert story.sessions[0].opened_ms > 0


def test_an_order_that_the_database_lacks_is_told_to_whom_it_was_acknowledged(tmp_path: Path) -> None:
    run = write_run(tmp_path / "20261121-000000-model-3")
    records = list(read_history(run.history))
    promised = {record.order: record.shopper for record in records if isinstance(record, Exchange) and record.order}
    gone = next(record for record in records if isinstance(record, StoredOrder) and record.order in promised)
    run.history.write_bytes(encode_records(record for record in records if record is not gone))
    (story,) = explain(run.root, promised[gone.order], (gone.architecture,))
    judged = judge(run.root).architectures[gone.architecture].losses
    assert [loss.shopper for loss in judged if loss.kind == "order_lost"] == [story.shopper]
    assert [loss.kind for loss in story.losses].count("order_lost") == 1


def test_what_another_shopper_was_answered_refutes_a_cause(tmp_path: Path) -> None:
    run = write_run(tmp_path / "20261121-000000-model-4", architectures=("signed-token",))
    shown = list(read_history(run.history))
    ended = max(record.done_us for record in shown if isinstance(record, Exchange)) / 1e6
    for shopper, status in ((1, 200), (2, 401)):
        told = Story(shopper, "signed-token").at(ended + 1).login().logout().probe("stolen", status=status)
        shown += told.exchanges
    run.history.write_bytes(encode_records(shown))
    (story,) = explain(run.root, 1)
    assert story.losses == tuple(
        loss for loss in judge(run.root).architectures["signed-token"].losses if loss.shopper == 1
    )
    assert [loss.cause for loss in story.losses if loss.kind == "still_logged_in"] == ["unexplained"]


def test_of_the_architectures_that_are_named(run: RunFolder) -> None:
    assert [story.architecture for story in explain(run.root, 1, ("redis",))] == ["redis"]
    with pytest.raises(UsageError) as refused:
        explain(run.root, 1, ("redis", "rediss"))
    assert str(refused.value).startswith("'rediss' is no architecture of this run")


@pytest.mark.parametrize("shopper", [0, 10])
def test_who_never_was_there(run: RunFolder, shopper: int) -> None:
    with pytest.raises(UsageError, match=f"there is no shopper {shopper} in model"):
        explain(run.root, shopper)


def test_an_architecture_of_which_nothing_was_asked_has_no_sessions(run: RunFolder, tmp_path: Path) -> None:
    """The run was cut off before its first shopper came: its cluster was ready."""
    cut = write_run(tmp_path / "20261121-000000-model-2")
    lines = cut.history.read_bytes().splitlines(keepends=True)
    cut.history.write_bytes(b"".join(line for line in lines if b'"sticky-memory"' in line))
    sticky, redis = explain(cut.root, 1)
    assert sticky.sessions
    assert (redis.sessions, redis.losses) == ((), ())
    events = cut.events.read_bytes().splitlines(keepends=True)
    cut.events.write_bytes(b"".join(line for line in events if b'"sticky-memory"' in line))
    assert [story.architecture for story in explain(cut.root, 1)] == ["sticky-memory"], "never begun"


def sessions(told: Story, run: RunTimeline) -> tuple[SessionStory, ...]:
    teller = Storyteller(HistoryReplay(run), told.shopper)
    for exchange in told.exchanges:
        teller.add(exchange)
    return teller.sessions


KILLED = where("sticky-memory", strike("kill", heal=5.5))


def test_each_session_ends_as_it_did() -> None:
    told = Story().login("n1").at(1).login("n1").at(2).logout(node="n1").at(3).login("n2").at(6).stranger(node="n2")
    told.login("n3", why="recovery")
    found = sessions(told, KILLED)
    assert [(each.opened_ms, each.node, each.ended_ms, each.ended, each.cause) for each in found] == [
        (10.0, "n1", 1010.0, "another login of the shopper", ""),
        (1010.0, "n1", 2010.0, "the shopper logged out", ""),
        (3010.0, "n2", 6010.0, "n2 answered as to a stranger: node_killed", "node_killed"),
        (6110.0, "n3", None, "nothing: it was good at the end of the run, as far as anybody looked", ""),
    ]


def test_a_node_that_nobody_saw_is_said_to_be_unknown() -> None:
    (session,) = sessions(Story().login("").at(6).stranger(node=""), KILLED)
    assert session.node == ""
    assert session.ended == "a node that nobody knows answered as to a stranger: unexplained"
    assert session.considered[1] == (
        "killing n2: which node held the session, and which one answered, nobody could see"
    )
    (at_home,) = sessions(Story().login("n1").at(6).stranger(node=""), KILLED)
    assert "killing n2: which node answered, nobody could see" in at_home.considered
    opened, written = story_in_words(ShopperStory("sticky-memory", 1, "user-0001", (session,), ())).splitlines()[1:3]
    assert opened.endswith("at 0.0 s at a node that nobody knows, in the memory of a node that nobody knows")
    assert written.startswith("    last written at 0.0 s by a node that nobody knows;")


def test_a_write_that_nobody_answered_may_have_prolonged_it() -> None:
    told = Story().login("n2").at(2).add("tea", status=0, node="n2")
    (session,) = sessions(told, KILLED)
    assert (session.written_ms, session.perhaps_written_ms, session.good_until_ms) == (10.0, 2010.0, 3_602_000.0)
    lines = story_in_words(ShopperStory("sticky-memory", 1, "user-0001", (session,), ())).splitlines()
    assert lines[3] == "    perhaps written at 2.0 s: nobody answered"


def test_who_signed_it_and_by_which_clock() -> None:
    at = where("signed-token", strike("key-swap", at=-3, heal=-2), strike("clock-ahead", "n1", at=-1))
    for node, signed, off, by in (
        ("n2", "next", 0.0, "by n2, signed with its next key"),
        ("n1", "own", 5.0, "by n1, signed with its own key, whose clock was off by +5 s"),
        ("n3", "own", 0.0, "by n3, signed with its own key"),
    ):
        (session,) = sessions(Story().login(node), at)
        assert (session.signed_with, session.clock_off_s) == (signed, off)
        told = story_in_words(ShopperStory("signed-token", 1, "user-0001", (session,), ()))
        assert f"last written at 0.0 s {by}; good until" in told
    (nowhere,) = sessions(Story().login(""), where("redis"))
    assert (nowhere.signed_with, nowhere.held) == ("", "in the session store")
    told = story_in_words(ShopperStory("redis", 1, "user-0001", (nowhere,), ()))
    assert "by a node that nobody knows; good until" in told


def test_a_thief_who_renews_it_is_heard_of() -> None:
    told = Story().login().at(0.5).say("read_cookie", 0, jar="thief").at(2).probe("thief").at(4).stranger("me")
    (session,) = sessions(told, where("refresh-token", access_lifetime_s=1.0))
    assert session.cause == "refresh_stolen"
    assert session.counterfactual


def test_the_cause_of_one_logout_is_not_told_of_the_next_if_the_check_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    names = LoggedOut.contradicted

    def raises_at_the_second(check: LoggedOut, *told: Any) -> None:
        if check.losses:
            raise RuntimeError("a bug")
        names(check, *told)

    monkeypatch.setattr(LoggedOut, "contradicted", raises_at_the_second)
    told = Story().login("n2").at(6).stranger(node="n2").login("n3").at(9).stranger(node="n3")
    assert [(each.ended, each.cause) for each in sessions(told, KILLED)] == [
        ("n2 answered as to a stranger: node_killed", "node_killed"),
        ("n3 answered as to a stranger: unexplained", "unexplained"),
    ]


def test_what_other_cookies_do_and_what_was_not_sent_opens_nothing() -> None:
    told = Story().say("login", jar="second")
    told.exchanges.append(msgspec.structs.replace(told.last, jar="main", outcome="not_sent"))
    assert sessions(told, KILLED) == ()


def test_in_words_each_line_stands_where_it_belongs() -> None:
    (session,) = sessions(Story().login("n2").at(6).stranger(node="n2"), KILLED)
    lost = Loss("logged_out", 1, 6010.0, "n1", "node_killed", (), counterfactual="without it", considered=("a", "b"))
    in_database = Loss("order_lost", 1, 7000.0, "", "unexplained", ())
    told = ShopperStory("sticky-memory", 1, "user-0001", (session,), (lost, in_database))
    assert story_in_words(told).splitlines() == [
        "shopper 1 (user-0001) in sticky-memory",
        "  session 1: opened by the login at 0.0 s at n2, in the memory of n2",
        "    last written at 0.0 s by n2; good until 3,600.0 s",
        "    ended at 6.0 s: n2 answered as to a stranger: node_killed",
        "    without killing n2 at 5.0 s, this session was good until 3,600.0 s",
        "  2 losses:",
        "  6.0 s logged_out (node_killed), shown by n1",
        "    without it",
        "    considered and excluded: a",
        "    considered and excluded: b",
        "  7.0 s order_lost (unexplained)",
    ]
    assert story_in_words(ShopperStory("redis", 2, "user-0002", (), (lost,))).splitlines()[1:3] == [
        "  never logged in", "  1 loss:",
    ]  # fmt: skip
    assert story_in_words(ShopperStory("redis", 2, "user-0002", (), ())).splitlines()[2] == "  no losses"
