"""Episodes are read strictly: what makes no sense is named, with the file it stands in."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.workshop.episode import Episode
from loadtests.workshop.episode_file import (
    EPISODES,
    episode_named,
    find_episode,
    load_episodes,
    read_episode,
)
from shared.errors import ScenarioError, UsageError

EXAMPLE = EPISODES / "2-kill-one-of-three.toml"


def read_changed(old: str, new: str, file: Path = EXAMPLE) -> Episode:
    text = EXAMPLE.read_text()
    assert old in text
    return read_episode(text.replace(old, new, 1).encode(), file=file)


def test_an_episode_is_found_by_name_and_by_number() -> None:
    assert episode_named("2") is episode_named("kill-one-of-three")
    assert episode_named("2").architectures == ("sticky-memory", "redis")
    assert find_episode("2") is episode_named("2")
    assert find_episode("runs/latest") is None


def test_an_unknown_episode_is_answered_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="no episode 'kill-one-of-tree'") as caught:
        episode_named("kill-one-of-tree")
    assert "2 kill-one-of-three" in caught.value.why
    assert "did you mean 'kill-one-of-three'" in caught.value.why


def test_its_texts_name_as_many_shoppers_as_the_round_has() -> None:
    for episode in load_episodes():
        said = episode.of_so_many(12)
        texts = [said.scenario.story, *(question.text for question in said.questions)]
        assert not [text for text in texts if "30" in text or "hirty" in text]
        assert any("12 " in text for text in texts)
        assert episode.of_so_many(30) == episode
    of_cookies = episode_named("4").of_so_many(12).questions[0].text
    assert of_cookies.startswith("12 shoppers have logged out. How many of the 12 copied cookies")


def test_episodes_come_in_the_order_of_the_lesson() -> None:
    assert [episode.number for episode in load_episodes()] == [1, 2, 3, 4, 5]


def test_they_leave_time_of_the_ninety_minutes_and_a_check_comes_every_fifteen() -> None:
    assert sum(episode.minutes for episode in load_episodes()) <= 75
    assert max(episode.minutes for episode in load_episodes()) <= 15


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("number = 2\n", "number = 3\n", "its name begins with '2', and its number is 3"),
        ('title = "Kill', 'titel = "Kill', "titel"),
        ("minutes = 15", 'minutes = "15"', "minutes"),
        ('left = "sticky-memory"', 'left = "sticky-memories"', "no architecture 'sticky-memories'"),
        ('left = "sticky-memory"', 'left = "redis"', "'redis' is named twice"),
        ('buttons = ["kill"]', 'buttons = ["kil"]', "no fault 'kil'"),
        ('buttons = ["kill"]', 'buttons = ["kill", "workers"]', "workers cannot be made while the cluster runs"),
        ('buttons = ["kill"]', 'buttons = ["kill", "store-cut"]', "store-cut cannot be made while the cluster runs"),
        ('buttons = ["kill"]\nabout = ["kill"]', 'buttons = ["stop"]', "'kill' is none of the buttons"),
        ('logged_out = "at_risk"', 'logged_out = "at risk"', "at risk"),
        ('logged_out = "at_risk"', 'loggedout = "at_risk"', "no measure 'loggedout'"),
        ('[expect.redis]\nlogged_out = "0"\n', "", "nothing is expected of redis"),
        ("[expect.redis]", "[expect.signed-token]", "no architecture of this scenario 'signed-token'"),
        ('about = ["kill"]', 'about = ["stop"]', "about: stop is none of the buttons"),
        ('observed = "left.logged_out"', 'observed = "left.loggedout"', "no number 'left.loggedout'"),
        ('observed = "left.logged_out"', "", "nothing answers it"),
        ('truth = "right"', 'truth = "somewhere"', "none of its choices"),
        ('id = "right"', 'id = "left"', "two have one id"),
        ('rule = "left.observed.kill >= 1"', 'rule = "left.seen.kill >= 1"', "no number 'left.seen.kill'"),
        ('rule = "left.observed.kill >= 1"', 'rule = "left.observed.kill"', "neither true nor false"),
        ('answers = { left = "10", ', "answers = { ", "it predicts ['right', 'you']"),
        ('do = "release"', 'do = "heal"', "begins with predict and release"),
        ("when one of three nodes dies?", "when one of three nodes dies.", "is not a question"),
        ("minutes = 15", 'minutes = 15\nbehaviour = "x"', "no behaviour 'x'"),
    ],
)
def test_what_makes_no_sense_is_named(old: str, new: str, complaint: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_changed(old, new)
    assert complaint in str(caught.value)
    assert str(EXAMPLE) in str(caught.value)


def test_its_load_is_a_scenarios_load() -> None:
    load = episode_named("2").scenario.load
    assert (load.shoppers, load.behaviour) == (30, "shop")
