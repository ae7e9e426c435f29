from __future__ import annotations

import os
from pathlib import Path

import pytest

from compose.supervision import ledger as ledger_module
from compose.supervision.ledger import Ledger, state_folder
from compose.supervision.ledger_file import Broken, Ended, Intent, Kept, Owner, Spawned, ledgers, read_page
from compose.supervision.process_table import birth_of
from compose.supervision.recovery import Recovered, clear
from shared.errors import EnvironmentNotReady, Interrupted, UsageError


def test_the_state_folder_is_named_by_the_environment(own_state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert state_folder() == own_state
    monkeypatch.delenv("TWINSHOP_STATE")
    assert state_folder().name == "twinshop"


def test_what_is_written_is_read_back(own_state: Path) -> None:
    ledger = Ledger.open(own_state, "run1")
    ledger.add(Intent("n1"))
    ledger.add(Spawned("n1", 4_000_001, "then"))
    ledger.add(Broken("kill n1"))
    page = read_page(ledger.path)
    me = os.getpid()
    assert page.entries == (
        Owner(me, birth_of(me) or ""),
        Intent("n1"),
        Spawned("n1", 4_000_001, "then"),
        Broken("kill n1"),
    )
    assert (page.run, page.kept, page.owner_lives, page.unaccounted, page.damaged) == ("run1", False, True, False, 0)
    ledger.add(Ended("n1", 4_000_001))
    assert read_page(ledger.path).started == ()


def test_an_intent_is_on_the_disk_before_the_deed(own_state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bytes] = []
    ledger = Ledger.open(own_state, "run1")
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(ledger.path.read_bytes().splitlines()[-1]))
    ledger.add(Intent("n1"))
    assert synced == [b'{"entry":"intent","name":"n1"}']
    assert read_page(ledger.path).unaccounted


def test_one_run_one_ledger(own_state: Path) -> None:
    with Ledger.open(own_state, "run1"), pytest.raises(UsageError, match="exists already"):
        Ledger.open(own_state, "run1")
    assert list((own_state / "ledger").iterdir()) == []


def test_closing_may_be_repeated(own_state: Path) -> None:
    ledger = Ledger.open(own_state, "run1")
    ledger.close()
    ledger.close()
    assert ledgers(own_state) == []


def test_closing_is_not_left_half_done_when_it_is_interrupted(own_state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger.open(own_state, "run1")
    calls: list[Path] = []

    def interrupted_once(path: Path) -> Recovered:
        calls.append(path)
        if len(calls) == 1:
            raise Interrupted("interrupted by SIGINT")
        return clear(path)

    monkeypatch.setattr(ledger_module, "clear", interrupted_once)
    with pytest.raises(Interrupted):
        ledger.close()
    assert len(calls) == 2
    assert ledgers(own_state) == []


@pytest.mark.parametrize("moment", ["_write", "_sync_folder"])
def test_one_that_is_interrupted_while_it_is_opened_leaves_none(
    own_state: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def interrupt(*_: object) -> None:
        raise Interrupted("Ctrl-C")

    other = Ledger.open(own_state, "other")
    monkeypatch.setattr(ledger_module, moment, interrupt)
    for run in ("mine", "other"):
        with pytest.raises((Interrupted, UsageError)):
            Ledger.open(own_state, run)
    assert ledgers(own_state) == [other.path]
    monkeypatch.undo()
    other.close()


@pytest.mark.parametrize("run", ["", "../x", ".hidden", "a/b", "x" * 65, "a b"])
def test_a_run_id_cannot_lead_elsewhere(run: str, own_state: Path) -> None:
    with pytest.raises(UsageError, match="no run id"):
        Ledger.open(own_state, run)


def test_only_a_kept_ledger_is_continued(own_state: Path) -> None:
    with pytest.raises(UsageError, match="no kept cluster"):
        Ledger.open(own_state, "run1", kept=True)
    ledger = Ledger.open(own_state, "run1")
    with pytest.raises(UsageError, match="no kept cluster"):
        Ledger.open(own_state, "run1", kept=True)
    ledger.add(Kept())
    Ledger.open(own_state, "run1", kept=True).add(Intent("n2"))
    assert Intent("n2") in read_page(ledger.path).entries


def test_a_state_folder_that_is_none_is_an_error_of_the_environment(own_state: Path) -> None:
    own_state.write_text("a file in its place")
    with pytest.raises(EnvironmentNotReady, match="cannot write the ledger"):
        Ledger.open(own_state, "run1")


def test_a_full_disk_stops_before_the_deed(own_state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger.open(own_state, "run1")

    def full(_handle: int, _content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(EnvironmentNotReady, match="cannot write the ledger") as raised:
        ledger.add(Intent("n1"))
    assert "No space left" in raised.value.why


def test_damaged_lines_are_counted_and_skipped(own_state: Path) -> None:
    ledger = Ledger.open(own_state, "run1")
    ledger.add(Spawned("n1", 4_000_001, "then"))
    with ledger.path.open("ab") as file:
        file.write(b'{"entry":"spawned","name":"n2","pi\n\xff\xfe\n{"entry":"unheard-of"}\n[]\n')
    ledger.add(Spawned("n3", 4_000_003, "then"))
    page = read_page(ledger.path)
    assert [entry.name for entry in page.started] == ["n1", "n3"]
    assert page.damaged == 4
