"""What the README and the docs tell people to type: every command is run, every link leads somewhere."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from loadtests import cli
from tests.left_behind import processes_of
from tests.loadtests.command import environment, twinshop

ROOT = Path(__file__).parents[1]
OURS = [page for page in sorted((ROOT / "docs").rglob("*.md")) if "node_modules" not in page.parts]
"""What npm puts beside an example is not ours."""
PAGES = [ROOT / "README.md", *OURS]
LINK = re.compile(r"\[[^\]]*\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)")


def commands(page: Path) -> list[str]:
    """The lines that begin with a dollar sign in a page's console blocks, without their remarks."""
    blocks = re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return [line[2:].split("   #")[0].split(" #")[0].strip() for line in lines]


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


@cache
def anchors_of(page: Path) -> set[str]:
    """What a link can name in a page: its headings as GitHub makes anchors of them, the second of a name with `-1`."""
    found: Counter[str] = Counter()
    anchors = set()
    for heading in re.findall(r"^#{1,6} +(.+)$", prose(page), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower().strip()
        # Letters, decimal digits, hyphens and underscores stay. Python's \w would keep a raised 2 as well.
        slug = "".join(c for c in text if c.isalpha() or c.isdecimal() or c in " _-").replace(" ", "-")
        anchors.add(f"{slug}-{found[slug]}" if found[slug] else slug)
        found[slug] += 1
    return anchors


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """To a file, and if they name a place in a page, to that place."""
    for target, anchor in LINK.findall(prose(page)):
        there = page.parent / target if target else page
        assert there.exists(), f"{page.name} links to {target}"
        if anchor and there.suffix == ".md":
            assert anchor in anchors_of(there), f"{page.name} links to #{anchor} in {there.name}"


def test_an_anchor_is_what_github_makes_of_a_heading(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# `up` and [down](x.md)\n\n## p (1 − p) / p²\n\n## Again\n\n```\n# no heading\n```\n\n## Again\n")
    assert anchors_of(page) == {"up-and-down", "p-1--p--p", "again", "again-1"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page: Path) -> None:
    """Every `twinshop` word is a command, every `make` word a target."""
    for command in commands(page):
        words = shlex.split(command)
        if words[0] == "make":
            done = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True, check=False, timeout=30)
            assert done.returncode == 0, command
        elif words[0] == "python3":
            assert (ROOT / words[2]).is_file(), command
        else:
            assert Path(words[0]).name == "twinshop", command
            assert words[1] in cli.COMMANDS, command


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    twinshop(tmp_path, "down", "--all")


@pytest.mark.cluster
def test_the_readme_can_be_followed_from_top_to_bottom(shop: Path) -> None:
    """As typed, one after the other; `make test` is what CI runs, `make run` a test below."""
    program = f"{shlex.quote(sys.executable)} -m loadtests.cli"
    for command in commands(ROOT / "README.md"):
        if command.startswith("make "):
            continue
        line = command.replace(".venv/bin/twinshop", program)
        done = subprocess.run(
            line, shell=True, cwd=shop, env=environment(shop / "state"), capture_output=True, text=True, check=False,
            timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert processes_of(shop / "state") == {}


@pytest.mark.cluster
def test_the_scenario_of_the_how_to_can_be_planned_and_run(tmp_path: Path) -> None:
    page = ROOT / "docs" / "how-to" / "write-a-scenario.md"
    example, *_ = re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)
    (tmp_path / "one-node.toml").write_text(example)
    for command in commands(page):
        done = twinshop(tmp_path, *shlex.split(command)[1:])
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    (tmp_path / "one-node.toml").write_text(example.replace("shoppers", "shopers"))
    quoted = re.search(r"```text\n(.*?)```", page.read_text(), re.DOTALL)
    assert quoted is not None
    assert twinshop(tmp_path, "plan", "one-node.toml").stderr == quoted[1]


def test_make_run_is_the_flagship() -> None:
    done = subprocess.run(
        ["make", "-n", "run"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30, env=dict(os.environ)
    )
    assert "twinshop run node-kill" in done.stdout


def walk(title: str) -> list[str]:
    """The steps of a walk through the rooms, on the page that tells how it works."""
    page = (ROOT / "docs" / "explanation" / "how-it-works.md").read_text(encoding="utf-8")
    section = page.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return re.split(r"^\d\. ", section, flags=re.MULTILINE)[1:]


def test_the_walk_of_a_cart_item_enters_no_room_twice() -> None:
    rooms = [step.removeprefix("`").partition("`")[0] for step in walk("One item, from the click to the witness")]
    assert len(rooms) == len(set(rooms)) >= 6
    assert [room for room in rooms if not (ROOT / "loadtests" / room).is_dir()] == []


@pytest.mark.parametrize("title", ["One item, from the click to the witness", "One fault, from the TOML to the band"])
def test_what_a_walk_names_is_there(title: str) -> None:
    """Each type that it passes is a class of the product, and each file lies in a room."""
    text = " ".join(walk(title))
    files = [path for room in ("compose", "loadtests") for path in (ROOT / room).rglob("*.py")]
    classes = set(re.findall(r"^class (\w+)", "\n".join(map(Path.read_text, files)), re.MULTILINE))
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)*)`", text))
    assert len(named) > 4
    assert named - classes == set()
    assert {name for name in re.findall(r"(\w+\.py)", text) if not any(path.name == name for path in files)} == set()
