from __future__ import annotations

from pathlib import Path

import pytest

from compose.cluster import Limits
from loadtests.faults import FAULTS
from loadtests.faults.contract import Strikes
from loadtests.faults.kill import Kill
from loadtests.model.scenario import Scenario
from loadtests.planning.scenario_file import (
    SCENARIOS,
    all_scenarios,
    encode_scenario,
    load_scenario,
    read_scenario,
    scenario_file,
)
from shared.errors import ScenarioError

GOOD = """\
question = "Why?"
family = "test"
nodes = 3

[load]
shoppers = 10
seconds = 10

[[fault]]
kind = "kill"
at_s = 2
heal_after_s = 3

[expect.redis]
logged_out = "0"
"""


def read(text: str) -> Scenario:
    return read_scenario(text.encode(), file="my.toml", name="my")


def refused(text: str) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        read(text)
    assert caught.value.exit_code == 2
    assert caught.value.next_step
    return caught.value


def test_those_that_come_along_are_read_and_named_after_their_files() -> None:
    names = [scenario.name for scenario in all_scenarios()]
    assert set(names) == {path.stem for path in SCENARIOS.glob("*.toml")}
    assert {"calm", "node-kill"} <= set(names)
    kill = load_scenario("node-kill")
    assert kill.load.shoppers == 60
    assert kill.fault[0].kind == "kill"
    assert kill.expect["sticky-memory"]["logged_out"] == "at_risk"


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(GOOD)
    assert load_scenario(str(file)).name == "mine"
    assert scenario_file(str(file)) == file
    assert scenario_file("calm").name == "calm.toml"


def test_an_unknown_name_is_answered_with_the_nearest_and_how_to_list_all() -> None:
    with pytest.raises(ScenarioError, match="no scenario named 'node-kil'") as caught:
        load_scenario("node-kil")
    assert caught.value.why.startswith("did you mean 'node-kill' or 'node-")
    assert caught.value.next_step == "twinshop list"
    with pytest.raises(ScenarioError, match="no scenario file") as caught:
        load_scenario("./nowhere.toml")
    assert caught.value.why.startswith("nothing like it is among the ")


def test_a_folder_is_not_a_scenario(tmp_path: Path) -> None:
    (tmp_path / "it.toml").mkdir()
    with pytest.raises(ScenarioError, match="no scenario file"):
        load_scenario(str(tmp_path / "it.toml"))


@pytest.mark.parametrize(
    ("old", "new", "place", "expected"),
    [
        ("[load]", "[load", "my.toml, line 5: not TOML", ""),
        ("shoppers = 10", "shopers = 10", "my.toml, line 6, load.shopers: there is no key", "did you mean 'shoppers'?"),
        ("shoppers = 10", 'shoppers = "10"', "my.toml, line 6, load.shoppers", "Expected `int`, got `str`"),
        ("shoppers = 10", "shoppers = 0", "my.toml, line 6, load.shoppers: 0 shoppers", "from 1 to 20,000"),
        ("shoppers = 10", "shoppers = 20001", "line 6, load.shoppers", "from 1 to 20,000"),
        ("shoppers = 10", "shoppers = true", "line 6, load.shoppers", "Expected `int`"),
        ("seconds = 10", "seconds = nan", "line 7, load.seconds", "from 1 to 3,600 s"),
        ("seconds = 10", "seconds = -1", "line 7, load.seconds", "from 1 to 3,600 s"),
        ("seconds = 10", "seconds = inf", "line 7, load.seconds", "from 1 to 3,600 s"),
        ("seconds = 10", "seconds = 10\nthink_ms = 0", "line 8, load.think_ms: 0 ms", "from 1 to"),
        ("seconds = 10", "seconds = 10\nlogin_within_ms = 10001", "line 8, load.login_within_ms", "within"),
        ("seconds = 10", "seconds = 10\nleavers = 1.5", "line 8, load.leavers", "from 0 to 1: it is a share"),
        ("seconds = 10", "seconds = 10\nleavers = nan", "line 8, load.leavers", "from 0 to 1: it is a share"),
        ("seconds = 10", "seconds = 10\nmix = {ad = 1}", "line 8, load.mix.ad", "did you mean 'add'?"),
        ("seconds = 10", "seconds = 10\nmix = {add = -1}", "line 8, load.mix.add", "0 or more"),
        ("seconds = 10", "seconds = 10\nmix = {add = nan}", "line 8, load.mix.add", "0 or more"),
        ("shoppers = 10\nseconds = 10", "shoppers = 20000\nseconds = 3600", "line 5, load: about", "5,000,000"),
        ("nodes = 3", "nodes = 0", "line 3, nodes", "from 1 to 32"),
        ("nodes = 3", 'name = "x"', "line 3, name: there is no key", "one of"),
        ("nodes = 3", "fault = 3", "not TOML", ""),
        ('family = "test"\n', "", "my.toml, family: 'family' is missing", ""),
        ('"Why?"', '"Because."', "line 1, question", "ends with '?'"),
        ('kind = "kill"', 'kind = "kil"', "line 10, fault[0].kind: there is no fault 'kil'", "did you mean 'kill'?"),
        ('kind = "kill"\n', "", "line 9, fault[0]: 'kind' is missing", ""),
        ("at_s = 2", "at_s = -2", "line 11, fault[0].at_s: -2 s", "from 0 to 3,600 s"),
        ("at_s = 2", "at_s = 10", "line 11, fault[0].at_s: 10 s", "less than load.seconds (10)"),
        ("at_s = 2", "at_s = nan", "line 11, fault[0].at_s: nan s", "from 0 to 3,600 s"),
        ("at_s = 2", "at_x = 2", "line 11, fault[0].at_x", "did you mean 'at_s'?"),
        ("heal_after_s = 3", "heal_after_s = 0", "line 12, fault[0].heal_after_s: 0 s", "from 0.001 to 3,600 s"),
        ("heal_after_s = 3", "heal_after_s = 9", "line 12, fault[0].heal_after_s", "at most load.seconds (10)"),
        ("heal_after_s = 3", 'heal_after_s = 3\nvictim = "n4"', "line 13, fault[0].victim", "any, n1, n2, n3"),
        ("seconds = 10", "seconds = 10\nmix = {add = 'x'}", "line 8, load.mix.add", "Expected `float`, got `str`"),
        ("[load]", "[loads]", "line 5, loads: there is no key", "did you mean 'load'?"),
        ("[expect.redis]", "[expect.reddis]", "line 14, expect.reddis", "did you mean 'redis'?"),
        ('logged_out = "0"', 'loged_out = "0"', "line 15, expect.redis.loged_out", "did you mean 'logged_out'?"),
        ('logged_out = "0"', "logged_out = true", "line 15, expect.redis.logged_out", "got `bool`"),
        ('logged_out = "0"', 'logged_out = "U / "', "line 15, expect.redis.logged_out", "a number or formula"),
        ("seconds = 10", 'seconds = 10\nbehaviour = "two-tab"', "line 8, load.behaviour", "did you mean 'two-tabs'?"),
        ("seconds = 10", "seconds = 10\naddresses = -1", "line 8, load.addresses: -1 addresses", "from 0 to"),
        (
            "seconds = 10",
            'seconds = 10\nleavers = 0.5\nbehaviour = "replay"',
            "line 8, load.leavers: 0.5",
            "a logout would spoil",
        ),
        ("[[fault]]", "[settings]\nnode_worker = 2\n[[fault]]", "line 10, settings.node_worker", "'node_workers'?"),
        ("[[fault]]", "[settings]\nnode_workers = 0\n[[fault]]", "line 10, settings.node_workers: 0", "from 1 to 16"),
        ("[[fault]]", '[settings]\nnode_workers = "2"\n[[fault]]', "line 10, settings.node_workers", "Expected `int`"),
        ("[[fault]]", "[settings]\ndeep_health = 1\n[[fault]]", "line 10, settings.deep_health", "Expected `bool`"),
        ("[[fault]]", "[settings]\nstore_timeout_s = nan\n[[fault]]", "line 10, settings.store_timeout_s: nan", "from"),
        (
            "[[fault]]",
            '[settings]\nstore_eviction = "lru"\n[[fault]]',
            "line 10, settings.store_eviction",
            "one of noev",
        ),
        ("nodes = 3", "settings = 3", "line 3, settings", "Expected `object`"),
        ("nodes = 3", 'architectures = ["redis", "redis"]', "line 3, architectures: 'redis' is named twice", ""),
        ("nodes = 3", 'architectures = ["redis", "rediss"]', "line 3, architectures", "did you mean 'redis'?"),
        ("nodes = 3", "architectures = []", "line 3, architectures: none", "at least one"),
    ],
)
def test_every_slip_is_told_with_its_place_and_what_was_expected(old: str, new: str, place: str, expected: str) -> None:
    assert old in GOOD
    error = refused(GOOD.replace(old, new, 1))
    assert place in error.what
    assert expected in error.why


def test_settings_become_limits_and_what_is_not_set_stays() -> None:
    text = GOOD.replace("[[fault]]", "[settings]\nstore_distance_ms = 2\nregenerate_at_login = false\n[[fault]]")
    scenario = read(text)
    assert scenario.limits() == Limits(store_distance_ms=2.0, regenerate_at_login=False)
    assert read(GOOD).limits() == Limits()


@pytest.mark.parametrize("strikes", ["store", "replica", "balancer", "cluster"])
def test_a_fault_strikes_what_it_strikes_and_nothing_else(strikes: Strikes, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = type("Other", (Kill,), {"kind": "other", "strikes": strikes})()
    monkeypatch.setitem(FAULTS, "other", fault)
    other = GOOD.replace('"kill"', '"other"')
    for victim in ("any", strikes):
        read(other.replace("at_s = 2", f'at_s = 2\nvictim = "{victim}"'))
    error = refused(other.replace("at_s = 2", 'at_s = 2\nvictim = "n1"'))
    assert "line 12, fault[0].victim: there is no such victim 'n1'" in error.what
    assert error.why == f"one of any, {strikes}"


def test_the_mark_that_some_editors_begin_a_file_with_is_no_error() -> None:
    assert read("\ufeff" + GOOD) == read(GOOD)


def test_bytes_that_are_no_text_are_told_with_their_line() -> None:
    with pytest.raises(ScenarioError, match="line 2: not UTF-8"):
        read_scenario(b'question = "?"\nfamily = "\xff"\n', file="my.toml", name="my")


def test_every_weight_at_nothing_leaves_nothing_to_do() -> None:
    mix = "{browse = 0, add = 0, remove = 0, cart = 0, checkout = 0, me = 0}"
    error = refused(GOOD.replace("seconds = 10", f"seconds = 10\nmix = {mix}"))
    assert "nothing to do" in error.what


def test_the_smallest_scenario_of_the_docstring_is_one() -> None:
    import loadtests.model.scenario

    text = (loadtests.model.scenario.__doc__ or "").partition("The smallest one:")[2].replace("\n    ", "\n")
    assert read(text)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret.toml"
    file.write_text(GOOD)

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)  # by mode bits, root would not be refused
    with pytest.raises(ScenarioError, match="cannot read") as raised:
        load_scenario(str(file))
    assert raised.value.why == "Permission denied"


@pytest.mark.parametrize("scenario", all_scenarios(), ids=lambda scenario: scenario.name)
def test_what_is_written_is_read_as_the_same_scenario(scenario: Scenario) -> None:
    assert read_scenario(encode_scenario(scenario), file="scenario.toml", name=scenario.name) == scenario
