# fmt: off
"""A second opinion on what needs no memory of carts: service, waits, costs, and who else was taken for a shopper.

    python3 -I loadtests/second_opinion/service.py runs/latest      (Python 3.11 and nothing else)
What `losses.py` leaves out; it reads the same files and shares no code, neither with that nor with what wrote
`results.json`. Prints what differs and what it leaves out. Exit code: 0 all agree, 1 some differ, 2 no run.
"""
import json
import sys
from bisect import bisect_left
from collections import Counter
from pathlib import Path
from types import SimpleNamespace as Record
from typing import Any

GAPS = {"jar": "main", "node": "", "sent_us": -1, "done_us": -1} | dict.fromkeys(
    ("user", "key", "status", "dropped", "cookie_refused"), 0)
LEAVE, KNOWN = ("logout", "logout_everywhere"), ("cart", "orders", "me", "add", "remove", "checkout")
SECONDS, SLOW = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}, ("watch", "linger")
TALLIES = ("flickered", "stalled", "not_served", "server_errors", "streams_dropped", "streams_lost", "cookies_refused",
           "read_by_others", "rate_limited", "over_limit")
LOSS = "{kind} of shopper {shopper}, shown by {node!r} at {at_ms} ms"
KINDS = {"session_shared": "sessions_shared", "order_duplicated": "orders_duplicated",
         "still_logged_in": "still_logged_in"}
BARS = [round(10 ** (n / 10)) for n in range(100)]  # where the bars of a distribution end, in microseconds
def befall(me: Any, r: Any) -> None:
    """What an answer, or none, does to a shopper, beside losses."""
    own, ok, refused, answered = r.jar == "main", r.outcome == "ok", r.status == 401 and r.do != "login", taken(me, r)
    planned, known, waited_us = own and r.why == "plan", r.outcome == "ok" and r.do in KNOWN, r.done_us - r.sent_us
    tells = refused or r.do in LEAVE or (ok and r.do in ("login", "watch", *KNOWN))
    back, again = own and tells and 0 <= me.dropped_us <= r.sent_us, own and known and 0 <= me.stranger_us <= r.sent_us
    if answered and me.limit_us and r.done_us >= me.window_us + me.limit_us:
        me.window_us, me.let_through = r.sent_us, 0
    me.let_through += answered and r.sent_us >= me.window_us
    met = {
        "flickered": again, "streams_lost": back and refused, "streams_dropped": own and r.dropped,
        "not_served": planned and r.outcome in ("failed", "unknown"), "rate_limited": r.status == 429,
        "stalled": r.why == "plan" and ok and r.request and r.do not in SLOW and waited_us > 900_000,
        "server_errors": planned and r.request and (r.status == 0 or r.status >= 500),
        "cookies_refused": own and r.cookie_refused, "read_by_others": r.do == "read_cookie" and r.user,
        "over_limit": me.limit_us and answered and r.sent_us >= me.window_us and me.let_through > me.allowed}
    me.met.update(name for name, happened in met.items() if happened)
    me.dropped_us = r.done_us if own and r.dropped else -1 if back else me.dropped_us
    if own and not refused and r.do in ("login", *LEAVE) and r.outcome in ("ok", "unknown"):
        me.session, me.stranger_us = ok and r.do == "login", -1
    elif again or (own and refused and me.session and me.stranger_us < 0):
        me.stranger_us = -1 if again else r.done_us
    if planned and r.do not in ("watch", "forget_node", "read_cookie", "forget_session"):
        if not ok and me.since_us is None:
            me.since_us = max(r.sent_us if r.request else r.planned_us, me.served_us)
        elif ok and me.since_us is not None:
            me.unserved_us, me.served_us = me.unserved_us + max(0, r.done_us - me.since_us), max(r.done_us, me.since_us)
            me.since_us = None
def taken(me: Any, r: Any) -> bool:
    """Whoever sent it was answered as the shopper."""
    return r.outcome == "ok" and 200 <= r.status < 300 and r.do in KNOWN and r.user in (0, me.name)
def intrude(me: Any, r: Any) -> None:
    """Other cookies than the shopper's own: taken for the shopper after the session's end, or without a login?"""
    if r.jar == "main" and r.do in LEAVE:
        ended = ("stolen", "second") if r.do == "logout_everywhere" else ("stolen",)
        me.ends |= dict.fromkeys(ended, r if r.outcome == "ok" else None)
    elif r.jar == "main" and r.do == "login" and r.outcome == "ok":
        me.ends["planted"] = r
    elif r.jar != "main" and r.do == "login" and r.outcome != "failed":
        me.logins[r.jar] = r if r.outcome == "ok" else None
    elif r.jar != "main" and taken(me, r) and (end := me.ends.get(r.jar)):
        since, later = me.logins.get(r.jar), r.sent_us > end.done_us
        wrong = {"stolen": later, "second": later and since and since.done_us <= end.sent_us,
                 "planted": "planted" not in me.logins}[r.jar]
        if wrong and (r.jar, end.request) not in me.accused:
            me.accused.add((r.jar, end.request))
            me.losses.append(("session_shared" if r.jar == "planted" else "still_logged_in", r, 0))

def order_again(people: Any, orders: list[Any], asked: dict[str, Any]) -> None:
    """Second orders of one request, or of one user and key."""
    seen: dict[Any, Any] = {}
    for order in orders:
        key = order.key or (asked[order.request].key if order.request in asked else "")
        names = [name for name in (("request", order.request), (order.user, key)) if name[1]]
        for first in [seen[name] for name in names if name in seen][:1]:
            made = [asked[each.request] for each in (first, order) if each.request in asked]
            nobody = Record(shopper=int(order.user[5:]), done_us=0, node="")
            last = max(made, key=lambda r: r.done_us, default=nobody)
            people[last.shopper].losses.append(("order_duplicated", last, sum(order.lines.values())))
        seen = dict.fromkeys(names, order) | seen

def waits(all_us: list[int]) -> dict[str, Any]:
    """A distribution: by nearest rank, and in bars."""
    bars = sorted(Counter(BARS[bisect_left(BARS, us)] for us in all_us).items())
    ranked, ranks = sorted(all_us) or [0], {"p50": 500, "p95": 950, "p99": 990, "p99_9": 999, "max": 1000}
    return {"count": len(all_us), "distribution": [{"up_to_ms": end / 1000, "count": number} for end, number in bars],
            **{name: ranked[-(-len(ranked) * rank // 1000) - 1] / 1000 for name, rank in ranks.items()}}

def opinion(plan: Any, events: list[Any], history: list[Any]) -> dict[str, Any]:
    """The numbers of one architecture, by their names in `results.json`."""
    orders, asked = ([r for r in history if r.record == record] for record in ("order", "exchange"))
    limit = next((e.limits.get("rate_limit") for e in events if e.event == "cluster_ready"), "") or "0 per second"
    most, _, *times, unit = limit.replace("/", " per ").split()
    people = {each["shopper"]: Record(
        name=f"user-{each['shopper']:04d}", allowed=2 * int(most), window_us=-(1 << 62), let_through=0, met=Counter(),
        limit_us=(int(most) > 0) * int((times or [1])[0]) * SECONDS[unit.rstrip("s")] * 10**6, stranger_us=-1,
        session=False, dropped_us=-1, since_us=None, served_us=0, unserved_us=0, ends={}, logins={}, accused=set(),
        losses=[]) for each in plan["shoppers"]}
    repeats = min((e.at_us for e in events if (e.event == "cluster_ready" and e.limits.get("balancer_retries")) or (
        e.event == "fault" and (e.kind, e.phase) == ("balancer-retries", "injected"))), default=1 << 62)
    for r in asked:
        if r.outcome == "failed" and r.do in (*KNOWN[3:], "login", *LEAVE) and r.status and r.done_us >= repeats:
            r.outcome = "unknown"  # a node that was asked before may have done it, and this one was asked again
        befall(people[r.shopper], r)
        intrude(people[r.shopper], r)
    order_again(people, orders, {r.request: r for r in asked if r.do == "checkout" and r.outcome in ("ok", "unknown")})
    window_us, everybody = plan["window_ms"] * 1000, people.values()
    unserved_us = sum(me.unserved_us for me in everybody)
    unserved_us += sum(max(0, window_us - me.since_us) for me in everybody if me.since_us is not None)
    timed = [r for r in asked if r.why == "plan" and r.status and r.do not in SLOW]
    latency = {"raw": waits([r.done_us - r.sent_us for r in timed]),
               "from_plan": waits([r.done_us - r.planned_us for r in timed])}
    found = [(kind, number, r, f"found ({n} items)") for number, me in people.items() for kind, r, n in me.losses]
    return {
        **{f"counts.{name}.shoppers": sum(me.met[name] > 0 for me in everybody) for name in TALLIES},
        **{f"counts.{name}.events": sum(me.met[name] for me in everybody) for name in TALLIES},
        **{f"latency_ms.{kind}.{name}": n for kind, numbers in latency.items() for name, n in numbers.items()},
        **{name: sum(loss[0] == kind for loss in found) for kind, name in KINDS.items()},
        **{LOSS.format(kind=kind, shopper=who, node=r.node, at_ms=r.done_us / 1000): n for kind, who, r, n in found},
        "seconds_without_service": round(unserved_us / 1e6, 3),
    }

def main(run: Path) -> int:
    """Prints what differs; the exit code."""
    different, left_out = list[str](), set[str]()
    try:
        results, plan = (json.loads((run / name).read_bytes()) for name in ("results.json", "plan.json"))
        events, history = ([Record(**GAPS | json.loads(line)) for line in (run / name).read_bytes().splitlines()]
                           for name in ("events.ndjson", "history.ndjson"))
        for name, theirs in results["architectures"].items():
            mine = opinion(plan, *([r for r in file if r.architecture == name] for file in (events, history)))
            mine = {n: v for n, v in mine.items() if "application" not in theirs or theirs.get(n, v) is not None}
            lost = {LOSS.format(**a): f"found ({a['items']} items)" for a in theirs.pop("losses") if a["kind"] in KINDS}
            left_out |= theirs.keys() - {number.partition(".")[0] for number in mine}
            for _level in (1, 2):
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
