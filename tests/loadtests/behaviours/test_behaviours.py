"""Every behaviour makes a plan that can be carried out; and each shows what it is for."""

from __future__ import annotations

from itertools import pairwise, takewhile

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from loadtests.behaviours import BEHAVIOURS
from loadtests.behaviours.described import Described
from loadtests.behaviours.hurry import BURST
from loadtests.behaviours.workload import DEFAULT_MIX
from loadtests.model.plan import Action, Plan, encode_plan
from loadtests.model.scenario import Load, Scenario
from loadtests.planning.make_plan import make_plan
from shared.shop.catalogue import product_of

COOKIE_BYTES = 4096
every = pytest.mark.parametrize("name", BEHAVIOURS)


def plan_of(
    behaviour: str, seed: int = 1, *, shoppers: int = 8, seconds: float = 8.0, think_ms: int = 300, within_ms: int = 800
) -> Plan:
    load = Load(shoppers, seconds, think_ms, login_within_ms=within_ms, behaviour=behaviour)
    return make_plan(Scenario("Why?", "test", load), seed=seed)


def days_of(behaviour: str, **shape: float) -> list[tuple[Action, ...]]:
    return [each.actions for each in plan_of(behaviour, **shape).shoppers]  # type: ignore[arg-type]


def dos(actions: tuple[Action, ...], jar: str = "main") -> list[str]:
    return [action.do for action in actions if action.jar == jar]


class TestEvery:
    @every
    def test_is_named_as_it_is_called_and_says_what_it_does(self, name: str) -> None:
        behaviour = BEHAVIOURS[name]
        assert behaviour.name == name
        assert behaviour.sentence.startswith(("They ", "In the ")), "a sentence about the shoppers"
        assert behaviour.sentence.endswith(".")
        assert len(behaviour.sentence) <= 110

    @every
    @pytest.mark.parametrize("seed", range(5))
    def test_times_lie_in_the_window_in_order(self, name: str, seed: int) -> None:
        plan = plan_of(name, seed)
        for each in plan.shoppers:
            times = [action.at_ms for action in each.actions]
            assert times == sorted(times)
            assert 0 <= times[0] <= 800
            assert times[-1] < plan.window_ms

    @every
    def test_nobody_does_anything_before_logging_in(self, name: str) -> None:
        for actions in days_of(name):
            assert dos(actions)[0] == "login"
            assert next(action.do for action in actions[:2] if action.do != "arrive") == "login"

    @every
    def test_it_does_what_it_says_that_it_uses(self, name: str) -> None:
        done = {action.do for actions in days_of(name, shoppers=30) for action in actions}
        uses = BEHAVIOURS[name].uses
        assert uses <= done
        assert done <= uses | {do for do in DEFAULT_MIX if DEFAULT_MIX[do]} | {"login"}  # type: ignore[operator]

    @every
    def test_what_is_beside_has_a_step_of_the_same_jar_before_it(self, name: str) -> None:
        for actions in days_of(name):
            assert not actions[0].beside
            assert all(before.jar == after.jar for before, after in pairwise(actions) if after.beside)

    @every
    def test_the_same_seed_gives_the_same_bytes(self, name: str) -> None:
        assert encode_plan(plan_of(name, 3)) == encode_plan(plan_of(name, 3))
        assert encode_plan(plan_of(name, 3)) != encode_plan(plan_of(name, 4))

    @every
    def test_one_shopper_more_changes_nobody_elses_day(self, name: str) -> None:
        assert plan_of(name, shoppers=9).shoppers[:8] == plan_of(name).shoppers

    @every
    def test_its_pace_is_not_understated(self, name: str) -> None:
        plan = plan_of(name, shoppers=40)
        planned = sum(len(each.actions) for each in plan.shoppers)
        assert planned <= 1.25 * BEHAVIOURS[name].pace * 40 * plan.window_ms / 300

    @every
    def test_a_window_that_is_all_login_is_no_error(self, name: str) -> None:
        for actions in days_of(name, seconds=1, within_ms=1000):
            assert "login" in dos(actions)

    @every
    def test_only_whom_it_does_not_spoil_may_leave(self, name: str) -> None:
        leaving = Load(20, 5, 300, leavers=1.0, behaviour=name)
        plan = make_plan(Scenario("Why?", "test", leaving), seed=1)
        if BEHAVIOURS[name].may_leave:
            assert {dos(each.actions)[-1] for each in plan.shoppers} == {"logout"}


def test_shopping_is_what_everybody_does_who_is_not_told_otherwise() -> None:
    assert Load().behaviour == "shop"
    assert not {action.jar for actions in days_of("shop") for action in actions} - {"main"}


def test_two_tabs_add_different_articles_within_five_milliseconds() -> None:
    pairs = [pair for actions in days_of("two-tabs") for pair in pairwise(actions) if pair[1].beside]
    assert len(pairs) > 30
    assert {(one.do, other.do) for one, other in pairs} <= {("add", "add"), ("add", "cart")}
    assert all(one.sku != other.sku for one, other in pairs)
    assert {other.at_ms - one.at_ms for one, other in pairs} == set(range(6))
    adds = [action for actions in days_of("two-tabs") for action in actions if action.do == "add"]
    assert len(adds) == 2 * len(pairs)


def test_a_slow_page_is_clicked_beside_and_then_looked_at() -> None:
    for actions in days_of("slow-page"):
        whole = actions[1 : 1 + (len(actions) - 1) // 3 * 3]
        rounds = list(zip(*[iter(whole)] * 3, strict=True))
        assert rounds
        for linger, click, look in rounds:
            assert [linger.do, click.do, look.do] == ["linger", "add", "cart"]
            assert [linger.beside, click.beside, look.beside] == [False, True, False]
            assert click.at_ms - linger.at_ms == 100
            assert look.at_ms - linger.at_ms == 600


@pytest.mark.parametrize("shopper", range(4))
def test_a_growing_cart_does_not_fit_into_a_cookie_well_before_the_window_ends(shopper: int) -> None:
    app = Flask("shop")
    app.secret_key = "0123456789abcdef" * 2
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    actions = days_of("growing-cart", think_ms=100, within_ms=1500)[shopper]
    cart: dict[str, int] = {}
    fits = []
    for action in actions:
        if action.do == "add":
            assert action.sku not in cart
            assert product_of(action.sku) is not None
            cart[action.sku] = action.quantity
            fits.append((action.at_ms, len(signer.dumps({"user": "user-0001", "cart": cart})) <= COOKIE_BYTES))
    assert fits[120][1]
    too_large_ms = next(at_ms for at_ms, fit in fits if not fit)
    assert too_large_ms < 6500
    assert dos(actions).count("cart") > 5


def test_a_replay_follows_the_logout_until_the_window_ends() -> None:
    for actions in days_of("replay"):
        assert dos(actions)[-1] == "logout"
        assert dos(actions).count("logout") == 1
        probes = [action for action in actions if action.jar == "stolen"]
        assert [probe.do for probe in probes] == ["me"] * 5
        logout = next(action for action in actions if action.do == "logout")
        assert all(probe.at_ms > logout.at_ms for probe in probes)
        assert probes[-1].at_ms > 7000


def test_everywhere_has_a_second_device_that_is_tried_after_the_logout() -> None:
    for actions in days_of("everywhere", think_ms=200):
        second = [action for action in actions if action.jar == "second"]
        assert second[0].do == "login"
        assert {action.do for action in second[1:]} <= {"me", "cart"}, "what it added would be nobody's in the books"
        out = dos(actions).index("logout_everywhere")
        assert out == len(dos(actions)) - 1
        after = actions[actions.index(next(each for each in actions if each.do == "logout_everywhere")) + 1 :]
        assert [(each.do, each.jar) for each in after] == [("me", "second")] * 5


def test_a_planted_session_is_opened_before_the_login_and_tried_after_it() -> None:
    for actions in days_of("planted"):
        assert (actions[0].do, actions[0].jar) == ("arrive", "planted")
        assert (actions[1].do, actions[1].jar) == ("login", "main")
        probes = [action for action in actions[1:] if action.jar == "planted"]
        assert len(probes) >= 3
        assert {probe.do for probe in probes} == {"me"}


def test_a_double_click_is_the_same_checkout_within_thirty_milliseconds() -> None:
    days = days_of("double-click", shoppers=60)
    clicks = [pair for actions in days for pair in pairwise(actions) if pair[1].beside]
    assert len(clicks) > 20
    for one, other in clicks:
        assert (one.do, other.do) == ("checkout", "checkout")
        assert one.key == other.key != ""
        assert 0 <= other.at_ms - one.at_ms <= 30
    keys = [action.key for actions in days for action in actions if action.do == "checkout"]
    assert {keys.count(key) for key in keys[:200]} <= {1, 2}, "the window's end may cut off a second click"
    assert len(set(keys)) >= len(clicks)


def test_watching_begins_with_the_login() -> None:
    for actions in days_of("watching"):
        assert dos(actions)[:2] == ["login", "watch"]
        assert dos(actions).count("watch") == 1


def test_the_balancers_cookie_is_forgotten_once_in_the_middle() -> None:
    for actions in days_of("forgetful"):
        (forgets,) = [action for action in actions if action.do == "forget_node"]
        assert forgets.at_ms == 4000


def test_cookies_are_read_once_in_the_middle() -> None:
    for actions in days_of("overlooked"):
        (read,) = [action for action in actions if action.do == "read_cookie"]
        assert (read.at_ms, read.jar) == (4000, "stolen")


def test_abandoned_sessions_are_many() -> None:
    for actions in days_of("abandon", seconds=30):
        visits = dos(actions).count("login")
        assert visits > 10
        assert len(actions) <= 4 * visits
        assert set(dos(actions)) == {"login", "add"}


def test_a_hurry_is_bursts_of_reads() -> None:
    for actions in days_of("hurry"):
        burst = list(takewhile(lambda pair: pair[1].at_ms - pair[0].at_ms == 10, pairwise(actions[1:])))
        assert len(burst) == BURST - 1
        assert set(dos(actions[1:])) == {"cart"}


def test_users_of_a_described_application_do_what_is_described_and_are_said_to() -> None:
    assert Described(("login", "me")).sentence == "They log in and look who they are."
    all_of_it = Described(("login", "me", "remember", "recall", "logout")).sentence
    assert all_of_it.startswith("They log in, look who they are, have values remembered and read them back; near")
    assert "log out" not in Described(("login", "me", "remember", "recall")).sentence
