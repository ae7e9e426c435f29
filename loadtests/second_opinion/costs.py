# fmt: off
"""A second opinion on what it cost, and on what the faults did when: the rest of what events and history tell.

    python3 -I loadtests/second_opinion/costs.py runs/latest      (Python 3.11 and nothing else)
What `losses.py` and `service.py` leave out; it reads the same files and shares no code with anything.
Prints what differs and what it leaves out. Exit code: 0 all agree, 1 some differ, 2 no run.
"""
import json
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace as Record
from typing import Any

KNOWN = ("cart", "orders", "me", "add", "remove", "checkout")  # only somebody who is logged in is answered to these
GAPS: dict[str, Any] = {
    "jar": "main", "cart": None, "order": "", "overlapped": False, "node": "", "status": 0, "cookie_bytes": 0,
    "kept_from": None, "body_bytes": 0, "phase": "", "kind": "", "evidence": []}
WITHOUT_SERVER = ("memory", "replicated", "token", "refresh-database")  # stores that need no server of their own

def share(whole: float | None, parts: float, digits: int) -> float | None:
    """One part, rounded; None if there is nothing to share, or nobody to share it among."""
    return None if whole is None or parts <= 0 else round(whole / parts, digits)

def growth(looks: list[tuple[int, int]]) -> float | None:
    """Bytes for one session more, between the look with the fewest of them and the one with the most."""
    if not looks:
        return None
    (few, first), (many, last) = (pick(looks, key=lambda look: look[0]) for pick in (min, max))
    return share(last - first, many - few, 0) if many - few >= 200 else None

def used_s(looks: list[dict[str, Any]]) -> float | None:
    """Processor time of all nodes between the first look and the last; one that was started again begins at 0."""
    spent_s, before = 0.0, dict(looks[0]) if looks else {}
    for look in looks[1:]:
        for node, usage in look.items():
            more_s = usage["cpu_s"] - before[node]["cpu_s"] if node in before else usage["cpu_s"]
            spent_s += more_s if more_s >= 0 else usage["cpu_s"]
        before |= look
    return spent_s if len(looks) > 1 else None

def sampled(events: list[Any], answered: list[Any], window_us: int) -> dict[str, Any]:
    """What the samples of the load window tell of nodes and store."""
    ready = [e for e in events if e.event == "cluster_ready"]
    nodes = {node for e in ready for node in e.nodes} | {e.node for e in events if e.event == "node_added"}
    samples = [e for e in events if e.event == "part_sample" and 0 <= e.at_us <= window_us]
    between = sum(samples[0].at_us <= r.done_us <= samples[-1].at_us for r in answered) if samples else 0
    looks = [{part: usage for part, usage in e.usage.items() if part in nodes} for e in samples]
    memory = [sum(usage["memory_bytes"] for usage in look.values()) for look in looks]
    where, held = [e.description["store"] for e in ready], []
    for e, size in zip(samples, memory, strict=True):
        before = [each for each in events if each.event == "node_sample" and each.at_us <= e.at_us]
        sessions = [[*each.sessions.values()] for each in before]
        if sessions and min(sessions[-1], default=-1) >= 0:  # -1: a node did not answer
            held.append(((max if "replicated" in where else sum)(sessions[-1]), size))  # copies of a session are one
    store = [e.usage["store"].get("counters", {}) for e in samples if "store" in e.usage]
    commands = [counters["commands"] for counters in store if "commands" in counters]
    carried_out = sum(b - a if b >= a else b for a, b in pairwise(commands)) if len(commands) > 1 else None
    no_store, cpu_s = bool({*where} & {*WITHOUT_SERVER}), used_s(looks)
    return {
        "node_cpu_ms_per_request": share(None if cpu_s is None else cpu_s * 1000, between, 4),
        "node_memory_mb": round(max(memory) / 2**20, 1) if any(memory) else None,
        "memory_bytes_per_session": growth(held),
        "store_commands_per_request": 0.0 if no_store else share(carried_out, between, 4),
        "store_memory_bytes_per_session": growth([(c["keys"], c["memory"]) for c in store if "keys" in c]),
    }

def aside(do: str) -> bool:
    """What goes on beside shopping."""
    return do in ("watch", "forget_node", "read_cookie", "arrive", "forget_session")


def facts(records: list[Any], repeats_us: int) -> int:
    """How often an answer could be held against what had been acknowledged to one shopper: a login, or a cart."""
    count, logged_in, entering, leaving, login_us = 0, False, False, False, -1
    for r in records:
        if r.kept_from:
            continue  # made for another request: it was not held against what this shopper had done
        again = r.outcome == "failed" and r.status and r.done_us >= repeats_us  # perhaps the second node asked
        ok, unknown, leaves = r.outcome == "ok", again or r.outcome == "unknown", r.do.startswith("logout")
        known, shops = ok and r.do in KNOWN, not aside(r.do)
        stranger = r.status == 401 and r.do != "login" and logged_in and r.sent_us >= login_us
        count += logged_in and (known or (stranger and not leaving and not (unknown and leaves)))
        empty = r.do == "checkout" and r.status == 400
        count += shops and not r.overlapped and (empty or (ok and r.cart is not None))
        enters, left = ok and r.do == "login", (ok and leaves) or stranger
        logged_in = (logged_in or enters or (known and entering)) and not left
        entering = (unknown and r.do == "login") or (entering and not (known or enters))
        leaving = logged_in and ((unknown and leaves) or (leaving and not (known or enters)))
        login_us = r.done_us if enters else login_us
    return count

def opinion(plan: Any, events: list[Any], history: list[Any]) -> dict[str, Any]:
    """The numbers of one architecture, by their names in `results.json`."""
    window_us, started = plan["window_ms"] * 1000, {n for e in events if e.event == "cluster_ready" for n in e.nodes}
    sent = [r for r in history if r.record == "exchange" and r.request]
    asked = [r for r in sent if r.why != "audit"]
    answered = [r for r in asked if r.status]
    by_node = Counter(r.node for r in answered if r.node)
    grown_us = min((e.at_us for e in events if (e.kind, e.phase) == ("scale-out", "observed")), default=None)
    since = [r.node for r in answered if r.node and grown_us is not None and r.done_us >= grown_us]
    costs = sampled(events, answered, window_us) | {
        "requests_per_second": share(len(answered), window_us / 1e6, 2),
        "cookie_bytes_per_request": share(sum(r.cookie_bytes for r in asked), len(asked), 1),
        "answer_bytes_per_request": share(sum(r.body_bytes for r in answered), len(answered), 1),
        "busiest_node_share": share(max(by_node.values(), default=0), by_node.total(), 4),
        "new_node_share": share(sum(node not in started for node in since), len(since), 4),
    }
    steps = [{"fault": number, "step": "planned", "at_ms": fault["at_ms"], "victim": fault["victim"]}
             for number, fault in enumerate(plan["faults"])]
    steps += [{"fault": e.fault, "step": e.phase, "at_ms": e.at_us / 1000, "victim": e.victim}
              | ({"evidence": e.evidence} if e.evidence else {}) for e in events if e.event == "fault"]
    steps.sort(key=lambda step: (step["fault"], step["step"] != "planned", step["at_ms"]))
    exchanges = [r for r in history if r.record == "exchange" and r.outcome != "not_sent"]
    finished = {"load_ended"} <= {e.event for e in events} and all(e.event != "interrupted" for e in events)
    orders = sum(r.do == "checkout" and r.outcome == "ok" and bool(r.order) for r in exchanges) if finished else 0
    own = [[r for r in exchanges if r.jar == "main" and r.shopper == each["shopper"]] for each in plan["shoppers"]]
    repeats = min((e.at_us for e in events if (e.event == "cluster_ready" and e.limits.get("balancer_retries")) or (
        e.event == "fault" and (e.kind, e.phase) == ("balancer-retries", "injected"))), default=1 << 62)
    return {f"costs.{name}": cost for name, cost in costs.items()} | {
        "experiment": steps, "reconciliation.client": len({r.request for r in sent}),
        "facts_checked": orders + sum(facts(records, repeats) for records in own),
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
            if "application" in theirs:  # how a described application is answered, only its description tells
                del mine["facts_checked"]
            groups = {number.partition(".")[0] for number in mine}
            left_out |= theirs.keys() - groups
            left_out |= {f"{a}.{b}" for a in groups if type(theirs[a]) is dict for b in theirs[a]} - mine.keys()
            theirs |= {f"{a}.{b}": v for a, group in theirs.items() if type(group) is dict for b, v in group.items()}
            different += [f"{name}: {number}: {theirs.get(number)} in results.json, {mine[number]} here"
                          for number in mine if number not in theirs or theirs[number] != mine[number]]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        print(f"cannot read {run}: {error!r}", file=sys.stderr)  # noqa: T201
        return 2
    print(*different, f"left out: {', '.join(sorted(left_out))}", sep="\n")  # noqa: T201
    return 1 if different else 0

if __name__ == "__main__":
    sys.exit(main(Path(*sys.argv[1:])))
