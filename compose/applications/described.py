"""An application that somebody described: its nodes are commands, of which nothing is known but what they answer."""

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from compose.applications.compose_file import ComposeService, compose_service
from compose.applications.confidential import blank_in_logs, passwords_of
from compose.applications.contract import Application, ApplicationCapabilities, NodeSetup
from compose.cluster import ClusterSpec, HttpInterface, Reply
from compose.description import PLACES, Description, variant_name, variant_of
from compose.probes import PROBE_S, SelfReport, Unanswered, ask, ask_page
from compose.supervision.ports import HOST
from compose.supervision.waiting import not_ready

PREPARED_WITHIN_S = 60.0  # making tables and accounts takes no longer
_PLACE = re.compile(r"\{(" + "|".join(PLACES) + r")\}")


class DescribedApplication(Application):
    """Grade B: its shoppers and the balancer in front of it tell all that is known; C, if it runs already."""

    if_not_ready = "; look at `ready` and `ready_within_s` in its description"

    def __init__(self, description: Description) -> None:
        self._it = description
        self._service: ComposeService | None = None
        self.home = description.folder
        self.interface = description.interface()
        running = description.running is not None
        self.can = ApplicationCapabilities(behind_our_balancer=not running)
        self.http = HttpInterface(description.who.path if running else description.nodes.ready, host=HOST)

    def command(self, spec: ClusterSpec, setup: NodeSetup, python: str = sys.executable) -> list[str]:
        """As described, with its words filled in."""
        assert self._it.node is not None  # a service is run by the engine docker, and what runs already by nobody
        return filled_places(self._it.node.command, _words(self._it, spec, setup))

    def service(self) -> ComposeService | None:
        """As its compose file has it, read once."""
        described = self._it.service
        if described is not None and self._service is None:
            self._service = compose_service(Path(self._it.folder) / described.compose, described.name)
        return self._service

    def environment(self, spec: ClusterSpec, setup: NodeSetup) -> dict[str, str]:
        """What the description says, and what the variant says beyond that."""
        asked = {**self._it.nodes.env, **variant_of(self._it, spec.architecture.name).env}
        words = _words(self._it, spec, setup)
        if self._it.node is not None:
            own = Path(words["own"])
            shutil.rmtree(own, ignore_errors=True)  # what a node keeps on its disk goes with it, as with a container
            own.mkdir(parents=True)
        return dict(zip(asked, filled_places(list(asked.values()), words), strict=True))

    def before_start(self, spec: ClusterSpec, setup: NodeSetup, log: Path) -> None:
        """Run the command that makes tables and accounts."""
        if self._it.node is None or not self._it.node.prepare:
            return
        command = filled_places(self._it.node.prepare, _words(self._it, spec, setup))
        environment = self.environment(spec, setup)
        with log.open("ab") as output:
            why = run_within(command, {**os.environ, **environment}, self.home, output, PREPARED_WITHIN_S)
        if why:
            raise not_ready(f"the preparation of {self._it.name}", f"the command {command[0]} {why}", log)

    def blank(self, logs: Mapping[str, Path], secrets: Iterable[str]) -> None:
        """What it and its preparation print is not ours to choose."""
        blank_in_logs(self._it, logs, (*passwords_of(self._it), *secrets))

    def health(self, url: str, run: str) -> SelfReport:
        """Ask for the page that answers 200 when it is ready; it names no start of its own."""
        where = urlsplit(url).netloc
        try:
            status = ask(f"{url}{self.http.health}", within_s=PROBE_S).status
        except Unanswered as silence:
            return SelfReport.silence(where, silence)
        return SelfReport(status == 200, None, f"{where}{self.http.health}: {status}")

    def probe(self, url: str) -> Reply:
        """Ask for the same page."""
        return ask_page(url, self.http.health, {"X-Request-Id": f"probe-{secrets.token_hex(4)}"})


def filled_places(texts: Sequence[str], words: Mapping[str, str]) -> list[str]:
    """The texts with the words of `PLACES` filled in, as far as they are known."""
    # Not by `format`: braces that are no such word (JSON in an argument) stay as they are.
    return [_PLACE.sub(lambda found: words.get(found[1], found[0]), text) for text in texts]


def run_within(
    command: Sequence[str], environment: Mapping[str, str], folder: str, output: IO[bytes] | int, within_s: float
) -> str:
    """Run a command to its end; why it went wrong, in words, or "". Nothing of it is left, however it ends."""
    try:
        process = subprocess.Popen(
            list(command), env=dict(environment), cwd=folder or None, stdin=subprocess.DEVNULL, stdout=output,
            stderr=output, start_new_session=True,  # a group of its own: what it leaves behind is found by that
        )  # fmt: skip
    except OSError as error:
        return f"cannot be started: {error.strerror or error}"
    try:
        code = process.wait(within_s)
        return f"ended with exit code {code}" if code else ""
    except subprocess.TimeoutExpired:
        return f"did not end within {within_s:.0f} s"
    finally:
        end_group(process)


def end_group(process: subprocess.Popen[Any]) -> None:
    """Kill a process that leads a group, and whatever it has started in it."""
    with suppress(ProcessLookupError):  # it has ended, and left nobody
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _words(description: Description, spec: ClusterSpec, setup: NodeSetup) -> dict[str, str]:
    return {
        "python": sys.executable,
        "run": spec.run,
        "count": str(spec.accounts),
        "host": setup.listen.host,
        "port": str(setup.listen.port),
        "node": setup.node,
        "variant": variant_name(description, spec.architecture.name),
        "store": setup.store_url,
        "store_port": str(urlsplit(setup.store_url).port or ""),
        "shared": setup.folder,
        "own": str(Path(setup.folder) / setup.node),
        "secret": setup.secret_key,
        "peer": setup.replica_self,
        "peers": setup.replica_peers,
    }
