"""What people predicted in a workshop's round, beside what was observed; nothing of it in any other run."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from loadtests.model.results import Results
from loadtests.model.run_folder import RunFolder
from loadtests.report import ExtraSection
from loadtests.report.shell import PageShell
from loadtests.workshop.contract import CommittedPrediction, GuestView
from loadtests.workshop.episode import Episode, Question
from loadtests.workshop.episode_file import find_episode
from loadtests.workshop.live.recorded import guests_seen
from loadtests.workshop.measured import observed_answers
from loadtests.workshop.predictions import begun_us, read_predictions, tally

SHELL = PageShell(Path(__file__).parent)
MOST_ANSWERS = 40  # rows of one table
MOST_REASONS = 60  # quotations: a report stays small, and all are in the run's folder


class AnswerRow(msgspec.Struct, frozen=True):
    """One answer, and how many gave it."""

    text: str
    people: int
    observed: bool


class QuestionRows(msgspec.Struct, frozen=True):
    """One question."""

    text: str
    answers: tuple[AnswerRow, ...]
    others: int
    """People whose answers have no row."""
    observed: str
    """In words; "" if nothing in this run answers it."""
    right: int
    """People who said what was observed."""


class QuotedReason(msgspec.Struct, frozen=True):
    """A quotation."""

    text: str
    name: str
    said: str
    """Their answers, in the questions' order."""
    late: bool


class Predicted(msgspec.Struct, frozen=True):
    """The section."""

    people: int
    late: int
    """Committed when shoppers shopped already, though before they saw anything."""
    questions: tuple[QuestionRows, ...]
    reasons: tuple[QuotedReason, ...]
    more_reasons: int
    room: dict[str, tuple[GuestView, ...]]
    """By architecture, what became of the people of the room who entered it; they are in no shopper's books."""


def predictions_section(folder: Path, results: Results) -> ExtraSection | None:
    """The report's section about what people predicted; None if nobody was asked, or nobody answered."""
    found = predicted(folder, results)
    if found is None:
        return None
    return ExtraSection("predictions", "Predicted", SHELL.html("predicted.html.j2", predicted=found))


def predicted(folder: Path, results: Results) -> Predicted | None:
    """What people predicted; None if nobody was asked, or nobody answered."""
    predictions = read_predictions(folder)
    if not predictions:
        return None
    episode = find_episode(results.scenario)
    episode = episode and episode.of_so_many(results.shoppers)
    began_us = begun_us(RunFolder(folder))
    late = [began_us is not None and it.at_us > began_us for it in predictions]
    return Predicted(
        people=len(predictions),
        late=sum(late),
        questions=_asked(episode, predictions, results),
        reasons=tuple(
            _reason(it, is_late, episode) for it, is_late in zip(predictions[:MOST_REASONS], late, strict=False)
        ),
        more_reasons=max(0, len(predictions) - MOST_REASONS),
        room={name: guests for name, guests in guests_seen(folder).items() if guests},
    )


def _asked(
    episode: Episode | None, predictions: Sequence[CommittedPrediction], results: Results
) -> tuple[QuestionRows, ...]:
    if episode is None:  # one that is not known any more: its questions' ids have to do
        names = sorted({name for prediction in predictions for name in prediction.answers})
        return tuple(_question(Question(name, name, "number"), predictions, "") for name in names)
    observed = observed_answers(episode, results)
    return tuple(_question(question, predictions, observed[question.id]) for question in episode.questions)


def _question(question: Question, predictions: Sequence[CommittedPrediction], observed: str) -> QuestionRows:
    given = tally(predictions, question.id)
    if observed:
        given = tally([*predictions, CommittedPrediction(0, "", "", {question.id: observed}, "")], question.id)
        given[observed] -= 1  # it has its row, in its place, though nobody may have said it
    rows = [AnswerRow(_in_words(question, answer), people, answer == observed) for answer, people in given.items()]
    # Those that most people gave, and always what was observed; shown in the answers' own order.
    kept = sorted(sorted(rows, key=lambda row: (row.observed, row.people))[-MOST_ANSWERS:], key=rows.index)
    return QuestionRows(
        question.text, tuple(kept), sum(row.people for row in rows) - sum(row.people for row in kept),
        _in_words(question, observed) if observed else "", given.get(observed, 0),
    )  # fmt: skip


def _in_words(question: Question, answer: str) -> str:
    """A choice as it was offered; a number with its unit."""
    if question.kind == "number":
        return f"{answer} {question.unit}".strip()
    return next((choice.text for choice in question.choices if choice.value == answer), answer)


def _reason(prediction: CommittedPrediction, late: bool, episode: Episode | None) -> QuotedReason:
    questions = episode.questions if episode else ()
    said = [_in_words(it, prediction.answers[it.id]) for it in questions if it.id in prediction.answers]
    return QuotedReason(prediction.reason, prediction.name, "; ".join(said or prediction.answers.values()), late)
