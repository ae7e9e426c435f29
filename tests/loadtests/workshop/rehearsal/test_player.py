"""Scripts are played on the real dashboard, with a made-up round and a harness that obeys."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from loadtests.workshop.contract import Break, Close, Heal, Release, RoundSide
from loadtests.workshop.episode import Episode, ScriptStep
from loadtests.workshop.episode_file import episode_named
from loadtests.workshop.rehearsal.dashboard_client import DashboardClient, RoomVisitor
from loadtests.workshop.rehearsal.player import Player, begin, check_observed
from shared.errors import NotReadyInTime, TwinshopError
from tests.loadtests.standins import standin_shop
from tests.loadtests.workshop.dashboard.process import TOKEN
from tests.loadtests.workshop.dashboard.stage import on_stage

PREDICT = ScriptStep("predict", answers={"left": "10", "right": "0", "you": "right"}, reason="It knew them.")


def scripted(*steps: ScriptStep) -> Episode:
    return msgspec.structs.replace(episode_named("2"), script=(PREDICT, ScriptStep("release"), *steps))


def play(client: DashboardClient, episode: Episode) -> Player:
    """With a participant who opens the page, since nobody is asked for a code."""
    with closing(RoomVisitor(client.home)) as visitor:
        visitor.joins("")
        player = Player(client, episode, visitor)
        player.play()
    return player


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtests.workshop.rehearsal.player.RELEASE_WITHIN_S", 10.0)


def test_a_whole_episode_as_the_browser_would_play_it(tmp_path: Path) -> None:
    episode = scripted(
        ScriptStep("wait", until="right.shopping >= U"),
        ScriptStep("break", kind="kill", victim="n2"),
        ScriptStep("wait", until="left.broken == 1 and right.broken == 1"),
        ScriptStep("heal"),
        ScriptStep("wait", until="left.broken == 0 and left.logged_out > 0"),
        ScriptStep("close"),
    )
    with on_stage(tmp_path, "predict") as played, DashboardClient(f"{played.home}/?key={TOKEN}") as client:
        begin(client, episode, 10.0)
        player = play(client, episode)
        assert player.complaints == []
        assert played.stage.told == [Release(), Break("kill", ("left", "right"), "n2"), Heal(), Close()]
        assert check_observed(client, {"left": "10", "right": "0", "you": "right"}) == []
        assert client.seen.gaps == []


def test_what_can_be_seen_before_the_prediction_is_complained_of(tmp_path: Path) -> None:
    with (
        on_stage(tmp_path, "predict", predict=False) as played,
        DashboardClient(f"{played.home}/?key={TOKEN}") as client,
    ):
        begin(client, scripted(), 10.0)
        player = play(client, scripted())
    assert "/api/frames before the prediction: answered with 200, not 403" in player.complaints[0]
    assert any(complaint.startswith("the prediction: answered with 409") for complaint in player.complaints)
    assert "the solution is told before the prediction" in player.complaints


def test_what_does_not_come_in_time_is_an_error_that_says_what_is_shown_instead(tmp_path: Path) -> None:
    episode = scripted(ScriptStep("wait", until="left.logged_out > U", within_s=0.2))
    with on_stage(tmp_path, "predict") as played, DashboardClient(f"{played.home}/?key={TOKEN}") as client:
        begin(client, episode, 10.0)
        with pytest.raises(NotReadyInTime, match=r"left\.logged_out > U") as caught:
            play(client, episode)
    assert "it shows phase run" in caught.value.why


def test_a_command_that_is_refused_is_an_error(tmp_path: Path) -> None:
    with on_stage(tmp_path, "run") as played, DashboardClient(played.home) as client:
        with pytest.raises(TwinshopError, match="refused") as caught:
            client.command(Close())
        assert "has not shown the instructor's key" in caught.value.why


def test_a_dashboard_that_goes_away_is_noticed_at_once(tmp_path: Path) -> None:
    with on_stage(tmp_path, "predict") as played:
        client = DashboardClient(f"{played.home}/?key={TOKEN}")
    with client, pytest.raises(NotReadyInTime) as caught:
        client.wait_until("anything", lambda seen: False, 20.0)
    assert "the dashboard" in caught.value.why


def test_another_observation_than_the_files_is_complained_of(tmp_path: Path) -> None:
    with on_stage(tmp_path, "predict") as played, DashboardClient(f"{played.home}/?key={TOKEN}") as client:
        begin(client, scripted(), 10.0)
        play(client, scripted(ScriptStep("close")))
        (told,) = check_observed(client, {"left": "11", "right": "0", "you": "right"})
    assert "'left': '10'" in told


def test_a_person_goes_shopping_and_is_known_until_they_are_not() -> None:
    with standin_shop() as shop:
        person = RoomVisitor(f"http://127.0.0.1:{shop.port}")
        side = RoundSide("left", "redis", False, person.home, (), (), ())
        assert person.asks_shop(side.shop_url, "login", user="guest-00", password="shop").ok
        assert person.is_known(side) is True
        assert person.node
        shop.rule(at="GET /cart", do="status 401")
        assert person.is_known(side) is False
        person.close()
