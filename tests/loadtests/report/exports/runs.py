"""Judged runs to export: one of models, one whose author means ill, one that was cut off."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from loadtests.model.run_folder import RunFolder
from loadtests.report.exports.judged import JudgedRun, judged_run
from tests.loadtests.model_run import SCENARIO, predict_otherwise, write_run

HOSTILE = (
    'a|b <script>alert(1)</script> ]]> & "q" `c` [l](http://evil.example) ![i](x) @team a@b.example www.evil.example '
    "\\| ~~s~~ #1 *b* _e_ \x00\x07\x1b[31m\u202e\u2028 -->\n\n# h1\r\n| x | y | \ufffe ?"
)
"""Every sign that means something in XML, Markdown, a terminal or a page; it ends as a question must."""
THRESHOLDS = '\n[fail_if]\nlogged_out = "> 0"\n\n[fail_if.redis]\nfailed = "> 2 * U"\n'


def written(folder: Path, scenario: str = SCENARIO) -> RunFolder:
    """A run of two models: sticky-memory loses somebody, redis nobody, both as predicted."""
    run = write_run(folder)
    if scenario != SCENARIO:
        predict_otherwise(run, scenario)
    return run


def plain_run(folder: Path) -> JudgedRun:
    return judged_run(written(folder).root)


def run_with_thresholds(folder: Path) -> JudgedRun:
    """One of three fires, in sticky-memory."""
    return judged_run(written(folder, SCENARIO + THRESHOLDS).root)


def refuted_run(folder: Path) -> JudgedRun:
    return judged_run(written(folder, SCENARIO.replace('logged_out = "at_risk"', 'logged_out = "0"')).root)


def inconclusive_run(folder: Path) -> JudgedRun:
    """redis predicts something that was not measured; a threshold of it fires all the same."""
    asked = SCENARIO.replace('items_lost = "0"', 'items_lost = "0"\nnode_memory_mb = "> 1"')
    return judged_run(written(folder, f'{asked}\n[fail_if.redis]\nlogged_out = ">= 0"\n').root)


def unfinished_run(folder: Path) -> JudgedRun:
    """signed-token was asked for and never begun."""
    run = written(folder)
    told = run.read_provenance()
    asked = msgspec.structs.replace(told, architectures=(*told.architectures, "signed-token"))
    run.provenance.write_bytes(msgspec.json.encode(asked))
    return judged_run(run.root)


def hostile_run(folder: Path) -> JudgedRun:
    """Whatever its author could write is hostile: the question, the scenario's name, the command."""
    question = "Who gets logged out when one of three nodes dies, in a model?"
    assert question in SCENARIO
    run = written(folder, SCENARIO.replace(f'"{question}"', json.dumps(HOSTILE)) + THRESHOLDS)
    told = run.read_provenance()
    command = ("twinshop", "run", f"./{HOSTILE}.toml")
    asked = msgspec.structs.replace(told, scenario=HOSTILE, command=command, twinshop=HOSTILE, started=HOSTILE)
    run.provenance.write_bytes(msgspec.json.encode(asked))
    return judged_run(run.root)
