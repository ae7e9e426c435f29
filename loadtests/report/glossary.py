"""What every number means, and the words of the report. Their ids are stable: `#def-…` and `#word-…`."""

from __future__ import annotations

DEFINITIONS: dict[str, tuple[str, str]] = {
    "verdict": (
        "Verdict",
        "As predicted: every prediction of the scenario held and the experiment happened. Not as predicted: "
        "it happened, and at least one prediction did not hold. Inconclusive: it did not happen, or its books "
        "do not balance; then the other numbers answer nothing.",
    ),
    "logged-out": (
        "Logged out",
        "Shoppers who were answered as strangers (401 or the login page) although their login had been "
        "acknowledged, they had not logged out and their session’s lifetime was not over. Each is counted "
        "once, of all shoppers.",
    ),
    "logouts": (
        "Logouts",
        "How often that happened: somebody who logs in again can be logged out again.",
    ),
    "more-than-once": (
        "More than once",
        "Shoppers who were logged out at least twice.",
    ),
    "before-fault": (
        "Before the fault",
        "Shoppers who were logged out at least once before anything was broken on purpose.",
    ),
    "flickered": (
        "Flickered",
        "Shoppers who were answered as strangers and then, without a new login, recognised again: some nodes know the "
        "session and others do not. Counted apart from being logged out; only those show it who do not log in again.",
    ),
    "carts-lost": (
        "Carts lost",
        "How often a cart was shown empty although the adding of goods had been acknowledged.",
    ),
    "items-lost": (
        "Items lost",
        "How often a cart that was not empty, or an order, lacked goods whose adding had been acknowledged.",
    ),
    "units-lost": (
        "Units lost",
        "Units of goods (quantities) that went with lost carts, items and orders, from the item book.",
    ),
    "other-losses": (
        "Other losses",
        "Carts rolled back (they held more than any acknowledged state: something was back), somebody else’s "
        "name or cart shown, orders lost, orders made twice: all four together.",
    ),
    "cookies-refused": (
        "Cookies refused",
        "Shoppers who were sent at least one cookie of more than 4,096 bytes, which a browser ignores without a word: "
        "what it was to hold is not kept.",
    ),
    "orders-duplicated": (
        "Orders made twice",
        "Second orders of one checkout, in the database. Also among the other losses.",
    ),
    "read-by-others": (
        "Read by others",
        "Shoppers whose name somebody who copied their cookies reads there, without any key.",
    ),
    "still-logged-in": (
        "Outlived their logout",
        "Sessions that were accepted after their logout had been acknowledged: with a copy of the cookies, or on "
        "another device after a logout everywhere.",
    ),
    "sessions-shared": (
        "Shared logins",
        "Logins that somebody else could use as well, who had opened the session and planted it before (session "
        "fixation).",
    ),
    "failed": (
        "Failed",
        "Planned actions that surely did not happen: refused, or answered with an error before anything was written.",
    ),
    "unknown": (
        "Unknown",
        "Planned actions that may or may not have happened: a timeout or an error on a write, not settled by "
        "any later read.",
    ),
    "not-sent": (
        "Not sent",
        "Planned actions that were not sent because the shopper was still waiting for the answer before, too "
        "late to catch up.",
    ),
    "rate-limited": (
        "Too many",
        "Requests that were refused for coming too often (429).",
    ),
    "over-limit": (
        "Over the limit",
        "Requests that were let through although a limit that counts all of them could not have allowed so many: more "
        "than twice its number within one of its windows (a window’s end and the next one’s beginning).",
    ),
    "failed-shoppers": (
        "Met errors",
        "Shoppers who saw at least one of their planned actions fail, or never knew what came of it. Being answered as "
        "a stranger is one of them.",
    ),
    "stalled": (
        "Stalled",
        "Shoppers who waited more than 0.9 s, from the sending, for an answer that then came and was ok.",
    ),
    "streams-dropped": (
        "Streams dropped",
        "Live connections (event streams) that ended before their time.",
    ),
    "streams-lost": (
        "Streams lost",
        "Dropped live connections whose owner was a stranger on coming back.",
    ),
    "without-service": (
        "Without service",
        "Seconds, summed over shoppers, from the sending of the first planned action that was not ok to the "
        "answer of the next one that was, or to the end of the load window.",
    ),
    "p95-raw": (
        "p95 raw",
        "95 of 100 answers to planned actions took at most this long, from being sent (nearest rank). Leaves "
        "out the time in which a frozen client could not even send, and what takes its time on purpose.",
    ),
    "p95-plan": (
        "p95 from the plan",
        "The same, from the moment at which the action was planned: a freeze is not left out.",
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
        "Planned actions = ok + failed + unknown + not sent. Shoppers = kept + logged out + never logged in. "
        "Units acknowledged + gained = kept + lost + removed + ordered + given up + undecided. A run whose "
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

GLOSSARY: dict[str, str] = {
    "architecture": "A shop, where its sessions live, and how the balancer routes.",
    "cluster": "The balancer, the nodes, the database and, where there is one, the session store; run by an engine.",
    "engine": "What runs clusters: processes, or containers.",
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
    "strike": (
        "A planned fault as it went on one architecture: when it was injected, observed, healed, observed healed."
    ),
    "nothing there": "What a fault finds in an architecture that has no such part: then nothing is broken there.",
    "at risk": "Shoppers whose logged-in sessions the victim held in its memory when it was hit.",
    "history": "What was asked and answered, in order, from the shoppers’ side: the only evidence that checks read.",
    "exchange": "One request of a shopper and what came back, or did not: one record of the history.",
    "outcome": "ok, failed (it surely did not happen), unknown (it may have happened), or not sent.",
    "recovery": "A login that was not planned, after an involuntary logout or a failed login.",
    "audit": "A last visit to every shopper at the end, so that a loss nobody happened to look at is still found.",
    "memory": (
        "What one shopper may rightly expect, given what was acknowledged; shoppers and checks use the same one."
    ),
    "finding": "An answer that contradicts the memory.",
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
"""docs/reference/glossary.md is made of it: see `glossary_page`."""
