"""What the page is made of: nothing from elsewhere, nothing inline, the report's colours, uPlot unchanged."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import get_args

import pytest

from loadtests.checks import CAUSES, CHECKS
from loadtests.workshop.contract import Phase, guest_name
from loadtests.workshop.dashboard import pages
from loadtests.workshop.dashboard.pages import FOUR_NUMBERS, meanings
from loadtests.workshop.live.live_replay import MOST_OF_ONE
from tests.contrast import colours_in, contrast, report_colours

ROOM = Path(pages.__file__).parent
STATIC, TEMPLATES = ROOM / "static", ROOM / "templates"
OURS = sorted(path for path in STATIC.iterdir() if path.suffix in {".js", ".css"})


def test_the_page_knows_of_how_many_losses_of_one_shopper_it_is_told() -> None:
    assert f"const TOLD_OF_ONE = {MOST_OF_ONE};" in (STATIC / "loss_list.js").read_text()


def test_the_page_knows_the_account_of_whoever_teaches() -> None:
    assert f'const INSTRUCTOR = ["{guest_name(0)}",' in (STATIC / "roster.js").read_text()


def themes() -> tuple[dict[str, str], dict[str, str]]:
    light, dark = (STATIC / "page.css").read_text().split("@media (prefers-color-scheme:dark)")
    return colours_in(light), colours_in(dark.split(".projector{font-size")[0])


def test_the_vendored_library_is_the_one_whose_version_is_written_down() -> None:
    said = (STATIC / "uplot" / "SOURCE.md").read_text()
    for name in ("uPlot.iife.min.js", "uPlot.min.css"):
        content = (STATIC / "uplot" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() in said
    assert "v1.6.32" in (STATIC / "uplot" / "uPlot.iife.min.js").read_text()[:80]
    assert "version 1.6.32" in said
    assert "MIT" in (STATIC / "uplot" / "LICENSE").read_text()


OWN_SCRIPT = "<script>{{ whole_page }}</script>"
"""Named by its hash in the policy of the one page that has it; `pages.py`."""


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_templates_have_nothing_inline_and_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text().replace(OWN_SCRIPT, "")
    assert re.findall(r"<script(?![^>]* src=)", text) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", text) == []
    assert re.findall(r"https?://", text) == []
    assert "|safe" not in text


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_our_files_name_no_other_place_and_write_no_html(path: Path) -> None:
    text = path.read_text().replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"https?://|//[a-z]+\.", text) == []
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text) == []
    assert len(text.splitlines()) <= 400


def test_colours_are_the_reports() -> None:
    for ours, theirs in zip(themes(), report_colours(), strict=True):
        assert {name: value for name, value in ours.items() if name != "you"} == theirs


def test_the_colour_of_oneself_can_be_read() -> None:
    for ours, theirs in zip(themes(), report_colours(), strict=True):
        for ground in ("paper", "card", "band"):
            assert contrast(ours["you"], theirs[ground]) >= 4.5


def test_all_that_can_be_lost_has_words() -> None:
    assert {key: rule for key, _, rule in meanings()["losses"]} == {kind: it.rule for kind, it in CHECKS.items()}
    assert all(word for _, word, _ in meanings()["losses"])
    words = (STATIC / "words.js").read_text()
    for phase in get_args(Phase):
        assert f"  {phase}: " in words


def test_numbers_and_causes_mean_what_they_mean_in_the_report() -> None:
    said = meanings()
    assert [key for key, _, _ in said["numbers"]] == list(FOUR_NUMBERS)
    assert {key: why for key, _, why in said["causes"]} == CAUSES
    for key, _, _ in said["numbers"]:
        assert f'means: "{key}"' in (STATIC / "words.js").read_text()
