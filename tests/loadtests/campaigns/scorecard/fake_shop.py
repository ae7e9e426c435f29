"""A shop of dictionaries that keeps every requirement, and one for each requirement that breaks it."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from typing import Any, Literal

from loadtests.campaigns.scorecard.requirements import ABSOLUTE_S, IDLE_S, DoorVisitor, ShopDoor
from loadtests.load.answers import HttpRequest

PASSWORD = "shop"
SECRET = "the shop's own"


class FakeShop(ShopDoor):
    """Sessions are reference tokens; time passes when somebody waits for it, for each account by itself."""

    def __init__(self) -> None:
        self.password = PASSWORD
        self.sessions: dict[str, dict[str, Any]] = {}
        self.now: dict[str, float] = {}
        self.passwords: dict[str, str] = {}
        self.lock = threading.RLock()

    # what each broken twin changes one of

    def new_token(self, user: str) -> str:
        return secrets.token_hex(16)

    def found(self, token: str) -> dict[str, Any] | None:
        return self.sessions.get(token)

    def end(self, token: str) -> None:
        self.sessions.pop(token, None)

    def is_over(self, session: dict[str, Any], now: float) -> bool:
        idle = now - session["used"] >= IDLE_S
        return idle or now - session["opened"] >= ABSOLUTE_S

    def log_in(self, user: str, before: str) -> str:
        self.end(before)
        return self.open(user)

    def log_out(self, token: str) -> None:
        self.end(token)

    def end_user(self, user: str, but: str = "") -> None:
        for token in [each for each, held in self.sessions.items() if held["user"] == user and each != but]:
            self.end(token)

    def on_disable(self, user: str) -> None:
        self.end_user(user)

    def on_password(self, user: str, token: str) -> None:
        self.end_user(user, but=token)

    def on_administrator(self, user: str) -> None:
        self.end_user(user)

    def on_end_one(self, name: str) -> None:
        self.end(next(token for token in self.sessions if digest(token) == name))

    # the shop

    def open(self, user: str) -> str:
        token, now = self.new_token(user), self.now.get(user, 0.0)
        self.sessions[token] = {"user": user, "opened": now, "used": now}
        return token

    def ask(self, visitor: DoorVisitor, asked: HttpRequest) -> tuple[int, dict[str, Any]]:
        path, body = asked.path, json.loads(asked.body or b"{}")
        with self.lock:
            token = visitor.cookies.get("session", "")
            if path == "/login":
                if body["password"] != self.passwords.get(visitor.user, PASSWORD):
                    return 401, {}
                visitor.cookies["session"] = self.log_in(visitor.user, token)
                return 200, {}
            session, now = self.found(token), self.now.get(visitor.user, 0.0)
            if session is None or self.is_over(session, now):
                return 401, {}
            session["used"] = now
            return self.answer(path, session["user"], token, body)

    def answer(self, path: str, user: str, token: str, body: dict[str, object]) -> tuple[int, dict[str, Any]]:
        if path == "/logout":
            self.log_out(token)
        elif path == "/password":
            self.passwords[user] = str(body["new"])
            self.on_password(user, token)
        elif path == "/sessions":
            own = [each for each, held in self.sessions.items() if held["user"] == user]
            return 200, {"sessions": [{"session": digest(each), "current": each == token} for each in own]}
        elif path.startswith("/sessions/"):
            self.on_end_one(path.split("/")[2])
        return 200, {}

    def administer(self, user: str, what: Literal["end", "disable"]) -> str:
        with self.lock:
            (self.on_disable if what == "disable" else self.on_administrator)(user)
            return "n1: 200"

    def bystander(self, user: str) -> DoorVisitor:
        return self.visitor(f"beside {user}")

    def wait(self, user: str, seconds: float) -> None:
        self.now[user] = self.now.get(user, 0.0) + seconds


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:12]


class BelievesTheCookie(FakeShop):
    """7.2.1: whoever it is, the cookie's beginning says so."""

    def found(self, token: str) -> dict[str, Any] | None:
        alike = [each for each in self.sessions if each[:4] == token[:4]]
        return self.sessions[alike[0]] if alike else None


class OneTokenForAll(FakeShop):
    """7.2.2: a user's token is made of the name, and is always the same."""

    def new_token(self, user: str) -> str:
        return hashlib.sha256(f"{SECRET}{user}".encode()).hexdigest()


class CountsUp(FakeShop):
    """7.2.3: tokens are numbers."""

    def new_token(self, user: str) -> str:
        return f"{len(self.sessions) + 1:08d}"


class KeepsTheOld(FakeShop):
    """7.2.4: a login ends nothing."""

    def log_in(self, user: str, before: str) -> str:
        return self.open(user)


class NeverIdle(FakeShop):
    """7.3.1: who does nothing stays."""

    def is_over(self, session: dict[str, Any], now: float) -> bool:
        return bool(now - session["opened"] >= ABSOLUTE_S)


class NeverOld(FakeShop):
    """7.3.2: who does something stays."""

    def is_over(self, session: dict[str, Any], now: float) -> bool:
        return bool(now - session["used"] >= IDLE_S)


class OnlyForgetsTheCookie(FakeShop):
    """7.4.1: a logout is for the browser to carry out."""

    def log_out(self, token: str) -> None:
        pass


class DisablesLogins(FakeShop):
    """7.4.2: who is inside stays inside."""

    def on_disable(self, user: str) -> None:
        pass


class ChangesThePassword(FakeShop):
    """7.4.3: and nothing else."""

    def on_password(self, user: str, token: str) -> None:
        pass


class HasNoAdministrator(FakeShop):
    """7.4.5: none who could end a session."""

    def on_administrator(self, user: str) -> None:
        pass


class OnlyShowsTheList(FakeShop):
    """7.5.2: a list, and buttons that do nothing."""

    def on_end_one(self, name: str) -> None:
        pass


BROKEN: dict[str, type[FakeShop]] = {
    "7.2.1": BelievesTheCookie, "7.2.2": OneTokenForAll, "7.2.3": CountsUp, "7.2.4": KeepsTheOld,
    "7.3.1": NeverIdle, "7.3.2": NeverOld, "7.4.1": OnlyForgetsTheCookie, "7.4.2": DisablesLogins,
    "7.4.3": ChangesThePassword, "7.4.5": HasNoAdministrator, "7.5.2": OnlyShowsTheList,
}  # fmt: skip
