from __future__ import annotations

import msgspec

from loadtests.model.results import Mismatch
from loadtests.report.evidence import gather
from loadtests.report.experiment import experiment
from tests.loadtests.report.conftest import MadeUp


def line(made_up: MadeUp, definition: str, **changes: object) -> tuple[str, str]:
    sticky = msgspec.structs.replace(made_up.results.architectures["sticky-memory"], **changes)
    results = msgspec.structs.replace(made_up.results, architectures={"sticky-memory": sticky})
    shown = experiment(gather(made_up.folder), results)
    return shown.counts[definition]["sticky-memory"]


def test_steps_in_their_order_with_times(made_up: MadeUp) -> None:
    shown = experiment(gather(made_up.folder), made_up.results)
    assert [step for _, step in shown.steps] == [
        "planned",
        "injected",
        "observed from outside",
        "healed",
        "observed healed",
    ]
    assert shown.steps[0, "injected"] == ("n2 at 5.002 s",) * 4


def test_two_sources_that_disagree_are_called_out(made_up: MadeUp) -> None:
    logs = made_up.results.architectures["sticky-memory"].reconciliation
    assert line(made_up, "at-risk-by-balancer") == ("20, agrees", "good")
    other = msgspec.structs.replace(logs, at_risk_by_balancer=19)
    assert line(made_up, "at-risk-by-balancer", reconciliation=other) == ("19, does not agree", "bad")


def test_books_and_logs_that_do_not_balance_are_called_out(made_up: MadeUp) -> None:
    logs = made_up.results.architectures["sticky-memory"].reconciliation
    assert line(made_up, "books", books_balance=False) == ("do not balance", "bad")
    wrong = msgspec.structs.replace(logs, mismatches=(Mismatch("r-1", "only the client knows it"),), mismatch_count=1)
    text, mark = line(made_up, "reconciled", reconciliation=wrong)
    assert mark == "bad"
    assert text.endswith("1 not explained")


def test_what_must_hold_is_said_in_sentences(made_up: MadeUp) -> None:
    def doubted(**changed: object) -> list[str]:
        sticky = msgspec.structs.replace(made_up.results.architectures["sticky-memory"], **changed)
        architectures = {**made_up.results.architectures, "sticky-memory": sticky}
        shown = experiment(
            gather(made_up.folder), msgspec.structs.replace(made_up.results, architectures=architectures)
        )
        assert len(shown.statements) == 5
        return [text for text, holds in shown.statements.items() if not holds]

    steps = made_up.results.architectures["sticky-memory"].experiment
    assert doubted() == []
    (books,) = doubted(books_balance=False)
    assert books.endswith("is somewhere: not so in sticky-memory.")
    unseen = msgspec.structs.replace(made_up.results.architectures["sticky-memory"].users, undecided=2)
    assert doubted(users=unseen) == ["Everybody could be looked at in the last audit: not so in sticky-memory."]
    (seen,) = doubted(experiment=(*steps, msgspec.structs.replace(steps[0], step="not_healed")))
    assert seen.startswith("Each fault was seen")
    (never,) = doubted(experiment=steps[:2])
    assert never == seen, "it was injected, and that is all"
