"""What people send is read strictly: bounded, of the right kind, and answers to questions that were asked."""

from __future__ import annotations

import math
import unicodedata
from typing import TypeVar

import msgspec

from loadtests.workshop.contract import Prediction
from loadtests.workshop.dashboard.refusals import Refusal
from loadtests.workshop.episode import Episode, Question

MOST_BODY_BYTES = 16_384
MOST_NAME = 40
MOST_REASON = 500
MOST_ANSWER = 40
LARGEST_NUMBER = 1_000_000_000.0

T = TypeVar("T")


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
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
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, "this cannot be read", why=str(error)[:200], next_step="reload the page") from error


def read_prediction(body: bytes, episode: Episode, *, who: str, at_us: int) -> Prediction:
    """The prediction that was sent.

    Raises:
        Refusal: it is no whole prediction for this episode; says what is missing.
    """
    said = read_body(body, Said)
    questions = {question.id: question for question in episode.questions}
    for name in said.answers:
        if name not in questions:
            raise _unfit(f"there is no question {name[:40]!r}")
    answers = {name: _answer(question, said.answers.get(name, "")) for name, question in questions.items()}
    reason = _text(said.reason, MOST_REASON, "a reason")
    if not reason:
        raise _unfit("there is no reason", next_step="say in a few words why you think so")
    return Prediction(at_us, who, _text(said.name, MOST_NAME, "a name").replace("\n", " "), answers, reason)


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
    """In one form, so that equal numbers are counted together."""
    try:
        value = float(answer.replace(",", "."))
    except ValueError:
        value = math.nan
    if not 0 <= value <= LARGEST_NUMBER:
        raise _unfit(f"{answer!r} is no number of {question.unit or 'anything'}", next_step="give a number, 0 or more")
    return f"{value:.15g}"


def _text(text: str, most: int, what: str) -> str:
    """Without control characters, and not too long."""
    kept = "".join(each for each in text.strip() if each == "\n" or unicodedata.category(each)[0] != "C")
    if len(kept) > most:
        raise _unfit(f"{what} may have {most} letters, this one has {len(kept)}", next_step="say it in fewer words")
    return kept


def _unfit(why: str, *, next_step: str = "mend it, and commit again") -> Refusal:
    return Refusal(400, "this is no whole prediction", why=why, next_step=next_step)
