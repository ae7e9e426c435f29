"""What of an episode may be shown now, and to whom."""

from __future__ import annotations

from functools import cache

from loadtests.workshop.contract import Round
from loadtests.workshop.dashboard.refusals import Refusal
from loadtests.workshop.episode import Episode, Question
from loadtests.workshop.episode_file import load_episodes

Card = dict[str, object]


@cache
def episodes_by_name() -> dict[str, Episode]:
    """All episodes."""
    return {episode.name: episode for episode in load_episodes()}


def episode_of(said: Round) -> Episode:
    """The round's episode.

    Raises:
        Refusal: it has none.
    """
    episode = episodes_by_name().get(said.episode)
    if episode is None:
        raise Refusal(404, "this round has no episode", why="it is free play", next_step="watch, and play")
    return episode


def card(episode: Episode, said: Round, *, covered: bool, instructor: bool) -> Card:
    """The card. The solution comes with what is seen, the explanation at the end, minutes to the instructor only."""
    shown: Card = {
        "name": episode.name,
        "number": episode.number,
        "title": episode.title,
        "question": episode.scenario.question,
        "architectures": list(episode.architectures),
        "shoppers": episode.scenario.load.shoppers,
        "nodes": episode.scenario.nodes,
        "buttons": list(episode.buttons),
        "story": episode.scenario.story,
        "objectives": list(episode.objectives),
        "new_idea": episode.new_idea,
        "new_control": episode.new_control,
        "questions": [_question(question) for question in episode.questions],
        "reason_prompt": episode.reason_prompt,
        "tips": list(episode.tips[:-1] if covered else episode.tips),
    }
    if not covered and said.phase == "explain":
        shown["explanation"] = episode.explanation
    if instructor:
        shown["minutes"] = episode.minutes
    return shown


def _question(question: Question) -> Card:
    """Without its answer."""
    return {
        "id": question.id,
        "text": question.text,
        "kind": question.kind,
        "choices": [{"value": choice.value, "text": choice.text} for choice in question.choices],
        "unit": question.unit,
    }
