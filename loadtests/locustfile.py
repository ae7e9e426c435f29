"""The load process. By hand, with Locust's own web interface and any number of users:

    TWINSHOP_PASSWORD=... locust -f loadtests/locustfile.py --host http://127.0.0.1:PORT

`twinshop run` starts the same file with a plan (see `loadtests.load.worker_config`).
"""

import gc
import resource
import sys

import locust  # first of all: it patches the process

from loadtests.load.client import assert_strict
from loadtests.load.load_worker import OpenLoad, PlannedLoad
from loadtests.load.shopper import FreeShopper, PlannedShopper
from loadtests.load.worker_config import worker_config_from
from shared.errors import UsageError

CONNECTIONS = 32_768
"""One for each shopper, and some; Locust by itself asks for 10,000 at most."""


def allow_many_connections() -> None:
    """As many open files as the system lets us have, up to `CONNECTIONS`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS if hard == resource.RLIM_INFINITY else min(hard, CONNECTIONS)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


assert_strict()  # before anybody shops: a client that sends again in secret would hide what is to be counted
allow_many_connections()
try:
    _config = worker_config_from()
except UsageError as _error:  # Locust would show a traceback
    sys.exit(f"twinshop: {_error}")
_worker: OpenLoad | PlannedLoad

# Locust starts every class of users that it finds in this file, so only one of the two is ever made.
if _config.plan is None:
    _worker = _free = OpenLoad(_config)

    class Shopper(FreeShopper):
        """A free shopper."""

        worker = _free

else:
    _worker = _planned = PlannedLoad(_config)

    class Shopper(PlannedShopper):  # type: ignore[no-redef]
        """A shopper of the plan."""

        worker = _planned


for _event, _listener in (
    (locust.events.init, _worker.open),
    (locust.events.spawning_complete, _worker.everybody_is_here),
    (locust.events.user_error, _worker.stumbled),
    (locust.events.quit, _worker.close),
):
    _event.add_listener(_listener)  # type: ignore[no-untyped-call]

gc.freeze()  # what is here by now stays: no look for garbage has to pass over it
gc.enable()
