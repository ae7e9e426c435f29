"""Whose cookies one shopper's visit has, jar by jar, and what its actions do to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loadtests.load.cookies import Forgotten, stands_in
from loadtests.model.history import Do, Jar, Why
from loadtests.model.plan import Action

if TYPE_CHECKING:  # imports gevent, which patches the process
    from loadtests.load.client import StrictSession

CHANGES_JARS: frozenset[Do] = frozenset({"login", "logout", "arrive"})
"""What `before` and `after` need be told of; nothing else does anything to a jar but send it."""


class ShopperJars:
    """The jars of one visit. Only the shopper's own, `main`, is there from the beginning."""

    def __init__(self, browser: StrictSession) -> None:
        self._browser = browser
        self._filled: set[Jar] = {"main"}
        self._logins = 0

    def has(self, jar: Jar) -> bool:
        """Whether anything was ever put into it; the shopper's own always counts."""
        return jar in self._filled

    def before(self, action: Action, why: Why) -> None:
        """Make them ready for an action that is about to be sent."""
        if action.jar != "main":
            return
        if action.do == "login" and why == "plan":
            self._logins += 1
            if self._logins > 1:  # another visit, and to the shop somebody who was never here before
                self._browser.pocket("main").empty()
        elif action.do == "logout":
            # Before it is sent: the answer may take the cookies away, and a copy of nothing proves nothing.
            self.copy_to("stolen")

    def after(self, action: Action) -> None:
        """Take in that an action was answered well."""
        if action.jar != "main":
            self._filled.add(action.jar)
            if action.do == "arrive":
                self._browser.pocket("main").fill_from(self._browser.pocket(action.jar))

    def copy_to(self, jar: Jar) -> None:
        """Give that jar the cookies that the shopper's own has now."""
        self._browser.pocket(jar).fill_from(self._browser.pocket("main"))
        self._filled.add(jar)

    def forget(self, what: Forgotten) -> None:
        """Lose the balancer's cookies of the shopper's own jar, or all others."""
        self._browser.pocket("main").forget(what)

    def shows(self, name: str, jar: Jar) -> bool:
        """Whether somebody without a key can read that name in the jar's cookies."""
        return stands_in(name, self._browser.pocket(jar).by_name().values())
