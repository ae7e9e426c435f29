"""The shop's contract, with sessions in the memory of every node: here a cluster of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from compose.supervision.ports import free_ports
from shared.replication.state import ReplicatedCache, ReplicatedState
from shared.shop.session_format import FORMATS
from stateful_app.sessions import ReplicatedSessions
from tests.shared.cures_contract import CuresContract
from tests.shared.progress_contract import ProgressContract
from tests.shared.session_contract import SessionContract
from tests.shared.shop_contract import ShopContract
from tests.shared.shop_pages_contract import ShopPagesContract
from tests.waiting import until

READY_WITHIN_S = 60.0


class OnOneNode:
    """A cluster of one, which is ready when the test begins and gone when it ends."""

    @pytest.fixture
    def store_settings(self) -> dict[str, Any]:
        return {"replica_self": f"127.0.0.1:{free_ports(1)[0]}"}

    @pytest.fixture(autouse=True)
    def ready_and_closed(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        opened: list[ReplicatedSessions] = []
        install = ReplicatedSessions.install

        def install_and_wait(sessions: ReplicatedSessions, app: Flask) -> None:
            opened.append(sessions)
            install(sessions, app)
            assert until(sessions.state.ready, READY_WITHIN_S)

        monkeypatch.setattr(ReplicatedSessions, "install", install_and_wait)
        yield
        for sessions in opened:
            sessions.state.close()


class TestReplicatedShop(OnOneNode, ShopContract):
    store = "replicated"


class TestReplicatedPages(OnOneNode, ShopPagesContract):
    store = "replicated"


class TestReplicatedSessions(OnOneNode, SessionContract):
    store = "replicated"
    outlives_logout = False
    has_ids = True


class TestReplicatedCures(OnOneNode, CuresContract):
    store = "replicated"
    can_be_planted = True
    can_be_locked = True
    can_be_ended_elsewhere = True


class TestReplicatedProgress(OnOneNode, ProgressContract):
    store = "replicated"


@pytest.mark.parametrize(("form", "field"), [("first", "user"), ("renamed", "account")])
def test_a_session_is_owned_by_whom_its_format_names(form: str, field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owners = []
    monkeypatch.setattr(ReplicatedState, "set", lambda _state, _key, _value, *, owner, **_more: owners.append(owner))
    state = ReplicatedState.__new__(ReplicatedState)
    ReplicatedCache(state, lifetime_s=60, owner_of=FORMATS[form].user).set("key", {field: "user-0001"})
    assert owners == ["user-0001"]
