"""Phones of the room: in a network of their own, from which there is a way to the workshop and to nothing else."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from compose.running import new_run_id
from compose.supervision.ledger import Ledger
from loadtests.workshop.rehearsal.other_device import OtherDevice, other_device, why_no_other_device
from tests.browsers import NO_CHROMIUM, chromium_program

SHOWN_WITHIN_MS = 40_000
PHONE = {"width": 390, "height": 800}


@contextmanager
def another_network(state: Path, addresses: int = 1) -> Iterator[OtherDevice]:
    """Without root there is none, and the test is skipped; in continuous integration it fails."""
    if why := why_no_other_device():
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
    program = chromium_program()
    assert program is not None, NO_CHROMIUM
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

    def opens_the_cart(self, side: str) -> None:
        """By the workshop's page."""
        self.page.locator(f'#shop-links [data-side="{side}"]').get_by_role("link", name="your cart").click()

    def logs_in(self, side: str) -> Page:
        """One press; the shop opens beside the dashboard, and knows who it is."""
        button = self.page.get_by_role("button", name=f"Log in to the {side} shop")
        expect(button).to_be_visible()
        with self.context.expect_page() as opened:
            button.click()
        shop = opened.value
        expect(shop.locator("footer")).to_contain_text("Your session lives")
        return shop
