"""What the page asks for, and what it sends: events, and JSON."""

from urllib.parse import urlsplit

import msgspec
from flask import Blueprint, Response, request

from compose.applications import SHIPPED
from loadtests.workshop.contract import LIVE_PHASES, SIDES, Command, Round, SideName, Workshop, guest_name
from loadtests.workshop.dashboard.broadcaster import Broadcaster, asks_for_predictions, now_us
from loadtests.workshop.dashboard.predictions import PredictionsBook, observed, read_body, read_prediction
from loadtests.workshop.dashboard.refusals import Refusal
from loadtests.workshop.dashboard.request_context import refuse_covered, the_client, the_context, the_seat
from loadtests.workshop.episode import Episode, Question
from loadtests.workshop.episode_file import find_episode
from loadtests.workshop.predictions import tally
from shared.errors import EnvironmentNotReady

DOORS = ("login", "cart")  # where people go in a shop, by what a shopper would do there
Card = dict[str, object]
# What of an episode everybody may know at any time.
CARD = (
    "name", "number", "title", "architectures", "buttons", "objectives", "new_idea", "new_control", "reason_prompt",
)  # fmt: skip
api = Blueprint("api", __name__)


def episode_of(said: Round) -> Episode:
    """The round's episode.

    Raises:
        Refusal: it has none.
    """
    episode = find_episode(said.episode)
    if episode is None:
        raise Refusal(404, "this round has no episode", why="it is free play", next_step="watch, and play")
    return episode.of_so_many(said.shoppers) if said.shoppers else episode


def card(episode: Episode, said: Round, *, covered: bool, instructor: bool) -> Card:
    """The card: the new idea with what is seen, solution and explanation at the end, minutes for the instructor."""
    # The instructor has the solution as soon as anything is seen: it is the room that must not read it before the kill.
    told = not covered and (instructor or said.phase == "explain")
    shown = {name: getattr(episode, name) for name in CARD} | {
        "question": episode.scenario.question,
        "story": episode.scenario.story,
        "shoppers": said.shoppers or episode.scenario.load.shoppers,
        "nodes": episode.scenario.nodes,
        "questions": [_question(question) for question in episode.questions],
        "tips": episode.tips if told else episode.tips[:-1],
    }
    if covered:
        del shown["new_idea"]  # it is half of the answer
    if not covered and said.phase == "explain":
        shown["explanation"] = episode.explanation
    if instructor:
        shown["minutes"] = episode.minutes
    return shown


def _question(question: Question) -> Card:
    # Field by field, and not the struct: that holds the answer (`observed`, `truth`, a choice's `when`).
    choices = [{"value": choice.value, "text": choice.text} for choice in question.choices]
    return {name: getattr(question, name) for name in ("id", "text", "kind", "unit")} | {"choices": choices}


@api.get("/events")
def events() -> Response:
    """Server-sent events, for ever."""
    broadcaster = the_context().broadcaster
    who = the_client().who
    # In one expression: an event that came between the backlog and the place in the row would be lost to them.
    subscriber = broadcaster.subscribers.admit(who, broadcaster.backlog(who, _last_event_id()))
    answer = Response(subscriber.pieces(), mimetype="text/event-stream")
    answer.call_on_close(lambda: broadcaster.subscribers.leave(subscriber))
    answer.headers["X-Accel-Buffering"] = "no"  # to whatever stands in between: do not collect, pass on
    return answer


@api.get("/api/me")
def me() -> Response:
    """Who asks, what they have done in this round, and their own account: nobody is told another one."""
    context, client = the_context(), the_client()
    broadcaster, room = context.broadcaster, urlsplit(context.room_url).netloc  # as somebody types it
    workshop, seat = broadcaster.workshop, the_seat()
    covered = broadcaster.is_covered(client.who)
    number = 0 if client.instructor else seat.number if seat else None
    return _json(
        {
            "instructor": client.instructor,
            "who": client.who,
            "name": seat.name if seat else "",
            "user": "" if number is None else guest_name(number),
            "password": "" if covered or number is None else _password(workshop, guest_name(number)),
            "doors": {door: SHIPPED.interface.calls[door].path for door in DOORS},
            "committed": broadcaster.has_committed(client.who),
            "covered": covered,
            "round": workshop.round.number if workshop else 0,
            "room": {"address": room, "code": context.listen.join_code} if room else None,
        }
    )


def _password(workshop: Workshop | None, user: str) -> str:
    sides = workshop.round.sides if workshop and workshop.round.phase in LIVE_PHASES else ()
    return next((guest.password for side in sides for guest in side.guests if guest.user == user), "")


@api.get("/api/episode")
def episode() -> Response:
    """What of the round's episode may be shown now."""
    broadcaster, client, said = the_context().broadcaster, the_client(), _round()
    covered = broadcaster.is_covered(client.who)
    return _json(card(episode_of(said), said, covered=covered, instructor=client.instructor))


@api.get("/api/losses/<side>/<int:number>")
def loss(side: str, number: int) -> Response:
    """One loss with its witness."""
    refuse_covered()
    shown = the_context().broadcaster.round
    found = shown.live.loss(_side(side), number) if shown else None
    if found is None:
        raise Refusal(404, "there is no such loss", why=f"number {number} of the {side} side", next_step="choose one")
    return _json(found)


@api.get("/api/frames")
def frames() -> Response:
    """All frames of the round so far."""
    refuse_covered()
    return Response(the_context().broadcaster.stream.frames(), mimetype="application/json")


@api.get("/api/observed")
def what_was_observed() -> Response:
    """Per question, in a round that is over."""
    refuse_covered()
    said = _round()
    return _json(observed(episode_of(said), said))


@api.get("/api/predictions")
def predictions() -> Response:
    """How many; once they are closed, and for whoever has committed one, how many of each answer."""
    broadcaster, said = the_context().broadcaster, _round()
    made = broadcaster.book.all() if broadcaster.book else ()
    if broadcaster.is_covered(the_client().who) or not said.episode:
        return _json({"count": len(made)})
    questions = [question.id for question in episode_of(said).questions]
    return _json({"count": len(made), "answers": {name: tally(made, name) for name in questions}})


@api.post("/api/predictions")
def predict() -> Response:
    """Commit one, for good."""
    broadcaster, client = the_context().broadcaster, the_client()
    seat = the_seat()
    if seat is None and not client.instructor:
        raise Refusal(403, "you have no seat in this room", why="to predict takes one", next_step="open /")
    book = _open_book(broadcaster)
    prediction = read_prediction(request.get_data(), episode_of(_round()), who=client.who, at_us=now_us())
    book.commit(prediction)
    if broadcaster.book is book:  # writing lets others run: the round may be another one by now
        broadcaster.opened(client.who)
    return _json({"committed": True, "count": len(book.all())}, status=201)


@api.post("/api/commands")
def command() -> Response:
    """Pass a command of the instructor's on to the harness."""
    context = the_context()
    if not the_client().instructor:
        raise Refusal(
            403, "only the instructor can do that", why="this browser has not shown the instructor's key",
            next_step="open the address that `twinshop workshop` has printed",
        )  # fmt: skip
    asked: Command = read_body(request.get_data(), Command)  # type: ignore[arg-type]
    if context.tell_harness is None:
        raise Refusal(409, "this is a recorded run", why="nothing runs that could be told", next_step="watch it")
    try:
        reply = context.tell_harness(asked)
    except EnvironmentNotReady as error:
        raise Refusal(503, error.what, why=error.why, next_step=error.next_step) from error
    said = {"ok": reply.ok, "why": reply.why, "next_step": reply.next_step}
    return _json(said if reply.ok else {**said, "error": reply.why, "next": reply.next_step})


def _last_event_id() -> int | None:
    said = request.headers.get("Last-Event-ID", "")
    # `isdigit` takes superscripts, too, which `int` does not; and of thousands of digits `int` makes an error.
    return int(said) if said.isascii() and said.isdigit() and len(said) < 20 else None


def _workshop() -> Workshop:
    workshop = the_context().broadcaster.workshop
    if workshop is None:
        raise Refusal(503, "the workshop has not begun", next_step="wait a moment", retry_after=1)
    return workshop


def _round() -> Round:
    return _workshop().round


def _side(name: str) -> SideName:
    for side in SIDES:
        if side == name:
            return side
    raise Refusal(404, f"there is no side {name[:20]!r}", next_step="left or right")


def _open_book(broadcaster: Broadcaster) -> PredictionsBook:
    workshop = _workshop()
    if not asks_for_predictions(workshop) or workshop.round.phase == "failed":
        raise Refusal(409, "there is nothing to predict", why="this round asks nothing", next_step="watch what happens")
    if broadcaster.book is None or workshop.round.phase == "starting":
        raise Refusal(503, "the round has not begun", next_step="wait a moment, then commit again", retry_after=2)
    return broadcaster.book


def _json(document: object, *, status: int = 200) -> Response:
    return Response(msgspec.json.encode(document), status=status, mimetype="application/json")
