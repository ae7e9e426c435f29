"""What no cluster can start with, or makes no sense: `plan` and `run` refuse it, all at once, and start nothing."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from compose.cluster import Limits, ranges
from loadtests.cli import main
from loadtests.model.scenario import FaultSpec, Load, Scenario
from loadtests.planning.scenario_file import read_scenario
from shared.errors import ScenarioError

FILE = """\
question = "Probe?"
family = "cases"
nodes = 2
architectures = ["sticky-memory"]
[load]
shoppers = 4
seconds = 3
login_within_ms = 300
[expect.sticky-memory]
logged_out = 0
[settings]
"""

BAD = [
    ("cluster_ready_s = 0", "from 1 to 600 s"),
    ("cluster_ready_s = nan", "from 1 to 600 s"),
    ("node_ready_s = 0.5", "from 1 to 600 s"),
    ("node_ready_s = 601", "from 1 to 600 s"),
    ("stop_s = 0", "from 0.1 to 60 s"),
    ("stop_s = -5.0", "from 0.1 to 60 s"),
    ("stop_s = 1e9", "from 0.1 to 60 s"),
    ("health_interval_s = 0.0", "from 0.05 to 60 s"),
    ("health_interval_s = -0.5", "from 0.05 to 60 s"),
    ("health_interval_s = inf", "from 0.05 to 60 s"),
    ("health_timeout_s = 0", "from 0.05 to 60 s"),
    ('health_timeout_s = "1"', "Expected `float`, got `str`"),
    ("unhealthy_after = 0", "from 1 to 100 questions"),
    ("unhealthy_after = 1.5", "Expected `int`, got `float`"),
    ("balancer_connect_timeout_s = 0", "from 0.05 to 60 s"),
    ("balancer_route_timeout_s = 0", "balancers take 0 for none"),
    ("balancer_upstream_idle_s = 0", "from 0.1 to 70 s"),
    ("balancer_upstream_idle_s = 75", "a node closes its end after 75 s"),
    ("balancer_retries = -1", "from 0 to 10 times"),
    ("affinity_cookie_s = -1", "from 0 to 34,560,000 s"),
    ("store_connections = -1", "from 0 to 10,000 connections"),
    ("store_cache_s = -1", "from 0 to 3,600 s"),
    ("balancer_retries = 11", "from 0 to 10 times"),
    ("node_threads = 0", "from 1 to 128 threads"),
    ("node_threads = 100_000", "from 1 to 128 threads"),
    ("node_workers = 0", "from 1 to 16 processes"),
    ("node_workers = 17", "from 1 to 16 processes"),
    ("node_workers = true", "Expected `int`, got `bool`"),
    ("deep_health = 1", "Expected `bool`, got `int`"),
    ("slow_page_ms = -1", "from 0 to 60,000 ms"),
    ("session_lifetime_s = 0", "from 1 to 34,560,000 s"),
    ("session_lifetime_s = 99999999999999", "browsers keep no cookie for more than 400 days"),
    ("session_lifetime_s = 3.5", "Expected `int`, got `float`"),
    ("access_lifetime_s = 0", "shorter, each request needs a new one"),
    ("refresh_grace_s = -1", "from 0 to 3,600 s"),
    ("refresh_grace_s = 3601", "nobody finds a stolen refresh token"),
    ("session_absolute_s = -1", "from 0 to 34,560,000 s"),
    ("session_cap = 0", "from 1 to 1,000,000 sessions"),
    ("session_cap = -1", "from 1 to 1,000,000 sessions"),
    ('session_refresh_each_request = "yes"', "Expected `bool`, got `str`"),
    ("store_timeout_s = 0", "from 0.01 to 60 s"),
    ("store_timeout_s = 1" + "0" * 400, "out of range"),
    ("store_retries = -1", "from 0 to 10 times"),
    ("store_append_only = 0", "Expected `bool`, got `int`"),
    ("store_memory_mb = -1", "from 0 to 16,384 MB"),
    ("store_memory_mb = 1_000_000", "it must fit into the machine"),
    ('store_eviction = "lru"', "one of noeviction, allkeys-lru"),
    ("store_min_replicas = 2", "no architecture has more than one"),
    ("store_distance_ms = -1", "from 0 to 10,000 ms"),
    ("store_distance_ms = 10_001", "from 0 to 10,000 ms"),
    ("clock_leeway_s = -1", "from 0 to 86,400 s"),
    ('rate_limit = "often"', '"5 per second"'),
    ('rate_limit = "0 per second"', '"5 per second"'),
    ("rate_limit = 5", "Expected `str`, got `int`"),
    ('rate_limit_counters = "nobody"', "one of node, store"),
    ("password_cost = 1", "from 2 to 65,536"),
    ("password_cost = 1000", "a power of two"),
    ("password_cost = 131072", "from 2 to 65,536"),
    ("helth_interval_s = 1", "did you mean 'health_interval_s'?"),
    ("cart_lock = []", "Expected `bool`, got `array`"),
]  # fmt: skip

NEAR_MISSES = [
    "affinity_cookie_s = 34_560_000",
    "store_connections = 10_000",
    "store_cache_s = 3600",
    "cluster_ready_s = 1", "node_ready_s = 600", "stop_s = 0.1", "stop_s = 60", "health_interval_s = 0.05",
    "health_timeout_s = 60.0", "unhealthy_after = 1", "balancer_connect_timeout_s = 0.05",
    "balancer_route_timeout_s = 600", "balancer_upstream_idle_s = 70", "balancer_retries = 0", "balancer_retries = 10",
    "node_threads = 1", "node_workers = 16", "slow_page_ms = 0", "session_lifetime_s = 1",
    "session_lifetime_s = 34_560_000", "access_lifetime_s = 0.1", "refresh_grace_s = 3600", "session_absolute_s = 0",
    "session_cap = 1", "store_timeout_s = 0.01", "store_retries = 10",
    "store_memory_mb = 0", "store_min_replicas = 1", "store_distance_ms = 10_000", "clock_leeway_s = 86_400",
    'rate_limit = ""', 'rate_limit = "1 per hour; 2 per day"', "password_cost = 2", "password_cost = 65_536",
]  # fmt: skip

BAD_LOADS = [
    ("shoppers = 4", "shoppers = 0", "load.shoppers: 0 shoppers", "from 1 to 20,000"),
    ("seconds = 3", "seconds = 3600.1", "load.seconds: 3,600.1 s", "from 1 to 3,600 s"),
    ("seconds = 3", "seconds = 3\nthink_ms = 0", "load.think_ms: 0 ms", "from 1 to"),
    ("login_within_ms = 300", "login_within_ms = 3001", "load.login_within_ms: 3001 ms", "within load.seconds"),
    ("nodes = 2", "nodes = 33", "nodes: 33 nodes", "from 1 to 32 nodes"),
    ("logged_out = 0", "logged_out = -1", "expect.sticky-memory.logged_out", "nothing that is measured can be"),
    ("logged_out = 0", 'logged_out = "-U"', "expect.sticky-memory.logged_out", "nothing that is measured can be"),
    ("logged_out = 0", 'logged_out = "< 0"', "expect.sticky-memory.logged_out", "nothing that is measured can be"),
    ("logged_out = 0", 'logged_out = "-2 .. 3"', "expect.sticky-memory.logged_out", "nothing that is measured can be"),
    ("logged_out = 0", "logged_out = nan", "expect.sticky-memory.logged_out", "a number or formula"),
    ('"sticky-memory"]', '"sticky-memry"]', "architectures", "did you mean 'sticky-memory'?"),
]


def refused_by(command: str, folder: Path, text: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What is said when the command refuses that file, which it must, with nothing begun."""
    (folder / "my.toml").write_text(text)
    more = ["--runs", str(folder / "runs")] if command == "run" else []
    assert main([command, str(folder / "my.toml"), *more]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert [path.name for path in folder.iterdir()] == ["my.toml"]
    return said.err


@pytest.mark.parametrize(("setting", "expected"), BAD)
def test_a_setting_that_makes_no_sense(
    setting: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused_by("plan", tmp_path, FILE + setting, capsys)
    assert f"my.toml, line 12, settings.{setting.split()[0]}: " in said
    assert expected in said


def test_they_are_forty_and_every_number_has_some() -> None:
    assert len(BAD) >= 40
    assert set(ranges(Limits)) <= {setting.split()[0] for setting, _ in BAD}
    assert set(ranges(Limits)) <= {setting.split()[0] for setting in NEAR_MISSES}


@pytest.mark.parametrize("setting", NEAR_MISSES)
def test_a_setting_at_its_bound_is_taken(setting: str) -> None:
    name = setting.split()[0]
    assert name in read_scenario((FILE + setting).encode(), file="my.toml", name="my").settings


@pytest.mark.parametrize(("old", "new", "place", "expected"), BAD_LOADS)
def test_the_rest_of_a_scenario_that_makes_no_sense(
    old: str, new: str, place: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert old in FILE
    said = refused_by("plan", tmp_path, FILE.replace(old, new, 1), capsys)
    assert place in said
    assert expected in said


@pytest.mark.parametrize("kind", [Limits, Load, FaultSpec, Scenario])
def test_every_number_has_a_range_and_its_default_lies_in_it(kind: type[msgspec.Struct]) -> None:
    its = ranges(kind)
    for field in msgspec.structs.fields(kind):
        if isinstance(field.default, int | float) and not isinstance(field.default, bool):
            assert its[field.name].least <= field.default <= its[field.name].most
    assert all(each.why for each in its.values())


@pytest.mark.parametrize("command", ["plan", "run"])
def test_all_that_is_wrong_is_told_at_once(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = FILE.replace('"Probe?"', '"Probe"').replace("shoppers = 4", 'shopers = 4\nthink_ms = "x"')
    text = text.replace("logged_out = 0", "loged_out = 0") + "stop_s = 0\nunhealthy_after = 0\n[[fault]]\nat_s = 9\n"
    said = refused_by(command, tmp_path, text, capsys).splitlines()
    assert "my.toml: 8 values make no sense" in said[0]
    places = [
        "line 1, question", "line 6, load.shopers", "line 7, load.think_ms", "line 11, expect.sticky-memory.loged_out",
        "line 13, settings.stop_s", "line 14, settings.unhealthy_after", "line 15, fault[0]", "line 16, fault[0].at_s",
    ]  # fmt: skip
    assert len(said) == 1 + len(places) + 1
    for place, line in zip(places, said[1:], strict=False):
        assert f"{place}: " in line


def test_what_follows_from_another_fault_is_not_told_beside_it() -> None:
    """The victim may be there, the time within the window, the architecture among those that are meant."""
    text = FILE.replace("nodes = 2", "nodes = 99").replace("seconds = 3", "seconds = 0")
    text = text.replace('["sticky-memory"]', "3") + '[[fault]]\nkind = "kill"\nat_s = 2\nvictim = "n100"\n'
    with pytest.raises(ScenarioError) as caught:
        read_scenario(text.encode(), file="my.toml", name="my")
    lines = caught.value.why.splitlines()
    assert [line.split(": ")[0].split(", ")[1] for line in lines] == ["nodes", "architectures", "load.seconds"]


def test_a_prediction_may_be_a_number() -> None:
    text = FILE.replace("logged_out = 0", "logged_out = 0\nunits_lost = 1.5")
    numbers = read_scenario(text.encode(), file="my.toml", name="my")
    assert numbers.expect == {"sticky-memory": {"logged_out": "0", "units_lost": "1.5"}}
    quoted = text.replace("= 0\nunits_lost = 1.5", '= "0"\nunits_lost = "1.5"')
    assert read_scenario(quoted.encode(), file="my.toml", name="my") == numbers


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 5000])
def test_what_the_reader_of_toml_itself_gives_up_on(value: str) -> None:
    with pytest.raises(ScenarioError, match="not TOML"):
        read_scenario(f"nodes = {value}".encode(), file="my.toml", name="my")


@pytest.mark.parametrize("prediction", ["U - 100", "at_risk - U", "> -1 + 1", ">= 0", "0 .. U"])
def test_what_may_be_nothing_and_is_not_less_is_a_prediction(prediction: str) -> None:
    read_scenario(FILE.replace("= 0\n", f'= "{prediction}"\n').encode(), file="my.toml", name="my")


@pytest.mark.parametrize("command", ["plan", "run"])
@pytest.mark.parametrize("length", [201, 250, 400])
def test_a_name_that_no_folder_can_have(command: str, length: int, tmp_path: Path) -> None:
    name = tmp_path / f"{'x' * length}.toml"
    if length <= 250:
        name.write_text(FILE)
    more = ["--runs", str(tmp_path / "runs")] if command == "run" else []
    assert main([command, str(name), *more]) == 2
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["plan", "node-kil"], "node-kill"),
        (["run", "calmm"], "calm"),
        (["run", "calm", "--architecture", "stiky-memory"], "sticky-memory"),
        (["up", "--architecture", "reddis"], "redis"),
        (["run", "calm", "--engine", "proceses"], "processes"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest(
    words: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert f"did you mean '{meant}'" in capsys.readouterr().err
