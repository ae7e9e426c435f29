"""What a cluster can be asked whatever runs it: all that is answered by what is written down, and by HTTP."""

from __future__ import annotations

import threading
from pathlib import Path

from compose.cluster import Cluster
from compose.cluster_file import ClusterFile, work_folder, write_cluster_file
from compose.ledger import Ledger
from compose.observing import held_by
from compose.recovery import is_own_folder, remove_own_folder
from shared.database_order import DatabaseOrder
from shared.errors import TwinshopError, UsageError
from shared.sessions import HeldSession


class WrittenCluster(Cluster):
    """A cluster by its file, `work/cluster.json`."""

    def __init__(self, folder: Path, written: ClusterFile, ledger: Ledger) -> None:
        self.folder = folder
        self.spec = written.spec
        self.url = written.url
        self.admin_url = written.admin_url
        self.written = written
        self.work = work_folder(folder)
        self._ledger = ledger
        self._struck: set[str] = set()
        self._lock = threading.RLock()
        self._stopped = False

    def _node_url(self, node: str) -> str:
        try:
            return self.written.node_urls[node]
        except KeyError:
            raise UsageError(
                f"there is no node {node!r} in this cluster",
                why=f"its nodes are {', '.join(self.written.node_urls)}",
                next_step="twinshop status",
            ) from None

    def held(self, node: str) -> list[HeldSession] | None:
        """The logged-in sessions that the node says it holds."""
        return held_by(self._node_url(node), self.written.control_token)

    def orders(self) -> list[DatabaseOrder]:
        """Every order in the database, by order id."""
        from shared.shop.database import read_orders  # costs 0.2 s to import: not at every start of the command line

        return read_orders(self.written.database_url)

    def write(self) -> None:
        """Write down what another process needs to attach."""
        write_cluster_file(self.folder, self.written)

    def _remove_work(self) -> None:
        """Remove `work/`.

        Raises:
            TwinshopError: it would not go.
        """
        remove_own_folder(self.work, self.spec.run)
        if is_own_folder(self.work, self.spec.run):
            raise TwinshopError(f"cannot remove {self.work}", next_step="remove it by hand")
