"""What runs behind the balancer: how its nodes are started, asked, and told what to suffer from."""

from __future__ import annotations

from compose.applications.contract import Application
from compose.applications.twins import Twins

APPLICATIONS: dict[str, Application] = dict.fromkeys(("stateful_app", "stateless_app"), Twins())
"""By what an architecture calls them."""
