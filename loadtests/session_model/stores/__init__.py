"""What each session store knows: one file of rules for each, found by the store's name."""

from loadtests.session_model.stores.contract import Outlived, StoreRules, UnknownRules
from loadtests.session_model.stores.denylist import DenylistRules
from loadtests.session_model.stores.memory import MemoryRules
from loadtests.session_model.stores.redis import RedisRules, SharedRules
from loadtests.session_model.stores.refresh import RefreshDatabaseRules, RefreshRules
from loadtests.session_model.stores.replicated import ReplicatedRules
from loadtests.session_model.stores.token import TokenRules
from loadtests.session_model.timeline import RunTimeline

RULES: dict[str, StoreRules] = {
    "memory": MemoryRules(),
    "replicated": ReplicatedRules(),
    "token": TokenRules(),
    "denylist": DenylistRules(),
    "redis": RedisRules(),
    "refresh": RefreshRules(),
    "refresh-database": RefreshDatabaseRules(),
    "shared": SharedRules(),
    "unknown": UnknownRules(),
}
"""By the store's name (`compose.architectures.Store`)."""


def rules_of(run: RunTimeline) -> StoreRules:
    """Those of the store in which its sessions live; of a cluster that was never ready nobody knows which."""
    return RULES[run.store or "unknown"]


__all__ = ["RULES", "Outlived", "StoreRules", "rules_of"]
