"""What runs behind the balancer: how its nodes are started, asked, and told what to suffer from."""

from compose.applications.contract import Application
from compose.applications.described import DescribedApplication
from compose.applications.twins import Twins
from compose.cluster import ClusterSpec

SHIPPED: Application = Twins()
"""What is under test unless somebody describes something else."""


def application_of(spec: ClusterSpec) -> Application:
    """What runs in that cluster."""
    return SHIPPED if spec.application is None else DescribedApplication(spec.application)
