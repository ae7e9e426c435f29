# fmt: off
"""A second opinion: computes anew who lost what, and shares no code with what wrote the run's `results.json`.

    python3 -I loadtests/second_opinion/losses.py runs/latest      (Python 3.11 and nothing else)
Defined in docs/reference/results.md. Prints what differs and is left out. Exit code: 0 agree, 1 differ, 2 not read."""
import json
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace as Record
from typing import Any

GAPS = {"jar": "main", "node": "", "overlapped": 0, "kept_session": False} | dict.fromkeys(
    ("user", "sku", "key", "order", "orders", "cart", "status", "kept_from"))
CART = {"add": "acknowledged", "remove": "removed", "checkout": "ordered"}  # writes to it, and how they are booked
LEAVE, ASIDE = ("logout", "logout_everywhere"), ("watch", "forget_node", "read_cookie", "arrive", "forget_session")
KNOWN = ("cart", "orders", "me", *CART)  # only somebody who is logged in is answered to these
BOOK = ("acknowledged", "gained", "kept", "lost", "removed", "ordered", "given_up", "undecided")
KINDS = {"logged_out": "logged_out.events", "cart_lost": "carts_lost", "items_lost": "items_lost",
         "cart_rolled_back": "carts_rolled_back", "wrong_user": "wrong_user", "order_lost": "orders_lost"}
LOSS = "{kind} of shopper {shopper}, shown by {node!r} at {at_ms} ms"
def possible(worlds: list[Any], write: Any, *, sure: bool) -> list[Any]:
    """Each cart that may be there after a write, with the units booked so far and the writes that it takes for done."""
    futures: dict[Any, Any] = {}
    for cart, booked, done in worlds:
        change = Counter({write.sku: write.quantity if write.do == "add" else -cart[write.sku]})
        then = Counter[str]() if write.do == "checkout" else cart + change
        units = booked + Counter({CART[write.do]: abs(then.total() - cart.total())})
        both = [(cart, booked, done | {write.request: False}), (then, units, done | {write.request: cart.total() or 1})]
        for future in both[sure:] if sure or then != cart else [(cart, booked, done)]:
            *first, told = futures.get(key := frozenset(future[0].items()), future)
            futures[key] = (*first, {q: did for q, did in told.items() if bool(did) == bool(future[2].get(q, not did))})
    return list(futures.values())
def shop(me: Any, r: Any) -> None:  # noqa: C901 - one law, read from top to bottom
    """What an answer acknowledges to a shopper, and what it contradicts."""
    if r.kept_from:  # made for another request, and kept on the way: it tells nothing but whose it is
        others = int(r.kept_from.split("-")[-2]) != r.shopper and (r.user, r.cart, r.orders) != (None, None, None)
        me.losses, me.odd = me.losses + [("wrong_user", r, 0)] * others, me.odd or r.kept_session
        return
    ok, unknown, writes = r.outcome == "ok", r.outcome == "unknown", r.do in ("login", *LEAVE, *CART)
    known, enters, leaves = ok and r.do in KNOWN, ok and r.do == "login", ok and r.do in LEAVE
    stranger = r.status == 401 and r.do != "login" and me.logged_in and r.sent_us >= me.login_us
    me.leaving = r.request if unknown and r.do in LEAVE and me.logged_in else me.leaving
    before, twin = me.worlds, r.overlapped and me.rival == r.do
    me.believing |= me.odd or (writes and r.overlapped and me.rival not in ("", r.do))  # nobody knows what to expect
    me.rival = me.rival if r.do in ASIDE or (r.overlapped and not writes) else r.do if r.overlapped else ""
    if stranger or (known and me.logged_in):
        me.settled[me.leaving] = "failed" if known else "ok"
    elif known and me.entering:
        me.settled[me.entering], me.entering, me.logged_in = "ok", None, True
    if stranger and not me.leaving:
        me.losses.append(("logged_out", r, 0))
    elif stranger or leaves or (enters and me.logged_in):  # the cart goes with the session
        me.booked["given_up"] += me.worlds[0][0].total()
        me.worlds, me.late, me.believing = [(Counter(), me.worlds[0][1], {})], {}, False
    me.leaving = None if stranger or known or leaves or enters else me.leaving
    me.logged_in, me.known = (me.logged_in or enters) and not stranger and not leaves, me.known or known or enters
    if enters:
        me.login_us, me.entering, me.late, me.odd = r.done_us, None, {}, 0
    if ok and r.do not in ASIDE and r.user not in (None, me.shown or me.name):
        me.losses, me.shown, me.believing = me.losses + [("wrong_user", r, 0)] * (r.user != me.name), r.user, True
    me.entering = r.request if unknown and r.do == "login" else me.entering
    if r.do in CART and (ok or (unknown and not me.believing)):
        certain = len(me.worlds) == 1 and not me.believing and not twin
        me.ordered = me.ordered if unknown or r.do != "checkout" else me.worlds[0][0] if certain else None
        me.doubtful[r.request], me.audited, me.worlds = r, me.audited and ok, possible(me.worlds, r, sure=ok)
        if len(me.worlds) > 64:
            me.worlds, me.believing = [(*me.worlds[0][:2], {})], True  # too many to accuse anybody
    if r.overlapped or r.do in ASIDE or not ((ok and r.cart is not None) or (r.do == "checkout" and r.status == 400)):
        return  # no cart was shown; 400 is said of an empty one
    cart, own, odd = Counter(r.cart), r.quantity if ok and r.do == "add" else 0, me.believing
    empty = cart.total() <= own and not cart.keys() - {r.sku}  # but for what the request itself added
    orders = [me.worlds, *(possible(me.worlds, late, sure=True) for late in me.late.values()), *(  # after r, or before
        possible(possible(before, late, sure=True), r, sure=True) for late in me.late.values() if ok and r.do in CART)]
    true = [world for worlds in orders for world in worlds if world[0] == cart]
    if not true:  # no possible cart, and none that a write explains which came late
        nearest, booked, done = min(me.worlds, key=lambda world: ((world[0] - cart) + (cart - world[0])).total())
        missing, extra = (nearest - cart).total(), (cart - nearest).total()
        kind = "cart_lost" if empty and all(world[0] for world in before) else "items_lost"
        found = {kind: missing, "cart_rolled_back": extra}
        me.losses += [(kind, r, units) for kind, units in found.items() if units and not odd]
        me.booked.update({"gained": extra, "undecided" if odd else "lost": missing})
        true = [(cart, booked, {q: done[q] for q in done if done[q]})]
    for q, did in true[0][2].items():
        me.settled[q] = "ok" if did else "failed"  # as far as anybody knows: what nobody answered may still come
        if did and q in me.denied:  # no order was made of it: what is gone was lost
            me.losses += [] if odd else [("cart_lost" if empty else "items_lost", r, did)]
            me.booked.update({"ordered": -did, "undecided" if odd else "lost": did})
        me.late |= {q: me.doubtful[q]} if not did and not me.doubtful[q].status and len(me.late) < 8 else {}
    me.late = {q: write for q, write in me.late.items() if not true[0][2].get(q)}
    me.worlds, me.believing, me.audited = [(cart, true[0][1], {})], False, r.why == "audit"
def opinion(plan: Any, events: list[Any], history: list[Any]) -> dict[str, Any]:
    """The numbers of one architecture, by their names in `results.json`."""
    orders, asked = ([r for r in history if r.record == record] for record in ("order", "exchange"))
    finished = any(e.event == "load_ended" for e in events) and all(e.event != "interrupted" for e in events)
    stored, made = ({getattr(order, key): order for order in orders} for key in ("order", "request"))
    people = {each["shopper"]: Record(
        name=f"user-{each['shopper']:04d}", worlds=[(Counter(), Counter(), {})], doubtful={}, late={}, settled={},
        booked=Counter(), losses=[], login_us=-1, rival="", entering=None, leaving=None, ordered=None, shown=None,
        logged_in=False, known=False, believing=False, audited=False, seen=False, odd=0, denied=set())
        for each in plan["shoppers"]}
    repeats = min((e.at_us for e in events if (e.event == "cluster_ready" and e.limits.get("balancer_retries")) or (
        e.event == "fault" and (e.kind, e.phase) == ("balancer-retries", "injected"))), default=1 << 62)
    for r in asked:
        if r.outcome == "failed" and r.do in ("login", *LEAVE, *CART) and r.status and r.done_us >= repeats:
            r.outcome = "unknown"  # a node that was asked before may have done it, and this one was asked again
        me, own = people[r.shopper], r.jar == "main"
        if finished and r.do == "checkout" and r.outcome == "unknown" and r.request not in made:
            me.denied.add(r.request)
        me.seen |= own and r.why == "audit" and (r.outcome == "ok" or r.status == 401)
        if own and r.outcome != "not_sent":
            shop(me, r)
        if finished and r.do == "checkout" and r.outcome == "ok" and r.order:  # a promise: does the database keep it?
            order, cart = stored.get(r.order), me.ordered if own else None
            lost = not order or order.user != me.name or (order.key and r.key and order.key != r.key)
            held = Counter[str](order.lines if order and not lost and cart is not None else {})
            missing, extra = (Counter[str](cart) - held).total(), (held - Counter[str](cart)).total()
            me.losses += [("order_lost" if lost else "items_lost", r, missing)] if lost or missing else []
            me.booked.update({"ordered": extra - missing, "gained": extra, "lost": missing})
    settled = {q: end for me in people.values() for q, end in me.settled.items()}
    settled |= {r.request: "ok" if r.request in made else "failed" for r in asked if finished and r.do == "checkout"}
    actions = [(r.outcome == "unknown" and settled.get(r.request)) or r.outcome for r in asked if r.why == "plan"]
    known, planned = sum(me.known for me in people.values()), sum(len(each["actions"]) for each in plan["shoppers"])
    found = [(kind, number, r, f"found ({n} items)") for number, me in people.items() for kind, r, n in me.losses]
    outs = {n: out for n, me in people.items() if (out := [r.done_us for k, r, _ in me.losses if k == "logged_out"])}
    kept = sum(me.known and n not in outs and (me.seen or not me.logged_in) for n, me in people.items())
    fault_us = min((e.at_us for e in events if e.event == "fault" and e.phase == "injected"), default=1 << 62)
    books = [me.booked + me.worlds[0][1] + Counter({"kept" if me.audited else "undecided": me.worlds[0][0].total()})
             for me in people.values()]
    return {
        "at_risk": len({user for e in events if e.event == "at_risk" for user in e.users}), "shoppers": len(people),
        "logged_out.more_than_once": sum(len(out) > 1 for out in outs.values()), "users.logged_out": len(outs),
        "logged_out_before_fault": sum(out[0] < fault_us for out in outs.values()), "logged_out.shoppers": len(outs),
        "users.kept": kept, "users.never_logged_in": len(people) - known, "users.undecided": known - len(outs) - kept,
        "actions.settled": sum(r.outcome == "unknown" and r.request in settled and r.why == "plan" for r in asked),
        **{f"actions.{end}": actions.count(end) for end in ("ok", "failed", "unknown", "not_sent")},
        **{f"items.{name}": sum(book[name] for book in books) for name in BOOK}, "actions.planned": planned,
        **{name: sum(loss[0] == kind for loss in found) for kind, name in KINDS.items()}, "users.shoppers": len(people),
        **{LOSS.format(kind=kind, shopper=who, node=r.node, at_ms=r.done_us / 1000): n for kind, who, r, n in found}}
def main(run: Path) -> int:
    """Prints what differs; the exit code."""
    different, left_out = list[str](), set[str]()
    try:
        results, plan = (json.loads((run / name).read_bytes()) for name in ("results.json", "plan.json"))
        events, history = ([Record(**GAPS | json.loads(line)) for line in (run / name).read_bytes().splitlines()]
                           for name in ("events.ndjson", "history.ndjson"))
        if any("application" in theirs for theirs in results["architectures"].values()):
            raise ValueError("a described application: not read by this script")
        for name, theirs in results["architectures"].items():
            mine = opinion(plan, *([r for r in file if r.architecture == name] for file in (events, history)))
            lost = {LOSS.format(**a): f"found ({a['items']} items)" for a in theirs.pop("losses") if a["kind"] in KINDS}
            left_out |= theirs.keys() - {number.partition(".")[0] for number in mine}
            theirs |= lost | {f"{a}.{b}": v for a, g in theirs.items() if type(g) is dict for b, v in g.items()}
            different += [f"{name}: {n}: {theirs.get(n, 'not found')} in results.json, {mine.get(n, 'not found')} here"
                          for n in mine | lost if theirs.get(n) != mine.get(n)]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        print(f"cannot read {run}: {error!r}", file=sys.stderr)  # noqa: T201
        return 2
    print(*different, f"left out: {', '.join(sorted(left_out))}", sep="\n")  # noqa: T201
    return 1 if different else 0
if __name__ == "__main__":
    sys.exit(main(Path(*sys.argv[1:])))
