"""The balancer's configuration for the compose files by hand: `python -m compose.hand_files` writes it anew.

It is made by the same code as for every engine, once, because nobody is there to make it when a person says
`docker compose up`. A test says whether it is up to date.
"""

from pathlib import Path

from compose.applications import SHIPPED
from compose.architectures import ARCHITECTURES
from compose.balancers.contract import Site
from compose.balancers.envoy_config import bootstrap
from compose.cluster import ClusterSpec
from compose.supervision.ports import Listen

FOLDER = Path(__file__).parent
RUN = "by-hand"
# Each compose file, and the architecture whose routing it shows; `redis` is routed as `signed-token` is.
SHOPS = {"stateful": "sticky-memory", "stateless": "signed-token"}


def files() -> dict[Path, bytes]:
    """Each file and what it should hold."""
    return {FOLDER / f"balancer-{shop}.json": _configuration(name) + b"\n" for shop, name in SHOPS.items()}


def _configuration(architecture: str) -> bytes:
    spec = ClusterSpec(RUN, ARCHITECTURES[architecture])
    listen, admin = Listen("0.0.0.0", 8080), Listen("0.0.0.0", 9901)  # inside; the compose files publish on 127.0.0.1
    site = Site(spec, SHIPPED.http, listen, admin, folder=Path("/etc"), access_log=Path("/dev/stdout"))
    # The service's name: Docker answers with the address of every container of it, however many there are.
    return bootstrap(site, nodes=Listen("node", 8000))


if __name__ == "__main__":
    for path, content in files().items():
        path.write_bytes(content)
