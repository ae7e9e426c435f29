"""The results of a run: `results.json`, a pure function of the run's other files.

docs/reference/results.md defines every number.
"""

from typing import Literal

import msgspec

from loadtests.model.application import ApplicationFacts
from loadtests.model.fault_timeline import FaultTimeline
from loadtests.model.history import trace_of
from shared.demo_accounts import account_name

SCHEMA = 3
"""Of `results.json`; docs/reference/results.schema.json says it in JSON Schema."""
EARLIER = {2: "which had no faults, and causes by other rules"}
"""Schemas that this version still reads, since they only lack something or explain otherwise: by number, what."""

VerdictWord = Literal["as predicted", "not as predicted", "inconclusive"]


class WitnessEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of the few events that prove a loss, in order."""

    at_ms: float
    what: str
    """A sentence: "login acknowledged", "n2 killed", "asked for the cart: answered as a stranger (401)"."""
    node: str = ""
    request: str = ""
    """The request id, where the event is an exchange of the history."""

    @property
    def trace(self) -> str:
        """The trace id that it carried, by which its owner's own tracing and logs know it; "" if it is no exchange."""
        # Reckoned and not written down: results of earlier versions have it, too.
        return trace_of(self.request) if self.request else ""


class Cause(msgspec.Struct, frozen=True):
    """One reason for a loss; declared once, by what can name it: a check, a fault, the rules of the session model."""

    name: str
    """As results have it: `node_killed`."""
    meaning: str
    """One sentence."""


class Because(msgspec.Struct, frozen=True, omit_defaults=True):
    """One factor without which (and without the others of its alternative) a loss would not be."""

    word: str
    """One of `loadtests.session_model.causes.CAUSES`."""
    fault: int | None = None
    """Index into the plan's faults; None if it is no fault."""
    at_ms: float = 0.0
    """When it began; 0 for what was there from the beginning."""
    alternative: int = 0
    """Factors of one alternative are needed together; each alternative alone explains the loss."""


class Loss(msgspec.Struct, frozen=True):
    """What one shopper lost against what had been acknowledged."""

    kind: str
    """That of the check which found it, one of `loadtests.checks.CHECKS`: logged_out, cart_lost, …"""
    shopper: int
    at_ms: float
    """When the answer that showed it was complete."""
    node: str
    """The node that gave that answer; "" for losses found in the database."""
    cause: str
    """Words of `loadtests.checks.CAUSES`: node_killed, other_node, unexplained, …; "+" stands between
    those that were needed together, "|" between alternatives."""
    witness: tuple[WitnessEvent, ...]
    items: int = 0
    """Units of goods that went with it (quantity), for cart losses."""
    because: tuple[Because, ...] = ()
    """The factors that the cause's words stand for."""
    counterfactual: str = ""
    """What would have been without them, in words; "" if nothing explains it."""
    considered: tuple[str, ...] = ()
    """Of an unexplained one: what was considered, and why it does not explain it."""


class LogoutCounts(msgspec.Struct, frozen=True):
    """Who was answered as a stranger against an acknowledged login."""

    shoppers: int
    events: int
    more_than_once: int


class ActionBook(msgspec.Struct, frozen=True):
    """planned = ok + failed + unknown + not_sent."""

    planned: int
    ok: int
    failed: int
    unknown: int
    not_sent: int
    settled: int
    """Outcomes that the client did not know and a later read settled; they stand under ok or failed."""


class UserBook(msgspec.Struct, frozen=True):
    """shoppers = kept + logged_out + never_logged_in + undecided. Logged out at least once counts as logged out."""

    shoppers: int
    kept: int
    logged_out: int
    never_logged_in: int
    undecided: int = 0
    """Who was logged in to the end, as far as anybody saw, and whom the audit could not look at: no answer came."""


class ItemBook(msgspec.Struct, frozen=True):
    """Units of goods: acknowledged + gained = kept + lost + removed + ordered + given_up + undecided."""

    acknowledged: int
    kept: int
    """Still in the cart at the audit."""
    lost: int
    removed: int
    ordered: int
    given_up: int
    """In the cart of a shopper who logged out on purpose."""
    undecided: int
    """Nobody could look: the audit got no answer, or an unknown outcome was never settled."""
    gained: int = 0
    """Units that appeared unasked (a removed item that came back); they stand beside `acknowledged`."""


class Waited(msgspec.Struct, frozen=True):
    """One bar of a latency distribution: `count` answers took up to `up_to_ms`, and longer than the bar before."""

    up_to_ms: float
    count: int


class Percentiles(msgspec.Struct, frozen=True):
    """Of one latency distribution, in ms; nearest-rank. `count` answers."""

    count: int
    p50: float
    p95: float
    p99: float
    max: float
    p99_9: float = 0.0
    distribution: tuple[Waited, ...] = ()
    """All of it, in bars that end at 1 ms times powers of the tenth root of 10; those that are empty are left out."""


class Latency(msgspec.Struct, frozen=True):
    """Answered planned actions: from being sent, and from the planned start (so that a freeze is not left out).

    Those that take their time on purpose (`watch`, `linger`) are left out.
    """

    raw: Percentiles
    from_plan: Percentiles


class Counted(msgspec.Struct, frozen=True):
    """Something that is no loss and still happened to shoppers: to how many of them, and how often in all."""

    shoppers: int = 0
    events: int = 0


class Costs(msgspec.Struct, frozen=True):
    """What requests and sessions cost. None: not measured, or there is nothing of that kind."""

    requests_per_second: float | None = None
    node_cpu_ms_per_request: float | None = None
    node_memory_mb: float | None = None
    memory_bytes_per_session: float | None = None
    store_commands_per_request: float | None = None
    store_memory_bytes_per_session: float | None = None
    cookie_bytes_per_request: float | None = None
    answer_bytes_per_request: float | None = None
    busiest_node_share: float | None = None
    new_node_share: float | None = None


class Prediction(msgspec.Struct, frozen=True):
    """One prediction beside what was measured."""

    measure: str
    predicted: str
    """As the scenario says it: "at_risk", ">= 0.95 * U", "0.2 * U .. U"."""
    value: float
    """The formula's value with this run's U, N, W and at_risk; of a range, its lower end."""
    measured: float
    holds: bool
    upper: float | None = None
    """The upper end of a range; None if it is none."""


class Threshold(msgspec.Struct, frozen=True):
    """One threshold of the scenario (`[fail_if]`) beside what was measured."""

    measure: str
    fail_if: str
    """As the scenario says it: "> 0", ">= 0.05 * U", "1 .. U"."""
    value: float
    """The formula's value with this run's U, N, W and at_risk; of a range, its lower end."""
    measured: float
    fired: bool
    upper: float | None = None
    """The upper end of a range; None if it is none."""


class Mismatch(msgspec.Struct, frozen=True):
    """Something on which the client's, the balancer's and the nodes' logs do not agree."""

    request: str
    what: str


class Reconciliation(msgspec.Struct, frozen=True, omit_defaults=True):
    """Do the three logs agree, by request id?"""

    client: int
    """Requests sent, by the history."""
    balancer: int
    nodes: int
    mismatches: tuple[Mismatch, ...]
    """At most 100 of them are listed; `mismatch_count` counts all."""
    mismatch_count: int
    at_risk_by_balancer: int | None
    """Logged-in shoppers whose last answer before the hit came from the victim, by the balancer's log: the second
    source of `at_risk`. None: no fault, or the last answer does not tell where the session lives (it does with cookie
    affinity and sessions in memory). Whose time was over between the question to the victim and the blow, or may have
    been, by the second in which the session was written, counts as the victim says."""
    guests: int = 0
    """Requests of people with browsers, by the balancer; they are in no history, and in none of the counts above."""


class ExperimentStep(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of the fault, for *did the experiment happen?*"""

    fault: int
    step: str
    """planned, injected, observed, not_observed, healed, observed_healed, not_healed, nothing_there, spared"""
    at_ms: float
    victim: str
    evidence: tuple[str, ...] = ()


class ArchitectureResult(msgspec.Struct, frozen=True):
    """What one architecture did under the plan."""

    verdict: VerdictWord
    reasons: tuple[str, ...]
    """Why it is inconclusive or not as predicted, in sentences; empty if as predicted."""
    shoppers: int
    at_risk: int | None
    """Shoppers whose sessions the victim held in its memory when it was hit (0: none, or no fault; None: not measured).
    Of an application that does not list its sessions, by the balancer's log."""
    served_by_victim: int
    """Shoppers that the victim had answered in the second before it was hit, by the balancer's log."""
    logged_out: LogoutCounts
    logged_out_before_fault: int
    """Shoppers logged out at least once before the first fault was injected; without a fault, at all."""
    carts_lost: int | None
    """Losses of kind cart_lost. None, here and of the seven that follow: nobody could have seen one (not measured)."""
    items_lost: int | None
    """Losses of kind items_lost (units are in the item book)."""
    carts_rolled_back: int | None
    wrong_user: int | None
    orders_lost: int | None
    orders_duplicated: int | None
    still_logged_in: int | None
    """Losses of kind still_logged_in."""
    sessions_shared: int | None
    """Losses of kind session_shared."""
    counts: dict[str, Counted]
    """What shoppers met with beside losses, by tally; `loadtests.checks.TALLIES` has their rules."""
    actions: ActionBook
    users: UserBook
    items: ItemBook
    seconds_without_service: float
    """Summed over shoppers: from the sending of the first planned action that was not ok to the answer of the next one
    that was ok, or to the window's end."""
    latency_ms: Latency
    costs: Costs
    losses: tuple[Loss, ...]
    predictions: tuple[Prediction, ...]
    reconciliation: Reconciliation
    experiment: tuple[ExperimentStep, ...]
    facts_checked: int
    """Acknowledged facts (logins, cart states, orders) that a later answer or the database was compared with."""
    books_balance: bool
    thresholds: tuple[Threshold, ...] = ()
    """What was to fail the run here, and whether it did; they decide the exit code, not the verdict."""
    faults: tuple[FaultTimeline, ...] = ()
    """Each fault as it went here, by number; of results of schema 2, none."""
    # Unset and not None: of the twins nothing is written, as in results of when there was nothing else.
    application: ApplicationFacts | msgspec.UnsetType = msgspec.UNSET
    """What was under test, if it is none of the twins, and how much of it could be seen."""

    @property
    def facts(self) -> ApplicationFacts | None:
        """The same; None for the twins."""
        return self.application if self.application is not msgspec.UNSET else None

    @property
    def exactly_those_at_risk(self) -> bool:
        """Whether the people who were logged out are those who were at risk."""
        # By name: as many could be others.
        at_risk = {user for fault in self.faults for user in fault.at_risk or ()}
        out = {account_name(loss.shopper) for loss in self.losses if loss.kind == "logged_out"}
        return self.at_risk is not None and out == at_risk


class Results(msgspec.Struct, frozen=True):
    """`results.json`."""

    schema: int
    scenario: str
    question: str
    seed: int
    plan_sha256: str
    engine: str
    shoppers: int
    nodes: int
    verdict: VerdictWord
    answer: str
    """One sentence of at most 30 words: who was logged out, where, why."""
    architectures: dict[str, ArchitectureResult]


def results_schema() -> bytes:
    """The JSON Schema of `results.json`, as it stands in docs/reference."""
    return msgspec.json.format(msgspec.json.encode(msgspec.json.schema(Results)), indent=2) + b"\n"
