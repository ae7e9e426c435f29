"""What was observed in a round that is over, by question: the other half of a prediction."""

from __future__ import annotations

from pathlib import Path

from loadtests.model.results import Results
from loadtests.model.run_folder import RunFolder, read_document
from loadtests.workshop.contract import Round
from loadtests.workshop.dashboard.refusals import Refusal
from loadtests.workshop.episode import Episode, Question
from loadtests.workshop.measured import observed_answers

Observed = dict[str, float | str | None]


def observed(episode: Episode, said: Round) -> Observed:
    """By question id: a number, the value of a choice, or None if nothing answers it.

    Raises:
        Refusal: the round is not over.
        RunFolderError: its results are damaged.
    """
    files = RunFolder(Path(said.folder))
    if said.phase != "explain" or not said.folder or not files.results.is_file():
        raise Refusal(409, "the round is not over", next_step="wait until it is closed and judged")
    answers = observed_answers(episode, read_document(files.results, Results))
    return {question.id: _value(question, answers[question.id]) for question in episode.questions}


def _value(question: Question, answer: str) -> float | str | None:
    if not answer:
        return None
    return float(answer) if question.kind == "number" else answer
