"""What depends on a fault's kind stands in that fault's file: nothing else of the product names one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.faults import FAULTS

ROOT = Path(__file__).parents[3]
ROOMS = ("shared", "stateful_app", "stateless_app", "compose", "loadtests")
NOT_LOOKED_AT = {"loadtests/second_opinion"}
"""It shares nothing with what it is a second opinion of, so it must know by itself what grows a cluster."""
SAME_WORD = {
    "compose/applications/compose_file.py": {"deploy", "restart"},
    "compose/engines/docker.py": {"kill", "freeze"},
    "compose/engines/contract.py": {"kill", "freeze"},
    "compose/engines/processes.py": {"kill", "freeze"},
    "loadtests/campaigns/far/machines.py": {"workers"},
    "loadtests/cli.py": {"kill", "stop", "freeze", "scale-out", "scale-in"},
    "loadtests/commands/parts.py": {"scale-out", "scale-in"},
    "loadtests/reference/balancers.py": {"drain"},
    "shared/shop/routes/watch.py": {"workers"},
}
"""Where the word means something else: what an engine does to a part, the commands that ask it to, numbers of
processes, a balancer's own words, keys of a compose file, workers of Dask. None of these files knows faults:
`test_those_that_share_a_word_know_no_faults`."""
PAGES = ("*.js", "*.mjs", "*.css", "*.j2", "*.html")
TWO_WORDS = re.compile(rf"(?<![\w-])(?:{'|'.join(re.escape(kind) for kind in FAULTS if '-' in kind)})(?![\w-])")
"""A kind of two words means a fault wherever it stands: in a sentence, in a comment."""
QUOTED = re.compile(rf"""(["'`])(?:{"|".join(map(re.escape, FAULTS))})\1""")


def _files(*patterns: str) -> Iterator[tuple[str, Path]]:
    for room in ROOMS:
        for pattern in patterns:
            for path in sorted((ROOT / room).rglob(pattern)):
                name = path.relative_to(ROOT).as_posix()
                if not any(name.startswith(f"{folder}/") for folder in NOT_LOOKED_AT):
                    yield name, path


def _named_in(tree: ast.AST) -> set[str]:
    """Kinds that a constant of this module is, or has among its words."""
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return {text for text in texts if text in FAULTS} | {kind for text in texts for kind in TWO_WORDS.findall(text)}


def _own(kind: str) -> str:
    return f"loadtests/faults/{kind.replace('-', '_')}.py"


def test_no_other_module_names_a_kind() -> None:
    found = {}
    for name, path in _files("*.py"):
        named = {kind for kind in _named_in(ast.parse(path.read_bytes())) if name != _own(kind)}
        if others := named - SAME_WORD.get(name, set()) - _words_of_another(name):
            found[name] = others
    assert found == {}


def _words_of_another(name: str) -> set[str]:
    """What one fault says of its victim may be what another one is called: slow."""
    own = next((fault for kind, fault in FAULTS.items() if name == _own(kind)), None)
    return set() if own is None else {own.done}


def test_no_page_names_a_kind() -> None:
    texts = {name: path.read_text(encoding="utf-8") for name, path in _files(*PAGES)}
    assert texts, "there are pages"
    found = {name for name, text in texts.items() if TWO_WORDS.search(text) or QUOTED.search(text)}
    assert found == set()


@pytest.mark.parametrize("name", SAME_WORD)
def test_those_that_share_a_word_know_no_faults(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "loadtests.faults" not in text, "then the word could mean a fault"
    assert _named_in(ast.parse(text)) >= SAME_WORD[name], "the list has no more than it needs"


def test_a_name_would_be_found() -> None:
    assert _named_in(ast.parse('if kind == "kill": ...')) == {"kill"}
    assert _named_in(ast.parse('"""After a store-kill."""')) == {"store-kill"}
    assert _named_in(ast.parse('"over-store-kills killed"')) == set()
    assert QUOTED.search("if (kind === 'drain') {}")
    assert TWO_WORDS.search("/* of a store-kill */")
