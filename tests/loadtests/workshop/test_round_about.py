"""What a round is about: every episode, and free play, make a scenario and a plan that hold water."""

from __future__ import annotations

import pytest

from compose.cluster import Limits
from loadtests.planning.scenario_file import read_scenario
from loadtests.workshop.buttons import FREE_PLAY
from loadtests.workshop.episode_file import load_episodes
from loadtests.workshop.round_about import SPARE_S, RoundAbout, round_about
from shared.errors import UsageError

SHOPS = ("sticky-memory", "redis")
EPISODES = [episode.name for episode in load_episodes()]


def test_free_play_predicts_nothing() -> None:
    about = round_about("", SHOPS)
    scenario = read_scenario(about.scenario(), file="scenario.toml", name=about.name)
    assert (scenario.expect, scenario.fault, scenario.architectures) == ({}, (), SHOPS)
    assert (about.name, about.buttons, about.load.shoppers, about.nodes) == ("open", FREE_PLAY, 24, 3)
    assert about.limits() == Limits()


@pytest.mark.parametrize("name", EPISODES)
def test_an_episode_is_a_scenario(name: str) -> None:
    about = round_about(name, SHOPS)
    episode = next(each for each in load_episodes() if each.name == name)
    scenario = read_scenario(about.scenario(), file="scenario.toml", name=name)
    assert (scenario.question, scenario.architectures) == (episode.question, episode.architectures)
    assert scenario.expect == episode.expect
    assert [fault.kind for fault in scenario.fault] == list(episode.about)
    assert scenario.load == episode.load()
    assert scenario.story == episode.story.strip()


def test_the_plan_goes_on_a_little_beyond_the_window_and_has_no_faults() -> None:
    about = round_about("kill-one-of-three", SHOPS)
    plan = about.plan()
    assert plan.window_ms == about.window_ms + SPARE_S * 1000
    assert plan.faults == ()
    assert plan == about.plan(), "the same each time: a class can compare its rounds"


def test_shoppers_and_nodes_can_be_changed() -> None:
    about = round_about("2", SHOPS, shoppers=6, nodes=2)
    assert (len(about.plan().shoppers), about.plan().nodes) == (6, 2)
    assert about.name == "kill-one-of-three"


def test_there_is_no_such_episode() -> None:
    with pytest.raises(UsageError, match="no episode 'ninety-nine'"):
        round_about("ninety-nine", SHOPS)


def test_words_of_all_kinds_survive_the_scenario() -> None:
    about = round_about("", SHOPS)
    odd = RoundAbout("odd", 'What is "this"\\?', "Line\nbreak, tab\t, ünïcode ☃", SHOPS, about.load, 3, ())
    scenario = read_scenario(odd.scenario(), file="scenario.toml", name="odd")
    assert (scenario.question, scenario.story) == (odd.question, odd.story)


def test_where_nothing_can_be_broken_the_plan_ends_with_the_window() -> None:
    """Replayed cookies come in the last part of the plan: with time to spare they would come after the round."""
    about = round_about("the-price-of-stateless", SHOPS)
    plan = about.plan()
    assert plan.window_ms == about.window_ms
    probes = [action.at_ms for shopper in plan.shoppers for action in shopper.actions if action.jar == "stolen"]
    assert probes
    assert max(probes) < about.window_ms
