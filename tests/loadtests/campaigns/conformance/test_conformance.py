"""The table of conformance: what is left to run, what cells say, and the pages, from made-up counts."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from compose.balancers import BALANCERS
from compose.balancers.contract import Routing, Site
from compose.balancers.haproxy import HAProxy
from loadtests.campaigns.conformance import conformance_run
from loadtests.campaigns.conformance.cells import (
    COLUMNS,
    FILE,
    SCHEMA,
    Conformance,
    ConformanceCell,
    ConformanceKey,
    write_conformance,
)
from loadtests.campaigns.conformance.conformance_run import (
    ConformanceCampaign,
    ConformanceRequest,
    plan_of,
)
from loadtests.campaigns.conformance.page import (
    EVENTS,
    HTML_FILE,
    MARKDOWN_FILE,
    decide_c11,
    decide_c19,
    remarks,
    steadiness,
    write_pages,
)
from loadtests.campaigns.conformance.people import PeopleCounts
from loadtests.campaigns.runner import Outcome
from loadtests.model.run_folder import read_document
from loadtests.planning.make_plan import make_plan
from loadtests.planning.scenario_file import load_scenario
from shared.errors import UsageError
from tests.shared.schema_contract import SchemaContract

KEY = ConformanceKey("e", 1, "1.0", "0.1.0")


def counts(
    logged_out: int = 4, trapped: int = 0, trapped_s: float = 0.0, newcomers: int = 0, there: int = 0
) -> PeopleCounts:
    return PeopleCounts(12, logged_out, 4, trapped, trapped_s, 0, 0, there, 5, newcomers, newcomers // 2)


def cell(balancer: str, *repeats: PeopleCounts, why: str = "") -> ConformanceCell:
    runs = tuple(f"{balancer}/{number}" for number in range(len(repeats)))
    return ConformanceCell("kill", balancer, "sticky-memory", KEY, repeats, runs, why)


KNOWN = Conformance(
    twinshop="0.1.0",
    shoppers=12,
    cells=(
        cell("caddy", counts(), counts()),
        cell("haproxy", counts(trapped=3, trapped_s=2.0), counts(trapped=4, trapped_s=3.5)),
        cell("traefik", why="Traefik lacks: drain."),
    ),
)


def shown(of: ConformanceCell) -> dict[str, str]:
    return {column.name: column.shown(of) for column in COLUMNS}


def test_a_number_alone_was_always_the_same_and_others_show_their_range() -> None:
    caddy, haproxy, traefik = (shown(it) for it in KNOWN.cells)
    assert (caddy["logged_out"], caddy["new_share"]) == ("4", "–")
    assert (haproxy["trapped"], haproxy["trapped_s"]) == ("3.5 (3–4)", "2.8 (2–3.5)")
    assert set(traefik.values()) == {"–"}
    assert shown(cell("envoy", counts(newcomers=4)))["new_share"] == "50 %"
    assert steadiness(KNOWN) == (13, 14)


def test_only_what_is_worse_than_the_best_is_told() -> None:
    (remark,) = remarks(KNOWN)
    assert remark.cell.balancer == "haproxy"
    assert (
        "3.5 (3–4) of 12 were sent again and again to a node that was down, for 2.8 (2–3.5) s at most"
        in remark.sentence
    )


def test_what_some_repeat_of_the_best_came_to_as_well_is_not_told() -> None:
    chance = (cell("caddy", counts(2), counts(6)), cell("haproxy", counts(5), counts(7)))
    assert list(remarks(Conformance(shoppers=12, cells=chance))) == []


def test_people_are_compared_with_those_who_were_at_the_node() -> None:
    def told(caddy: PeopleCounts, haproxy: PeopleCounts) -> list[str]:
        known = Conformance(shoppers=12, cells=(cell("caddy", caddy), cell("haproxy", haproxy)))
        return [remark.cell.balancer for remark in remarks(known) if "logged out" in remark.sentence]

    assert told(counts(4, there=4), counts(5, there=5)) == []
    assert told(counts(2, there=4), counts(5, there=5)) == ["haproxy"]


def test_what_is_compared_is_what_is_printed() -> None:
    caddy, haproxy = cell("caddy", counts(1, there=5), counts(1, there=4)), cell("haproxy", counts(1, there=2))
    (remark,) = remarks(Conformance(shoppers=12, cells=(caddy, haproxy)))
    assert remark.sentence.startswith(
        "HAProxy, by cookie, in kill: 1 of 12 was logged out, 50 % of the number at the node (at best 22 (20–25) %)"
    )
    alone = (cell("caddy", counts(0)), cell("haproxy", counts(3)))
    (remark,) = remarks(Conformance(shoppers=12, cells=alone))
    assert "3 of 12 were logged out (at best 0)" in remark.sentence


def test_what_befalls_anybody_is_a_share_of_all() -> None:
    def waited(people: int) -> PeopleCounts:
        return msgspec.structs.replace(counts(0, there=1), stalled=people)

    known = Conformance(shoppers=12, cells=(cell("caddy", waited(0)), cell("apache", waited(6), waited(3))))
    (remark,) = remarks(known)
    assert "4.5 (3–6) of 12 were kept waiting, 38 (25–50) % of all (at best 0 %)" in remark.sentence


def test_the_claim_follows_the_cells() -> None:
    assert decide_c19(KNOWN).startswith("Not decided: fewer than two balancers were run 3 times")

    def decided(caddy: tuple[int, ...], haproxy: tuple[int, ...], name: str = "haproxy") -> str:
        cells = (cell("caddy", *map(counts, caddy)), cell(name, *map(counts, haproxy)))
        return decide_c19(Conformance(shoppers=12, cells=cells))

    assert "kill: 5 to 6 people were logged out" in decided((4, 4, 5), (6, 7, 6))
    assert decided((4, 4, 5), (6, 7, 6)).startswith("Refuted")
    assert decided((4, 4, 5), (5, 7, 6)).startswith("Confirmed")
    assert decided((4, 4, 5), (6, 7, 6), "haproxy-as-shipped").startswith("Not decided")


def strategies(balancer: str, **stalled: tuple[int, ...]) -> list[ConformanceCell]:
    def counted(waited: int, share: float) -> PeopleCounts:
        return msgspec.structs.replace(counts(0), stalled=waited, busiest_share=share)

    return [
        msgspec.structs.replace(
            cell(balancer, *(counted(waited, share) for waited in stalled[name])),
            event="slow", architecture=architecture,
        )
        for name, architecture, share in (
            ("turn", "redis", 0.33), ("least", "redis-least-request", 0.4), ("weights", "redis-weighted", 0.5),
        )
    ]  # fmt: skip


def test_a_strategy_has_its_place_if_each_repeat_of_it_is_better_than_any_in_turn() -> None:
    envoy = strategies("envoy", turn=(10, 11, 10), least=(3, 4, 6), weights=(9, 9, 9))
    caddy = strategies("caddy", turn=(10, 11, 10), least=(3, 4, 10), weights=(9, 9))
    assert decide_c11(KNOWN).startswith("Not decided")
    assert decide_c11(Conformance(cells=tuple(envoy))) == (
        "Confirmed, as far as it was run. Better than in turn: Envoy, by least-request (waited 4 (3–6), in turn "
        "10 (10–11)); Envoy, by weighted (busiest 50 %, in turn 33 %)."
    )
    both = decide_c11(Conformance(cells=tuple(envoy + caddy)))
    assert both.startswith("Depends.")
    assert both.endswith("No better than timing: Caddy, by least-request (waited 4 (3–10), in turn 10 (10–11)).")
    assert "Caddy, by weighted" not in both  # twice is not enough
    assert [remark.cell.balancer for remark in remarks(Conformance(cells=tuple(envoy + caddy)))] == []


def test_both_pages_have_every_cell_and_lead_to_the_runs_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "haproxy" / "0").mkdir(parents=True)
    (tmp_path / "haproxy" / "0" / "report.html").write_text("a report")
    page = write_pages(tmp_path, KNOWN)
    html, text = page.read_text(), (tmp_path / MARKDOWN_FILE).read_text()
    assert page.name == HTML_FILE
    assert 'id="cell-kill-haproxy-sticky-memory"' in html
    assert html.count('href="haproxy/0/report.html"') == 2  # of the sentence and of the repeat
    assert "caddy/0/report.html" not in html
    assert "Traefik lacks: drain." in html
    assert "| HAProxy | cookie | 2 | 4 | 4 | 3.5 (3–4) | 2.8 (2–3.5) | 0 | 0 | 0 | 5 |" in text
    assert page.read_bytes() == write_pages(tmp_path, KNOWN).read_bytes()


def test_a_bar_in_a_balancer_s_name_ends_no_cell(tmp_path: Path) -> None:
    write_pages(tmp_path, Conformance(shoppers=12, cells=(cell("one|other", counts()),)))
    assert "| one\\|other | cookie | 1 | 4 |" in (tmp_path / MARKDOWN_FILE).read_text()


@pytest.mark.parametrize("event", sorted(EVENTS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_event_has_a_plan(event: Path) -> None:
    scenario = load_scenario(str(event))
    plan = make_plan(scenario, seed=1)
    assert [fault.victim for fault in plan.faults]
    assert len(plan.shoppers) == 12


def test_what_is_left_is_one_repeat_of_everything_before_the_next_of_anything(tmp_path: Path) -> None:
    asked = ConformanceRequest(tmp_path, ("envoy", "traefik"), events=("drain", "kill"), repeats=2)
    known, jobs = plan_of(asked)
    assert [(Path(job.scenario).stem, job.into) for job in jobs[:4]] == [
        ("drain", "envoy/sticky-memory/1"),
        ("kill", "envoy/sticky-memory/1"),
        ("kill", "envoy/sticky-hash/1"),
        ("kill", "envoy/sticky-address/1"),
    ]
    assert len(jobs) == 2 * (1 + 3 + 1)
    assert "lacks: drain" in known.by_place()["drain", "traefik", "sticky-memory"].why
    assert "cannot route by hash" in known.by_place()["kill", "traefik", "sticky-hash"].why


def test_it_goes_on_where_it_ended_and_keeps_what_is_not_asked_for_now(tmp_path: Path) -> None:
    known, jobs = plan_of(ConformanceRequest(tmp_path, ("envoy",), events=("drain",), repeats=2))
    (empty,) = known.cells
    half = ConformanceCell(*empty.place, empty.key, (counts(),), ("envoy/1",))
    write_conformance(tmp_path, known.with_cell(half).with_cell(cell("caddy", counts())))
    assert len(read_document(tmp_path / FILE, Conformance).cells) == 2
    again, left = plan_of(ConformanceRequest(tmp_path, ("envoy",), events=("drain",), repeats=2))
    assert (len(jobs), [job.into for job in left]) == (2, ["envoy/sticky-memory/2"])
    assert again.by_place()["kill", "caddy", "sticky-memory"].repeats == (counts(),)
    anew, all_of_it = plan_of(ConformanceRequest(tmp_path, ("envoy",), events=("drain",), repeats=2, fresh=True))
    assert len(all_of_it) == 2
    assert anew.by_place()["kill", "caddy", "sticky-memory"].repeats == (counts(),)


def test_repeats_behind_a_balancer_that_was_told_otherwise_are_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ConformanceRequest(tmp_path, ("haproxy",), events=("drain",), repeats=1)
    known, _jobs = plan_of(asked)
    (empty,) = known.cells
    done = ConformanceCell(*empty.place, empty.key, (counts(),), ("haproxy/1",))
    write_conformance(tmp_path, known.with_cell(done))
    assert plan_of(asked)[1] == ()
    files = HAProxy.files

    def other(balancer: HAProxy, site: Site, routing: Routing) -> dict[str, bytes]:
        return {
            name: text.replace(b"option httpchk", b"option  httpchk")
            for name, text in files(balancer, site, routing).items()
        }

    monkeypatch.setattr(HAProxy, "files", other)
    again, left = plan_of(asked)
    assert ([job.into for job in left], again.cells[0].repeats) == (["haproxy/sticky-memory/1"], ())


def test_a_repeat_that_proves_nothing_is_not_counted_and_is_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, (first, second) = plan_of(ConformanceRequest(tmp_path, ("envoy",), events=("drain",), repeats=2))
    doubts = iter(("nobody observed that it happened", ""))
    monkeypatch.setattr(conformance_run, "doubt", lambda _folder, _architecture: next(doubts))
    monkeypatch.setattr(conformance_run, "count_people", lambda _folder, _architecture: counts())
    campaign = ConformanceCampaign(tmp_path, known, side_by_side=1)
    for job in (first, second):
        campaign.keep(job, Outcome("run", measured=job.architectures))
    (it,) = campaign.known.cells
    assert (len(it.repeats), it.lacks(2), campaign.known.lacking) == (1, 1, (it,))
    campaign.keep(second, Outcome(error="its process ended with 1"))
    (it,) = campaign.known.cells
    write_pages(tmp_path, campaign.known)
    assert "a repeat that does not count: its process ended with 1" in (tmp_path / MARKDOWN_FILE).read_text()
    assert [job.into for job in plan_of(ConformanceRequest(tmp_path, ("envoy",), events=("drain",), repeats=2))[1]]


def test_only_the_first_repeat_has_its_page_made_at_once(tmp_path: Path) -> None:
    _known, jobs = plan_of(ConformanceRequest(tmp_path, ("envoy",), events=("drain",), repeats=3))
    assert [(job.into[-1], job.report) for job in jobs] == [("1", True), ("2", False), ("3", False)]


def test_variants_are_left_out_unless_they_are_asked_for(tmp_path: Path) -> None:
    def balancers(**asked: bool) -> set[str]:
        known, _jobs = plan_of(
            ConformanceRequest(tmp_path, events=("kill",), architectures=("sticky-memory",), **asked)
        )
        return {it.balancer for it in known.cells}

    assert balancers() == {"envoy", "haproxy", "nginx", "traefik", "caddy", "apache"}
    assert {"envoy-strict", "haproxy-as-shipped"} <= balancers(variants=True)


def test_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no event 'flood'"):
        plan_of(ConformanceRequest(tmp_path, ("envoy",), events=("flood",)))
    with pytest.raises(UsageError, match="no balancer named 'f5'"):
        plan_of(ConformanceRequest(tmp_path, ("f5",)))


def test_every_balancer_stands_in_the_table() -> None:
    assert {"envoy", "haproxy", "nginx", "traefik", "caddy", "apache"} <= set(BALANCERS)


class TestConformance(SchemaContract):
    schema = SCHEMA

    def write(self, folder: Path) -> Path:
        write_conformance(folder, KNOWN)
        return folder / FILE

    def read(self, path: Path) -> object:
        return plan_of(ConformanceRequest(path.parent, ("envoy",), events=("drain",), repeats=2))
