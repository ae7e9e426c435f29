"""What the packed steps say of an exchange is what the plan itself says of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loadtests.judging.books import Steps
from loadtests.model.history import Exchange
from loadtests.model.plan import Action, ShopperPlan

PLANNED = {
    2: (Action(0, "login"), Action(1, "add", "mug", 2), Action(2, "cart")),
    5: (Action(0, "login"), Action(1, "cart", jar="second")),
}
SHOPPERS = [ShopperPlan(shopper, actions) for shopper, actions in PLANNED.items()]


def exchange(shopper: int, step: int, do: str, sku: str = "", quantity: int = 0, jar: str = "main") -> Exchange:
    return Exchange(
        "redis",
        shopper,
        "a-1",
        "plan",
        do,
        "ok",
        0,
        step=step,
        sku=sku,
        quantity=quantity,
        jar=jar,  # type: ignore[arg-type]
    )


def as_planned(shopper: int, step: int) -> Exchange:
    action = PLANNED[shopper][step]
    return exchange(shopper, step, action.do, action.sku, action.quantity, action.jar)


ANYTHING = st.one_of(
    st.sampled_from(
        [as_planned(shopper, step) for shopper, actions in PLANNED.items() for step in range(len(actions))]
    ),
    st.builds(exchange, st.integers(1, 6), st.integers(-1, 4), st.sampled_from(["login", "add", "cart"])),
)


def one_by_one(exchanges: list[Exchange]) -> list[list[str]]:
    """By the plan itself: what is wrong with each."""
    seen: set[tuple[int, int]] = set()
    found = []
    for each in exchanges:
        actions, problems = PLANNED.get(each.shopper, ()), []
        if not 0 <= each.step < len(actions):
            found.append(["nobody planned it"])
            continue
        action = actions[each.step]
        if (action.do, action.sku, action.quantity) != (each.do, each.sku, each.quantity):
            problems.append(f"the plan says {action.do!r} {action.sku}".rstrip())
        elif action.jar != each.jar:
            problems.append(f"the plan says with jar {action.jar!r}, the history {each.jar!r}")
        if (each.shopper, each.step) in seen:
            problems.append("it stands in the history twice")
        seen.add((each.shopper, each.step))
        found.append(problems)
    return found


@given(st.lists(ANYTHING, max_size=20))
def test_what_is_wrong_is_what_the_plan_itself_says(exchanges: list[Exchange]) -> None:
    steps = Steps(SHOPPERS).afresh()
    assert [list(steps.tick_off(each)) for each in exchanges] == one_by_one(exchanges)


def test_a_plan_of_nobody() -> None:
    steps = Steps([])
    assert (steps.planned, steps.shoppers) == (0, frozenset())
    assert steps.tick_off(as_planned(2, 0)) == ("nobody planned it",)


def test_afresh_nothing_is_ticked_off() -> None:
    steps = Steps(SHOPPERS)
    for _ in range(2):
        assert not steps.afresh().tick_off(as_planned(5, 1))
