"""Phones of the room: in a network of their own, from which there is a way to the workshop and to nothing else."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests
from playwright.sync_api import Browser, Page, expect, sync_playwright
from requests.adapters import HTTPAdapter

from compose.running import new_run_id
from compose.supervision.ledger import Ledger
from loadtests.workshop.rehearsal.other_device import OtherDevice, other_device, why_not

SHOWN_WITHIN_MS = 40_000
PHONE = {"width": 390, "height": 800}


@contextmanager
def another_network(state: Path, addresses: int = 1) -> Iterator[OtherDevice]:
    """Without root there is none, and the test is skipped; in continuous integration it fails."""
    if why := why_not():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"no second device: {why}")
    ledger = Ledger.open(state, new_run_id())
    try:
        with other_device(ledger, addresses) as device:
            yield device
    finally:
        ledger.close()


@contextmanager
def phones(device: OtherDevice, folder: Path) -> Iterator[Browser]:
    """A real Chromium over there: its pages reach what that network reaches."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program is not None, "no Chromium on this machine (apt-get install chromium)"
    start = folder / "chromium-over-there"
    start.write_text(f'#!/bin/sh\nexec {shlex.join(device.words([program]))} "$@"\n')
    start.chmod(0o755)
    expect.set_options(timeout=SHOWN_WITHIN_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=start, args=["--no-sandbox"])
        yield browser
        browser.close()


class Phone:
    """One person with one phone."""

    def __init__(self, browser: Browser, name: str) -> None:
        self.name = name
        self.context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
        self.page = self.context.new_page()
        self.trouble: list[str] = []
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))

    def joins(self, url: str, code: str) -> None:
        self.page.goto(url)
        self.page.get_by_label("The code on the instructor’s screen").fill(code)
        self.page.get_by_label("A name for the screen").fill(self.name)
        self.page.get_by_role("button", name="Join").click()
        expect(self.page.locator("#round-title")).to_have_text("Kill one of three")

    def predicts(self) -> None:
        form = self.page.locator("#prediction")
        expect(form).to_be_visible()
        for field in form.locator("input[type=number]").all():
            field.fill("2")
        form.locator("label.choice").last.click()
        form.get_by_label("Say what the dead node had").fill("a guess")
        form.get_by_role("button", name="Commit my prediction").click()
        expect(form).to_be_hidden()

    def logs_in(self, side: str) -> Page:
        """One press; the shop opens beside the dashboard, and knows who it is."""
        button = self.page.get_by_role("button", name=f"Log in to the {side} shop")
        expect(button).to_be_visible()
        with self.context.expect_page() as opened:
            button.click()
        shop = opened.value
        expect(shop.locator("footer")).to_contain_text("Your session lives")
        return shop


CLONE_NEWNET = 0x40000000
T = TypeVar("T")


def over_there(device: OtherDevice, do: Callable[[], T]) -> T:
    """Do it in a thread that is over there: sockets that it opens are of that network."""

    def there() -> T:
        with Path(device.network).open() as network:
            if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "cannot enter the other network")
        return do()

    with ThreadPoolExecutor(1) as one:
        return one.submit(there).result()


class _From(HTTPAdapter):
    """Asks from that address."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more, source_address=(self._address, 0))


class ScriptedPhone:
    """Somebody with a cookie jar at one of the other device's addresses; no browser."""

    def __init__(self, device: OtherDevice, home: str, number: int = 0) -> None:
        self.device = device
        self.home = home
        self.address = device.own[number]
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.mount("http://", _From(self.address))

    def ask(self, method: str, path: str, *, to: str = "", **more: Any) -> requests.Response:
        """As a program asks; `to`: another server than the dashboard."""
        headers = {"Accept": "application/json", **more.pop("headers", {})}
        url = (to or self.home) + path

        def asked() -> requests.Response:
            request = requests.Request(method, url, headers=headers, cookies=None, **more)
            prepared = self.session.prepare_request(request)
            prepared.url = url  # as it was typed: nobody tidies it up on the way
            return self.session.send(prepared, timeout=15, allow_redirects=False)

        return over_there(self.device, asked)

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.ask("GET", path, **more)

    def post(self, path: str, body: object, **more: Any) -> requests.Response:
        headers = {"Origin": more.get("to") or self.home, **more.pop("headers", {})}
        return self.ask("POST", path, json=body, headers=headers, **more)

    def joins(self, code: str, name: str = "") -> requests.Response:
        return self.post("/join", {"code": code, "name": name})

    def predicts(self, **fields: Any) -> requests.Response:
        answers = {"left": "2", "right": "0", "you": "right"}
        return self.post("/api/predictions", {"answers": answers, "reason": "so", **fields})

    def me(self) -> dict[str, Any]:
        told: dict[str, Any] = self.get("/api/me").json()
        return told

    def logs_in(self, shop: str) -> requests.Response:
        me = self.me()
        return self.post("/login", {"user": me["user"], "password": me["password"]}, to=shop)
