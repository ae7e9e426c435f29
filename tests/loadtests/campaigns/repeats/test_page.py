"""The page: true to the numbers, safe, whole without a script, and the same bytes for the same file."""

from __future__ import annotations

import msgspec
import pytest

from loadtests.campaigns.repeats.compare import repeats_of
from loadtests.campaigns.repeats.page import render, summary
from loadtests.campaigns.repeats.repeats import Repeats
from tests.loadtests.campaigns.repeats.made_up import asked, blocks_of, changed, reshot, twenty_more
from tests.loadtests.report.parsed import Page

HOSTILE = "<script>alert('x')</script>\"'&{{ 7*7 }}"
MEASURES = ("logged_out", "seconds_without_service", "p95_ms")


def repeats(names: tuple[str, ...] = ("sticky-memory", "redis"), blocks: int = 20) -> Repeats:
    of = asked(blocks, names, MEASURES)
    found = blocks_of(of, twenty_more)
    return repeats_of(of, reshot(found, 4, "redis", doubt="the kill of n1 hit nobody"))


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render(repeats()))


def test_every_tag_is_closed_every_id_unique_and_every_link_leads_somewhere(page: Page) -> None:
    assert page.problems == []
    assert [id_ for id_, count in page.ids.items() if count > 1] == []
    for link in page.links:
        file, _, anchor = link.partition("#")
        assert anchor in page.ids if not file else file == "repeats.json" or file.endswith("/report.html"), link


def test_the_answer_comes_first_and_every_comparison_has_its_word(page: Page) -> None:
    found = repeats()
    assert page.text("n-answer") == found.answer
    told = page.text("comparisons")
    assert told.count("larger") == len(MEASURES)
    assert "95 %:" in told
    assert page.text("left-out") == "Block 4, redis: the kill of n1 hit nobody"


def test_the_method_is_named_and_cited_and_the_controls_told(page: Page) -> None:
    method, controls = page.text("method"), page.text("controls")
    for name in ("scipy.stats.bootstrap", "scipy.stats.permutation_test", "Holm", "Clopper", "Student"):
        assert name in method
    for name in ("no fault (2)", "placebo (2)", "A against A (2)"):
        assert name in controls
    assert "sticky-memory against itself, 3 measures: 3 cannot be compared." in controls
    assert page.text("command") == "twinshop run node-kill --repeat 20"


def test_every_chart_has_its_title_finding_description_and_table(page: Page) -> None:
    for measure in MEASURES:
        told = page.text(f"chart-{measure}")
        assert "block by block" in told
        assert "sticky-memory minus redis" in told
        assert "(not counted)" in told, "what was left out stands in the table"
    drawn = [value for tag, name, value in page.attributes if (tag, name) == ("svg", "aria-label")]
    assert len(drawn) == len(MEASURES)
    dots = [value for tag, name, value in page.attributes if tag == "use" and name == "href" and value == "#m-circle"]
    assert len(dots) == len(MEASURES) * (20 + 19 + 1)  # each block, and the key


def test_nothing_is_drawn_beside_the_page(page: Page) -> None:
    shares = [value for _, name, value in page.attributes if name in ("x", "x1", "x2") and value.endswith("%")]
    assert shares
    assert all(0 <= float(value.removesuffix("%")) <= 100 for value in shares)


def test_hostile_text_is_only_text() -> None:
    found = repeats()
    hostile = msgspec.structs.replace(
        found,
        asked=msgspec.structs.replace(found.asked, question=HOSTILE, command=(HOSTILE,), name=HOSTILE),
        blocks=tuple(changed(found.blocks, 2, error=HOSTILE, run="")),
        interrupted=HOSTILE,
    )
    html = render(hostile)
    assert b"<script" not in html
    assert HOSTILE in Page(html).text("left-out")
    assert HOSTILE in Page(html).text("interrupted")


def test_no_script_no_foreign_address_and_the_same_bytes_again() -> None:
    html = render(repeats())
    found = Page(html)
    assert (found.tags["script"], found.tags["link"]) == (0, 0)
    assert b"http://" not in html
    assert b"https://" not in html
    assert b"default-src 'none'; style-src 'sha256-" in html
    assert [it for it in found.attributes if it[1] in ("src", "style") or it[1].startswith("on")] == []
    assert render(repeats()) == html
    assert render(msgspec.json.decode(msgspec.json.encode(repeats()), type=Repeats)) == html


def test_many_architectures_stay_within_the_budget() -> None:
    names = ("sticky-memory", "roundrobin-memory", "signed-token", "redis", "hash-memory", "sticky-redis")
    assert len(render(repeats(names))) < 500_000


def test_with_nothing_measured_it_is_a_page_all_the_same() -> None:
    found = Page(render(repeats_of(asked(), [], "interrupted by SIGINT")))
    assert found.problems == []
    assert "Not comparable" in found.text("n-answer")


def test_the_terminal_tells_the_same(tmp_path: object) -> None:
    from pathlib import Path

    told = summary(repeats(), Path("runs/x"))
    assert told.startswith(repeats().answer)
    assert "larger" in told
    assert "controls 2 without faults, 2 placebo, 2 A against A; the machine: quiet enough" in told
    assert told.splitlines()[-1].startswith("next     twinshop report runs/x")


def test_it_begins_with_what_was_counted_in_each_block(page: Page) -> None:
    found = repeats()
    rows = page.text("counts").split("Block sticky-memory redis ")[1]
    for block in found.of_kind("fault"):
        one, other = (block.shot(name) for name in found.asked.architectures)
        assert one is not None
        assert other is not None
        left = " (not counted)" if other.doubt else ""
        told = f"{block.number} (seed {block.seed}) {one.values['logged_out']:g} {other.values['logged_out']:g}{left}"
        assert told in rows
    assert list(page.ids).index("counts") < list(page.ids).index("differences")


def test_many_blocks_are_folded_behind_the_first_twenty() -> None:
    of = asked(22, ("sticky-memory", "redis"), ("logged_out",))
    found = Page(render(repeats_of(of, blocks_of(of, twenty_more))))
    assert "2 more blocks" in found.text("counts")
    assert "22 (seed 22)" in found.text("counts")
