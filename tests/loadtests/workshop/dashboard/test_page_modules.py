"""The page's pure modules, imported by a real Chromium, held against Python's and against sums."""

from __future__ import annotations

from functools import reduce
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page, Route

from loadtests.workshop.contract import Frame, LossView, Picture, ShopperView, SideFrame, applied, empty_picture
from loadtests.workshop.dashboard import pages
from tests.loadtests.workshop.dashboard.made_up_round import SHOPPERS, frames

pytestmark = pytest.mark.browser

STATIC = Path(pages.__file__).parent / "static"
HOME = "http://page.test/static/"


@pytest.fixture
def page(browser: Browser) -> Page:
    """An empty page that finds the modules: they need no server."""
    page = browser.new_page()

    def serve(route: Route) -> None:
        name = route.request.url.removeprefix(HOME)
        if name:
            route.fulfill(path=STATIC / name, content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html><title>Empty</title>", content_type="text/html")

    page.route(HOME + "**", serve)
    page.goto(HOME)
    return page


def in_page(page: Page, module: str, body: str, given: object = None) -> Any:
    """What a function body comes to there, with the module as `it` and plain data as `given`."""
    return page.evaluate(
        f"async (given) => {{ const it = await import('/static/{module}.js'); {body} }}",
        msgspec.json.decode(msgspec.json.encode(given)),
    )


def whole(picture: Picture) -> dict[str, Any]:
    """As the page holds it: what is missing is empty, numbers that are zero are zero."""
    built: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(picture))
    for side in ("left", "right"):
        empty = {name: [] for name in ("nodes", "parts", "shoppers", "losses", "marks", "waits", "guests")}
        counts = dict.fromkeys(("logged_out", "carts_lost", "failed", "unknown", "actions", "shoppers"), 0)
        built[side] = {**empty, "counts": counts, **{name: value for name, value in built[side].items() if value}}
        built[side]["counts"] = {**counts, **built[side]["counts"]}
    return built


def after(all_frames: list[Frame]) -> dict[str, Any]:
    return whole(reduce(applied, all_frames, empty_picture(1)))


def test_frames_come_to_the_same_as_in_python(page: Page) -> None:
    made = list(frames())
    again = [made[0], *made[20:40], *made[30:50]]  # rows that are there already take their places
    for some in (made, again, made[:1], []):
        body = "return given.reduce(it.applied, it.emptyPicture(1))"
        assert in_page(page, "frames", body, some) == after(some)
    sent = reduce(applied, made, empty_picture(1))
    assert in_page(page, "frames", "return it.wholePicture(given)", sent) == whole(sent)


def test_a_recording_has_a_picture_for_every_place(page: Page) -> None:
    made = list(frames())
    body = """
        const recording = new it.Recording(1);
        given.forEach((frame, number) => recording.add(10 + number, frame));
        recording.add(12, given[0]);  // it has that one
        recording.adopt(given.map((frame, number) => ({id: 10 + number, frame})).slice(0, 5));
        const places = [0, 1, 63, 64, 65, given.length, 3];
        return [recording.length, recording.complete, recording.endMs, recording.placeAt(600), recording.placeAt(-1),
                places.map((place) => recording.pictureAt(place))];
    """
    length, complete, end_ms, at_600, before, pictures = in_page(page, "recording", body, made)
    assert (length, complete, end_ms, at_600, before) == (len(made), True, made[-1].at_ms, 3, 0)
    assert pictures == [after(made[:place]) for place in (0, 1, 63, 64, 65, len(made), 3)]


def test_a_player_stands_steps_and_catches_up(page: Page) -> None:
    body = """
        const {Recording} = await import("/static/recording.js");
        const recording = new Recording(1);
        recording.adopt(given.map((frame, number) => ({id: 1 + number, frame})));
        const player = new it.Player(recording, () => {});
        const seen = [];
        const see = () => seen.push([player.mode, player.place, player.atMs]);
        see(); player.step(-1); see(); player.step(1); player.step(1); see();
        player.replay(); see(); player.speed = 5; player.tick(100); see(); player.seek(17900); see();
        player.tick(100); see();
        player.seek(1000); player.goesLive = true; player.replay(false); see(); player.tick(10000); see();
        return seen;
    """
    last = len(list(frames()))
    assert in_page(page, "player", body, list(frames())) == [
        ["live", last, 18000],
        ["paused", last - 1, 17750],
        ["paused", last, 18000],
        ["replay", 1, 0],
        ["replay", 3, 500],
        ["replay", 72, 17900],
        ["paused", last, 18000],
        ["replay", 5, 1000],
        ["live", last, 18000],
    ]


def test_series_are_one_row_a_second_and_end_where_one_looks(page: Page) -> None:
    body = """
        const {Recording} = await import("/static/recording.js");
        const recording = new Recording(1);
        const series = new it.SeriesOf(recording);
        given.slice(0, 30).forEach((frame, number) => recording.add(1 + number, frame));
        series.upTo(recording.length);
        given.forEach((frame, number) => recording.add(1 + number, frame));
        return [series.upTo(recording.length), series.upTo(recording.placeAt(10000))];
    """
    to_the_end, to_ten = in_page(page, "series", body, list(frames()))
    assert to_the_end["seconds"] == list(range(19))
    assert to_the_end["left"]["people"][5] == SHOPPERS
    assert min(to_the_end["left"]["people"][9:12]) == SHOPPERS - 10
    assert to_the_end["left"]["people"][8] == SHOPPERS - 5  # who was logged out within it, though back before its end
    assert to_the_end["left"]["p95"][7:10] == [31, 900, 900]
    assert to_the_end["left"]["failed"][8] == 4
    assert to_the_end["right"]["people"][-1] == SHOPPERS
    assert to_ten["seconds"] == list(range(11))
    assert to_ten["left"]["people"] == to_the_end["left"]["people"][:11]


def test_whoever_is_back_at_once_is_still_a_gap_and_a_square(page: Page) -> None:
    """As in a real round: logged out and in again between two frames, and told of a second later."""
    views = tuple(ShopperView(number, "n1", "shopping", False) for number in (1, 2, 3))
    back = ShopperView(2, "n3", "shopping", True)
    lost = LossView(0, "logged_out", 2, 2900, "node_killed")
    nothing = SideFrame()
    made = [
        Frame(1000, SideFrame(shoppers=views), nothing),
        Frame(3500, SideFrame(shoppers=(back,), losses=(lost,)), nothing),
        Frame(8000, SideFrame(shoppers=views[:1]), nothing),
    ]
    body = """
        const {Recording} = await import("/static/recording.js");
        const {shownAs} = await import("/static/people.js");
        const recording = new Recording(1);
        recording.adopt(given.map((frame, number) => ({id: 1 + number, frame})));
        const shown = [2, 3].map((place) => shownAs(recording.pictureAt(place).left, recording.pictureAt(place).at_ms));
        return [new it.SeriesOf(recording).upTo(3).left.people, ...shown.map((views) => views[1])];
    """
    people, soon, later = in_page(page, "series", body, made)
    assert people == [None, 3, 2, 3, 3, 3, 3, 3, 3]
    assert soon == [2, "n3", "logged_out", True]
    assert later == [2, "n3", "shopping", True]


def test_seats_are_everybodys_own_in_every_node_and_on_both_sides(page: Page) -> None:
    body = """
        return given.map((what) => {
            const layout = it.places(what);
            const inside = layout.nodeBoxes.map((box) => Array.from({length: what.shoppers}, (_, number) => {
                const at = it.seat(box.seats, number + 1);
                return [at.x - box.x, at.y - box.y,
                    at.x > box.x && at.x < box.x + box.width && at.y > box.y && at.y < box.y + box.height];
            }));
            return {inside, width: Math.max(...layout.nodeBoxes.map((box) => box.x + box.width)), height: layout.height,
                    bottom: layout.below.y};
        });
    """
    rooms = [
        {"width": width, "letter": letter, "shoppers": shoppers, "nodes": nodes, "waiting": False, "below": 2}
        for width, letter in ((560, 14), (160, 14), (880, 24))
        for shoppers in (1, 30, 300)
        for nodes in (1, 3, 6)
    ]
    for room, drawn in zip(rooms, in_page(page, "places", body, rooms), strict=True):
        first = [[round(x, 6), round(y, 6)] for x, y, _ in drawn["inside"][0]]
        assert len({tuple(place) for place in first}) == room["shoppers"]
        for node in drawn["inside"]:
            assert [[round(x, 6), round(y, 6)] for x, y, _ in node] == first
            assert all(fits for _, _, fits in node)
        assert drawn["width"] <= room["width"] + 0.01
        assert drawn["bottom"] < drawn["height"]


def test_a_histogram_has_a_row_for_what_was_observed(page: Page) -> None:
    body = "return [it.rangesOf({'0': 2, '30': 1, '11': 3}, 10), it.rangesOf({'3': 1}, null), it.rangesOf({}, null)]"
    ranges, one, none = in_page(page, "histogram", body)
    assert [(row["label"], row["people"], row["observed"]) for row in ranges] == [
        ("0 to 4", 2, False), ("5 to 9", 0, False), ("10 to 14", 3, True), ("15 to 19", 0, False),
        ("20 to 24", 0, False), ("25 to 29", 0, False), ("30 to 34", 1, False),
    ]  # fmt: skip
    assert [(row["label"], row["people"]) for row in one] == [("3", 1)]
    assert none == []


def test_no_range_of_a_histogram_speaks_of_more_people_than_there_are(page: Page) -> None:
    body = "return [it.rangesOf({'10': 1}, 30, 30), it.rangesOf({'10': 1, '41': 1}, 30, 30)]"
    within, beyond = ([row["label"] for row in rows] for rows in in_page(page, "histogram", body))
    assert within == ["10 to 14", "15 to 19", "20 to 24", "25 to 29", "30"]
    assert beyond[-3:] == ["30 to 34", "35 to 39", "40 to 41"]


def test_a_fault_that_names_what_it_strikes_is_not_said_to_strike_it_again(page: Page) -> None:
    body = "return given.map(([fault, name]) => it.faultName(fault, name))"
    given = [
        [{"kind": "kill", "victim": "n2"}, "Kill"], [{"kind": "store-kill", "victim": "store"}, "Kill the store"],
        [{"kind": "balancer-restart", "victim": "balancer"}], [{"kind": "no-affinity", "victim": "cluster"}],
    ]  # fmt: skip
    assert in_page(page, "words", body, given) == ["Kill n2", "Kill the store", "balancer restart", "no affinity"]


def test_a_story_has_at_most_ten_events_and_says_how_many_it_leaves_out(page: Page) -> None:
    body = "return given.map((events) => it.storyOf(events))"
    short, long = in_page(page, "witness", body, [list(range(10)), list(range(25))])
    assert short == {"events": list(range(10)), "leftOut": 0, "leftOutAfter": 0}
    assert long == {"events": [0, 1, 2, *range(18, 25)], "leftOut": 15, "leftOutAfter": 3}


def test_a_loss_that_nothing_explains_has_no_counterfactual(page: Page) -> None:
    body = "return given.map((loss) => it.counterfactual(loss).map((line) => line.textContent))"
    told = [{"counterfactual": "without killing n2, it was good"}, {"counterfactual": ""}, {}]
    assert in_page(page, "witness", body, told) == [["Without killing n2, it was good."], [], []]


def test_what_people_typed_stays_text(page: Page) -> None:
    body = """
        const host = document.createElement("div");
        host.append(...it.prose("**A, swap**: say *so* in `code`.\\n\\n<img src=x onerror=alert(1)> 2 * 3 * 4"));
        return host.innerHTML;
    """
    assert in_page(page, "prose", body) == (
        "<p><strong>A, swap</strong>: say <em>so</em> in <code>code</code>.</p>"
        "<p>&lt;img src=x onerror=alert(1)&gt; 2 * 3 * 4</p>"
    )


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ([1], "1 loss, with its witness"),
        ([1, 2, 2], "3 losses, each with its witness"),
        ([1] * 20 + [2], "The first 20 losses of each shopper, 21 in all, each with its witness"),
        (
            [shopper for shopper in range(12) for _ in range(20)],
            "The first 20 losses of each shopper, 240 in all, each with its witness; the newest 100 are listed",
        ),
    ],
)
def test_the_list_of_losses_says_of_how_many_it_tells(page: Page, losses: list[int], said: str) -> None:
    body = """
        document.body.innerHTML = "<details><summary></summary><ol></ol></details>";
        const list = new it.LossList(document.querySelector("details"), () => {});
        list.draw(given.map((shopper, loss) => ({loss, shopper, at_ms: 0, kind: "logged_out", cause: "node_killed"})));
        return document.querySelector("summary").textContent;
    """
    assert in_page(page, "loss_list", body, losses) == said


NODES = [{"name": name, "state": "up"} for name in ("n1", "n2", "n3")]


def a_side(*served: tuple[str, str], stateful: bool = True, dead: str = "") -> dict[str, Any]:
    """A side as the page knows it, with those of the room who are logged in there, and where."""
    nodes = [{**node, "state": "dead" if node["name"] == dead else "up"} for node in NODES]
    guests = [{"user": user, "node": node, "logged_in": True} for user, node in served]
    return {"nodes": nodes, "stateful": stateful, "guests": guests}


@pytest.mark.parametrize(
    ("sides", "proposed", "words"),
    [
        ([a_side(), a_side(stateful=False)], "", "first node up"),
        # The right shop's node has just answered, and knows nothing that the others do not.
        ([a_side(("me", "n2")), a_side(("me", "n3"), stateful=False)], "n2", "n2 ★ serves you"),
        ([a_side(("me", "n3"), stateful=False), a_side(("me", "n2"), ("b", "n2"))], "n2", "n2 ★ serves you"),
        # Who teaches is in no shop, but others of the room are: one of them must feel it.
        ([a_side(("a", "n1"), ("b", "n3"), ("c", "n3"))], "n3", "n3 · 2 of the room"),
        ([a_side(("a", "n1")), a_side(("me", "n3"), stateful=False)], "n3", "n3 ★ serves you"),
        ([a_side(("me", "n2"), dead="n2")], "", "first node up"),
    ],
)
def test_a_fault_is_proposed_where_somebody_of_the_room_feels_it(
    page: Page, sides: list[Any], proposed: str, words: str
) -> None:
    found = in_page(page, "victims", "return it.victims(given, 'me')", sides)
    assert found["proposed"] == proposed
    assert [value for value, _ in found["options"]] == ["", "n1", "n2", "n3"]
    assert dict(found["options"])[proposed] == words


@pytest.mark.parametrize(
    ("count", "joined", "teaching", "said"),
    [
        (1, 0, {"committed": True}, "1 prediction is in."),
        (2, 2, {"committed": False}, "2 of 3 predictions are in, yours is missing."),
        (2, 2, False, "2 of 3 predictions are in (2 joined, and the instructor)."),
    ],
)
def test_predictions_are_told_of_how_many_people(page: Page, count: int, joined: int, teaching: Any, said: str) -> None:
    assert in_page(page, "lesson", "return it.predictionsIn(...given)", [count, joined, teaching]) == said


@pytest.mark.parametrize(
    ("phase", "predictions", "people", "in_shops", "begins"),
    [
        ("predict", 0, 0, 0, ""),
        ("predict", 2, 5, 0, "2 predictions are in, and would never be compared"),
        ("predict", 0, 5, 0, "Nobody has shopped yet, and whoever is writing"),
        ("run", 0, 0, 0, "People are shopping: this round would be closed"),
        ("open", 0, 5, 0, ""),
        ("open", 0, 5, 1, "Free play would end, and its two shops close: 1 person of this room is in them."),
        ("explain", 9, 9, 9, ""),
        ("failed", 9, 9, 9, ""),
    ],
)
def test_what_is_lost_with_a_round_is_said_before(
    page: Page, phase: str, predictions: int, people: int, in_shops: int, begins: str
) -> None:
    body = "return it.lostByLeaving(...given)"
    said = in_page(page, "leaving", body, [{"phase": phase}, predictions, people, in_shops])
    assert said.startswith(begins)
    assert bool(said) is bool(begins)


@pytest.mark.parametrize(("width", "letter"), [(560, 14), (560, 24), (160, 14)])
def test_who_is_logged_out_keeps_their_name(page: Page, width: int, letter: int) -> None:
    """In the picture of a laptop, a small projector and a telephone: beside the balancer or below it, in no node."""
    body = """
        const {places} = await import('/static/places.js');
        const layout = places({...given, shoppers: 30, guests: 3, waiting: true, nodes: 3, below: 2});
        const nodes = ["n1", "n2", "n3"].map((name) => ({name, state: "up"}));
        const [guests, users] = [new it.Guests(), ["Ann", "Bo", "Cy"]];
        const seen = users.map((user) => ({user, node: "n1", logged_in: false, lost: true}));
        guests.draw(seen, new Map(users.map((user) => [user, user])), "Cy", layout, nodes);
        const at = [...guests.group.querySelectorAll("[data-guest]")].map((mark) =>
            mark.style.transform.match(/[0-9.]+/g).map(Number));
        return [[...guests.group.querySelectorAll("text")].map((name) => name.textContent), at,
            layout.nodeBoxes[0].y, layout.balancer];
    """
    names, at, nodes_at, balancer = in_page(page, "guests", body, {"width": width, "letter": letter})
    assert names == ["Ann", "Bo", "★ Cy"]
    assert len({tuple(place) for place in at}) == 3
    for x, y in at:
        assert y + 0.9 * letter <= nodes_at + 0.01
        assert 0 <= x <= width - 3 * letter
        assert x > balancer["x"] + balancer["width"] or y > balancer["y"] + balancer["height"]


@pytest.mark.parametrize("shoppers", [1, 30, 500])
def test_whoever_comes_in_moves_nothing(page: Page, shoppers: int) -> None:
    body = """
        const [waits, calm] = [true, false].map((waiting) => it.places({...given, waiting}));
        const seats = Array.from({length: given.shoppers}, (_, number) => it.seat(waits.wayIn, number + 1));
        return [waits.height - calm.height, waits.nodeBoxes[0].y - calm.nodeBoxes[0].y,
            seats.filter(({x, y}) => x < 0 || x > waits.balancer.x || y > waits.nodeBoxes[0].y).length];
    """
    for letter in (14, 24):
        given = {"width": 560, "letter": letter, "shoppers": shoppers, "nodes": 3, "below": 2}
        assert in_page(page, "places", body, given) == [0, 0, 0]


def test_of_ones_own_name_no_piece_is_shown(page: Page) -> None:
    """Of others' as much as fits: there one looks for a person, here for oneself."""
    body = """
        const {places} = await import('/static/places.js');
        const layout = places({width: 330, letter: 14, shoppers: 12, guests: 2, waiting: false, nodes: 3, below: 2});
        const [nodes, guests] = [["n1", "n2", "n3"].map((name) => ({name, state: "up"})), new it.Guests()];
        const seen = ["a", "b"].map((user) => ({user, node: "n1", logged_in: true}));
        guests.draw(seen, new Map([["a", given], ["b", given]]), "a", layout, nodes);
        return [...guests.group.querySelectorAll("text")].map((name) => name.textContent);
    """
    mine, theirs = in_page(page, "guests", body, "Bartholomew of the long name")
    assert mine == "★ you"
    assert theirs.startswith("B")
    assert theirs.endswith("…")
    assert in_page(page, "guests", body, "Al") == ["★ Al", "Al"]
