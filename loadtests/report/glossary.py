"""What every number means, and the words of the report. Their ids are stable: `#def-…` and `#word-…`."""

from loadtests.checks import MEASURES
from loadtests.model.measures import in_order
from loadtests.report.summary import columns

_OF_THE_RUN: dict[str, tuple[str, str]] = {
    "verdict": (
        "Verdict",
        "As predicted: every prediction of the scenario held and the experiment happened. Not as predicted: "
        "it happened, and at least one prediction did not hold. Inconclusive: it did not happen, or its books "
        "do not balance; then the other numbers answer nothing.",
    ),
    "at-risk": (
        "At risk",
        "Shoppers whose sessions the victim held in its memory when it was hit, read from the victim and its "
        "own log, never from the shoppers.",
    ),
    "at-risk-by-balancer": (
        "At risk, by the balancer",
        "The second source: shoppers whose last answer before the hit came from the victim, by the balancer’s own log.",
    ),
    "served-by-victim": (
        "Just served by the victim",
        "Shoppers whom the victim had answered in the second before it was hit, by the balancer’s log.",
    ),
    "books": (
        "Books",
        "Planned actions = ok + failed + unknown + not sent. Shoppers = kept + logged out + never logged in + "
        "undecided. Units acknowledged + gained = kept + lost + removed + ordered + given up + undecided. A run whose "
        "books do not balance counts for nothing.",
    ),
    "facts": (
        "Facts checked",
        "Acknowledged facts (logins, states of a cart, orders) with which a later answer, or the database, "
        "was compared.",
    ),
    "reconciled": (
        "Three logs",
        "Requests by the shoppers’ history, by the balancer’s log and by the nodes’ logs, joined by request "
        "id. Every difference is listed by name.",
    ),
}
"""What is no measure, by the last part of its id: (what it is called, what it means)."""


def definitions() -> dict[str, tuple[str, str]]:
    """What each number of a report is called and means, by the last part of its id."""
    # By name: one with a column may have an anchor as well.
    named = {it.name: it for it in (*columns(), *(it for it in MEASURES.values() if it.anchor))}
    found = {it.key: (it.head, it.explained) for it in in_order(list(named.values())).values()}
    return {"verdict": _OF_THE_RUN["verdict"], **found, **_OF_THE_RUN}  # in the page's order, which begins with it


GLOSSARY: dict[str, str] = {
    "architecture": "A shop, where its sessions live, and how the balancer routes.",
    "cluster": "The balancer, the nodes, the database and, where there is one, the session store; run by an engine.",
    "engine": "What runs clusters: processes, or containers.",
    "balancer": "What stands before the nodes and hands each request to one of them.",
    "session": "What the shop knows of somebody between two requests: who they are, and what is in their cart.",
    "store": "A server that keeps sessions for all nodes; where causes are reckoned, whatever keeps them.",
    "part": "Anything of a cluster that can be struck by itself: a node, the balancer, the store, its replica.",
    "node": "One shop with its own memory: one process, unless a scenario wants more.",
    "affinity": (
        "How the balancer picks the node: in turn (round robin), by how busy nodes are, or always the same one for the "
        "same shopper (sticky): by a cookie that names it, by a hash, by where the shopper comes from."
    ),
    "shopper": (
        "One simulated person with one cookie jar, who logs in once and remembers what the shop has acknowledged."
    ),
    "jar": (
        "Whose cookies a request carries: the shopper’s own, those of a second device, a stolen copy, those of "
        "somebody who planted theirs on the shopper."
    ),
    "action": "One planned step of a shopper at a planned time.",
    "behaviour": "What shoppers do beside shopping, or instead of it.",
    "plan": (
        "All actions and faults of a run, made from a seed before anything starts; the same for every architecture."
    ),
    "fault": "Something that is broken and healed on purpose.",
    "victim": "The part that a fault strikes; the cluster, if it strikes no single part.",
    "nothing there": "What a fault finds in an architecture that has no such part: then nothing is broken there.",
    "at risk": "Shoppers whose logged-in sessions the victim held in its memory when it was hit.",
    "history": "What was asked and answered, in order, from the shoppers’ side: the only evidence that checks read.",
    "exchange": "One request of a shopper and what came back, or did not: one record of the history.",
    "outcome": "ok, failed (it surely did not happen), unknown (it may have happened), or not sent.",
    "recovery": "A login that was not planned, after an involuntary logout or a failed login.",
    "audit": "A last visit to every shopper at the end, so that a loss nobody happened to look at is still found.",
    "expectation": (
        "What one shopper may rightly expect, given what was acknowledged; shoppers and checks use the same one."
    ),
    "contradiction": "An answer that no expectation allows.",
    "check": "Reads the history, names losses.",
    "loss": "What a shopper lost against what had been acknowledged.",
    "tally": "Reads the history, counts what is no loss and still happened to shoppers.",
    "flicker": "Answered as a stranger, and recognised again without a new login.",
    "stall": "An answer that came, and took longer than people take for prompt.",
    "cause": "Why something was lost, from a closed list.",
    "witness": "The few events that prove one loss: who, when, which node, what came back.",
    "books": "The sums that must balance before a run is believed.",
    "reconciliation": "Whether the shoppers’, the balancer’s and the nodes’ logs agree, by request id.",
    "costs": "What requests and sessions take: processor time, memory, bytes, round trips to the store.",
    "measure": "A number that a scenario can predict.",
    "prediction": "What a scenario says of a measure before the run: a number, a formula, a relation or a range.",
    "verdict": "As predicted, not as predicted, or inconclusive.",
    "threshold": "What is to fail the run, whatever was predicted: a measure, and the numbers that nobody will have.",
    "ledger": "What was started and what was broken, written before it is done, so that it can be undone.",
}
"""docs/reference/glossary.md is made of it: see `loadtests.reference`."""
