"""What is true of a loss: the smallest sets of things without which the same answer would have known the shopper.

Nothing is inferred: the world is played again without each set in turn. And how a world is written down, in the
product's own records, so that the product can be asked about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import cast

from loadtests.model.events import AtRisk, Event, FaultEvent, FaultPhase
from loadtests.model.history import Do, Exchange, Jar, Outcome
from tests.loadtests.session_model.truth.happenings import NEVER, Answer, Fault, Setup, Step
from tests.loadtests.session_model.truth.world import Label, World

Sets = frozenset[frozenset[Label]]
ANEW = "in, and perhaps anew"
"""A login that nobody answered may have opened another session: who is a stranger then is perhaps in by that."""
INSIDE = ("in", ANEW)


@dataclass(frozen=True)
class Case:
    """A world, and everything that happened in it."""

    architecture: str
    setup: Setup
    faults: tuple[Fault, ...]
    steps: tuple[Step, ...]

    @cached_property
    def answers(self) -> list[Answer]:
        """What came back."""
        return World(self.setup, self.faults, self.steps).run()

    def lost(self) -> list[Answer]:
        """The first answers as a stranger after each login, those of the shoppers' own browsers."""
        found, inside = [], dict[int, str]()
        for answer in self.answers:
            who, do, was = answer.step.shopper, answer.step.do, inside.get(answer.step.shopper, "out")
            if answer.step.jar != "main" or do in ("browse", "forget_node"):
                continue
            if answer.status == 401:
                found += [answer] if was in INSIDE else []
                inside[who] = "perhaps in" if was in ("perhaps in", ANEW) else "out"
            elif do == "login":
                inside[who] = "in" if answer.knew else "perhaps in" if was == "out" else ANEW if was in INSIDE else was
            elif do.startswith("logout"):
                inside[who] = "out" if answer.knew else "perhaps out" if was in INSIDE else was
            elif answer.knew and was not in ("out", ANEW):
                inside[who] = "in"
        return found

    def knows(self, answer: Answer, without: frozenset[Label]) -> bool:
        """Whether the same answer knows the shopper when these are not there."""
        done_by = {each.number: each.by for each in self.answers if each.by}
        world = World(self.setup, self.faults, self.steps, without=without, done_by=done_by, asked=answer.number)
        return world.run()[answer.number].knew

    def cause(self, answer: Answer) -> Sets:
        """The sets without which it would have been the other way; several: each alone. None: nothing explains it."""
        for sets in self._sets(answer):
            if found := [each for each in sets if self.knows(answer, each) is not answer.knew]:
                return frozenset(found)
        return frozenset()

    def _sets(self, answer: Answer) -> Iterator[list[frozenset[Label]]]:
        """Those with no setting first, then the smallest."""
        others: list[Label] = [label for label, fault in enumerate(self.faults) if fault.bites < answer.done]
        others += ["expired"] if answer.time_over else []
        others += ["affinity_lost"] if any(step.do == "forget_node" for step in self.steps) else []
        others += ["held_for_dead"] if self.setup.held else []
        routed = self.setup.store == "memory" and self.setup.affinity == "round-robin"
        for setting in (frozenset[Label](), frozenset[Label]({"other_node"})) if routed else (frozenset[Label](),):
            for size in range(len(others) + 1):
                yield [setting.union(chosen) for chosen in combinations(others, size)]

    # --- written down ----------------------------------------------------------------------------------------------

    def exchanges(self) -> list[Exchange]:
        """The history."""
        return [_exchange(self.architecture, answer) for answer in self.answers]

    def events(self) -> list[Event]:
        """What was done to the cluster, and seen."""
        found: list[Event] = []
        for number, it in enumerate(self.faults):
            marks = (
                ("injected", it.injected),
                ("observed", it.observed),
                ("healed", it.healed),
                ("observed_healed", it.over),
            )
            found += [
                FaultEvent(self.architecture, at, number, it.kind, it.victim, cast("FaultPhase", phase), ("seen",))
                for phase, at in marks
                if at != NEVER
            ]
            if it.kind == "deploy":
                found.append(AtRisk(self.architecture, it.healed, number, it.victim, (), "asked"))
        return found


def _exchange(architecture: str, answer: Answer) -> Exchange:
    step, status = answer.step, answer.status
    outcome: Outcome = "ok" if answer.knew or step.do == "forget_node" else "failed"
    if outcome == "failed" and (status == 0 or status >= 500) and step.do not in ("me", "browse"):
        outcome = "unknown"
    known = status == 200 and step.do in ("login", "me")
    return Exchange(
        architecture, step.shopper, "" if step.do == "forget_node" else f"r-{step.shopper:04d}-{answer.number:04d}",
        "plan", cast("Do", step.do), outcome, planned_us=step.at, sent_us=step.at, done_us=answer.done,
        step=answer.number, jar=cast("Jar", step.jar), status=status, node=answer.node,
        user=f"user-{step.shopper:04d}" if known else "", sku="tea" * (step.do == "add"),
        quantity=int(step.do == "add"),
    )  # fmt: skip
