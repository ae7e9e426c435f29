"""What the contracts of the shop have in common: each is inherited once for every session store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.shared.shops import Node, node


class StoreContract:
    """One node of a shop on the store that a subclass names."""

    store: str

    @pytest.fixture
    def store_settings(self) -> dict[str, Any]:
        """What the store needs besides its name."""
        return {}

    @pytest.fixture
    def shop(self, tmp_path: Path, store_settings: dict[str, Any]) -> Node:
        return node(tmp_path, self.store, **store_settings)
