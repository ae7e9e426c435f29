"""The page on sharing a run can be followed from top to bottom, and says the limits that there are."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from loadtests import cli
from loadtests.campaigns.bundles.manifest import BUNDLE_SCHEMA, MOST_BYTES, MOST_FILES, MOST_RATIO
from tests.loadtests.campaigns.bundles.made_up import finished_run
from tests.test_docs import ROOT, commands

PAGE = ROOT / "docs" / "how-to" / "share-a-run.md"


def test_it_can_be_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = finished_run(tmp_path / "runs" / "a-run")
    (tmp_path / "runs" / "latest").symlink_to("a-run")
    monkeypatch.chdir(tmp_path)
    typed = [shlex.split(command)[1:] for command in commands(PAGE)]
    assert {words[0] for words in typed} == {"bundle", "open", "check", "compare"}
    for words in typed:
        assert cli.main(words) == 0, words
    (opened,) = (tmp_path / "elsewhere").iterdir()
    assert (opened / "report.html").read_bytes() == run.report.read_bytes()


def test_it_says_the_limits() -> None:
    text = PAGE.read_text()
    assert f"more than {MOST_FILES:,} files, {MOST_BYTES // 2**30} GiB unpacked, {MOST_RATIO} times" in text
    assert f"the schema of bundles ({BUNDLE_SCHEMA})" in text
