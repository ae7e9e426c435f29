"""Another device of the room, as far as one machine can be two: a network namespace of its own, joined to ours by a
pair of virtual interfaces and by nothing else. What runs in it reaches this machine, and this machine only.

The namespace is that of a process, and has no name: when the process is gone, whatever ends it, so are both interfaces.
"""

import ctypes
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from compose.supervision.child import spawn
from compose.supervision.ledger import Ledger
from shared.errors import EnvironmentNotReady

T = TypeVar("T")
CLONE_NEWNET = 0x40000000  # of <sched.h>: Python has no name for it before 3.12
NETWORK = "198.18"  # set apart for tests of networks (RFC 2544): no room has addresses of it
PROGRAMS = ("ip", "unshare", "nsenter")
WITHIN_S = 5.0
LOOK_S = 0.02
HERE, FIRST = 1, 2


class OtherDevice:
    """One that is there."""

    def __init__(self, pid: int, network: str, addresses: int) -> None:
        self.network = f"/proc/{pid}/ns/net"
        self.address = f"{network}.{HERE}"
        """This machine's, in the network of both."""
        self.own = tuple(f"{network}.{FIRST + number}" for number in range(addresses))
        """Its own: as many devices as it can stand for."""

    def words(self, command: Sequence[str]) -> list[str]:
        """The command that runs one over there."""
        return ["nsenter", f"--net={self.network}", "--", *command]

    def call(self, do: Callable[[], T]) -> T:
        """Do it in a thread that is over there: sockets that it opens are of that network."""

        def there() -> T:
            with Path(self.network).open() as network:
                if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "cannot enter the other network")
            return do()

        with ThreadPoolExecutor(1) as one:  # `setns` moves one thread only, and that one never comes back: it ends here
            return one.submit(there).result()


def why_no_other_device() -> str:
    """Why there can be no other device here; "" if there can."""
    if missing := [program for program in PROGRAMS if shutil.which(program) is None]:
        return f"it takes Linux with {' and '.join(missing)}"
    return "" if os.geteuid() == 0 else "only root may make a network"


@contextmanager
def other_device(ledger: Ledger, addresses: int = 1) -> Iterator[OtherDevice]:
    """One with that many addresses, for as long as the context lasts.

    Raises:
        EnvironmentNotReady: there can be none here.
    """
    if why := why_no_other_device():
        raise EnvironmentNotReady("there is no second device here", why=why, next_step="do without it")
    words = ["unshare", "--net", "sleep", "infinity"]
    # It does nothing but be there: the network is its own, and ends with it, whoever ends it.
    holder = spawn(ledger, "other device", words, env={}, log=Path(os.devnull), cwd=Path("/"))
    try:
        _await_namespace(holder.pid)
        # By chance: two rehearsals on one machine must not have one network.
        device = OtherDevice(holder.pid, f"{NETWORK}.{random.SystemRandom().randrange(1, 255)}", addresses)
        _join(device, holder.pid)
        yield device
    finally:
        holder.kill()
        holder.gone(WITHIN_S)


def _join(device: OtherDevice, pid: int) -> None:
    ours, theirs = f"tw{pid}a", f"tw{pid}b"
    _run("ip", "link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", str(pid))
    _run("ip", "address", "add", f"{device.address}/24", "dev", ours)
    _run("ip", "link", "set", ours, "up")
    for own in device.own:
        _run(*device.words(["ip", "address", "add", f"{own}/24", "dev", theirs]))
    for interface in ("lo", theirs):
        _run(*device.words(["ip", "link", "set", interface, "up"]))


def _await_namespace(pid: int) -> None:
    until = time.monotonic() + WITHIN_S
    # `unshare` is there before its network is: an interface given to it too early would stay in ours.
    while Path(f"/proc/{pid}/ns/net").readlink() == Path("/proc/self/ns/net").readlink():
        if time.monotonic() > until:
            raise EnvironmentNotReady("no second network was made", why="unshare does not say")
        time.sleep(LOOK_S)


def _run(*command: str) -> None:
    try:
        subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        why = getattr(error, "stderr", "") or str(error)
        raise EnvironmentNotReady(
            "no second network can be made", why=why.strip(), next_step="do without it"
        ) from error
