"""What people predict: read strictly, written down once each, and held against what was observed in the end."""

import math
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from loadtests.model.results import Results
from loadtests.model.run_folder import RunFolder, read_document
from loadtests.workshop.contract import CommittedPrediction, Round
from loadtests.workshop.dashboard.refusals import Refusal
from loadtests.workshop.episode import Episode, Question
from loadtests.workshop.measured import observed_answers
from loadtests.workshop.predictions import append_prediction, read_predictions

MOST_BODY_BYTES = 16_384
MOST_NAME = 40
MOST_REASON = 500
MOST_ANSWER = 40
LARGEST_NUMBER = 1_000_000_000.0

T = TypeVar("T")
MOST_PREDICTIONS = 1000  # in a round: far more than a room has people
Write = Callable[[Path, CommittedPrediction], object]
Observed = dict[str, float | str | None]


class PredictionForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /api/predictions`."""

    answers: dict[str, str]
    reason: str
    name: str = ""


def read_body(body: bytes, kind: type[T]) -> T:
    """The JSON that was sent.

    Raises:
        Refusal: it is damaged, or something else.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:  # RecursionError: brackets in brackets
        raise Refusal(400, "this cannot be read", why=str(error)[:200], next_step="reload the page") from error


def read_prediction(body: bytes, episode: Episode, *, who: str, at_us: int) -> CommittedPrediction:
    """The prediction that was sent.

    Raises:
        Refusal: it is not a complete prediction for this episode; says what is missing.
    """
    said = read_body(body, PredictionForm)
    questions = {question.id: question for question in episode.questions}
    for name in said.answers:
        if name not in questions:
            raise _unfit(f"there is no question {name[:40]!r}")
    answers = {name: _answer(question, said.answers.get(name, "")) for name, question in questions.items()}
    reason = _text(said.reason, MOST_REASON, "a reason")
    if not reason:
        raise _unfit("there is no reason", next_step="say in a few words why you think so")
    return CommittedPrediction(at_us, who, _text(said.name, MOST_NAME, "a name").replace("\n", " "), answers, reason)


def _answer(question: Question, answer: str) -> str:
    answer = answer.strip()
    if not answer or len(answer) > MOST_ANSWER:
        raise _unfit(f"there is no answer to {question.text!r}", next_step="answer every question")
    if question.kind == "number":
        return _number(answer, question)
    if answer not in [choice.value for choice in question.choices]:
        raise _unfit(f"{answer!r} is none of the choices of {question.text!r}")
    return answer


def _number(answer: str, question: Question) -> str:
    try:
        value = float(answer.replace(",", "."))
    except ValueError:
        value = math.nan  # it is in no range, as what people call nan or inf
    if not 0 <= value <= LARGEST_NUMBER:
        raise _unfit(f"{answer!r} is no number of {question.unit or 'anything'}", next_step="give a number, 0 or more")
    return f"{value:.15g}"  # in one form: 3, 3.0 and 03 are one answer, and counted together


def _text(text: str, most: int, what: str) -> str:
    """Without control characters, and not too long."""
    kept = "".join(each for each in text.strip() if each == "\n" or unicodedata.category(each)[0] != "C")
    if len(kept) > most:
        raise _unfit(f"{what} may have {most} letters, this one has {len(kept)}", next_step="say it in fewer words")
    return kept


def _unfit(why: str, *, next_step: str = "correct it, and commit again") -> Refusal:
    return Refusal(400, "this prediction is not complete", why=why, next_step=next_step)


class PredictionsBook:
    """The predictions of one round. Begun again for the same folder, it knows what was committed before."""

    def __init__(self, folder: Path, write: Write = append_prediction) -> None:
        self._folder = folder
        self._write = write
        # From the last to the first: should one person have two, the first counts, as it did when it was made.
        self._all = {it.who: it for it in reversed(read_predictions(folder))}
        self._under_way: set[str] = set()

    def has(self, who: str) -> bool:
        """Whether they have committed one."""
        return who in self._all

    def all(self) -> tuple[CommittedPrediction, ...]:
        """Every one, in the order of time."""
        return tuple(sorted(self._all.values(), key=lambda it: it.at_us))

    def commit(self, prediction: CommittedPrediction) -> None:
        """Write it down for good. `write` may let other requests run: who asks twice meanwhile is refused, too.

        Raises:
            Refusal: they have committed one, too many have, or it cannot be written.
        """
        who = prediction.who
        if who in self._all or who in self._under_way:
            raise Refusal(
                409, "you have committed a prediction already", why="once each in a round, and it cannot be changed",
                next_step="see what happens",
            )  # fmt: skip
        if len(self._all) + len(self._under_way) >= MOST_PREDICTIONS:
            raise Refusal(429, "there are too many predictions", why=f"a round takes {MOST_PREDICTIONS}")
        self._under_way.add(who)
        try:
            self._write(self._folder, prediction)
        except OSError as error:
            why = error.strerror or str(error)
            raise Refusal(507, "your prediction could not be written down", why=why, next_step="try again") from error
        else:
            self._all[who] = prediction
        finally:
            self._under_way.discard(who)


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
