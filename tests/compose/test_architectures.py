from __future__ import annotations

import msgspec
import pytest

from compose.applications.contract import NodeSetup
from compose.applications.twins import Twins, session_cookie
from compose.architectures import ARCHITECTURES, architecture_named
from compose.cluster import ClusterSpec, Limits
from compose.supervision.ports import Listen
from shared.errors import UsageError
from shared.shop.settings import Settings


def environment(name: str) -> dict[str, str]:
    setup = NodeSetup(
        "n2",
        Listen("127.0.0.1", 8101),
        database_url="sqlite:///x.db",
        secret_key="s" * 32,
        control_token="token",
        request_log="/logs/n2.requests.ndjson",
        store_url="redis://127.0.0.1:1/0" if name == "redis" else "",
    )
    return Twins().environment(ClusterSpec("0123abcd", ARCHITECTURES[name]), setup)


def test_architectures_are_found_by_name() -> None:
    for name, architecture in ARCHITECTURES.items():
        assert architecture_named(name) is architecture
        assert architecture.summary.endswith(".")
    with pytest.raises(UsageError, match="no architecture named 'stickymemory'") as raised:
        architecture_named("stickymemory")
    assert "sticky-memory" in raised.value.why


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_the_shop_understands_every_setting(name: str) -> None:
    settings = Settings.from_environment(environment(name))
    known = {f"TWINSHOP_{field.name.upper()}" for field in msgspec.structs.fields(Settings)}
    assert set(environment(name)) <= known
    assert (settings.node, settings.run, settings.architecture) == ("n2", "0123abcd", name)
    assert settings.store == ARCHITECTURES[name].store
    assert settings.cookie_name == session_cookie(ClusterSpec("0123abcd", ARCHITECTURES[name]))
    limits = Limits()
    shared = set(settings.__struct_fields__) & set(limits.__struct_fields__)
    assert {field: getattr(settings, field) for field in shared} == {field: getattr(limits, field) for field in shared}
