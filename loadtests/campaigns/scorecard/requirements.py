"""Requirements of OWASP ASVS 5.0, chapter V7 (session management), that can be executed; in our own words.

Source: https://github.com/OWASP/ASVS/blob/v5.0.0/5.0/en/0x16-V7-Session-Management.md (CC BY-SA 4.0). Each is a
generator: what comes before its `yield` happens while all is well, what comes after it in the state that is asked
about. So a session is opened, something breaks, and then it is logged out. That a session is refused shows that it was
ended only if one that nobody ended is not: a bystander's, opened just before it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

import msgspec
import requests

from compose.applications import SHIPPED, application_of
from compose.engines.cluster_file import read_cluster_file
from compose.engines.contract import Cluster
from loadtests.load.answers import HttpRequest
from loadtests.load.calls import request_for
from loadtests.load.cookies import NODE_COOKIES, stands_in
from shared.demo_accounts import account_name, account_number

# How long sessions live in the shop that is asked; short, since the requirements wait for their ends.
IDLE_S, ABSOLUTE_S, ACCESS_S = 5, 10, 2.0
ANSWERS_WITHIN_S = 6.0

CellWord = Literal["pass", "fail", "not applicable"]


class Finding(msgspec.Struct, frozen=True):
    """What came of one requirement, on one architecture, in one state."""

    word: CellWord
    witness: str
    """What was asked and what came back, in a sentence."""


@dataclass
class DoorVisitor:
    """One browser: an account, and the cookies that it was given, kept by name alone: everything is on one host."""

    door: ShopDoor
    user: str
    cookies: dict[str, str] = field(default_factory=dict)

    def do(self, action: str, **words: str | int) -> tuple[int, dict[str, Any]]:
        """Status and document; 0 if nobody answered. Takes the cookies that come."""
        told = {"user": self.user, "password": self.door.password, **words}
        return self.door.ask(self, request_for(SHIPPED.interface, action, **told))

    def login(self) -> bool:
        """Whether it is logged in from now on."""
        return self.do("login")[0] == 200

    def me(self) -> int:
        """The status with which it is told who it is: 200 if the shop knows."""
        return self.do("me")[0]

    def copy(self) -> DoorVisitor:
        """Another browser with the same cookies."""
        return DoorVisitor(self.door, self.user, dict(self.cookies))

    @property
    def tokens(self) -> dict[str, str]:
        """Its cookies but for the balancer's, which lead to a node and say nothing of a session."""
        return {name: value for name, value in self.cookies.items() if not name.startswith(NODE_COOKIES)}


class ShopDoor:
    """What the requirements ask of a cluster's shop: visitors, an administrator, and time that passes."""

    def __init__(self, cluster: Cluster) -> None:
        self.password = cluster.spec.password
        self._cluster = cluster
        self._application = application_of(cluster.spec)
        self._token = read_cluster_file(cluster.folder).control_token

    def visitor(self, user: str) -> DoorVisitor:
        """Somebody new."""
        return DoorVisitor(self, user)

    def bystander(self, user: str) -> DoorVisitor:
        """Somebody else than that user and everybody else's bystander: from the second half of the accounts."""
        return self.visitor(account_name(account_number(user) + self._cluster.spec.accounts // 2))

    def ask(self, visitor: DoorVisitor, asked: HttpRequest) -> tuple[int, dict[str, Any]]:
        """Send one request, once, with the visitor's cookies, and give it those that come back."""
        try:
            answer = requests.request(
                asked.method, f"{self._cluster.url}{asked.path}", data=asked.body, headers=asked.headers,
                cookies=visitor.cookies, timeout=ANSWERS_WITHIN_S,
                allow_redirects=False,  # asked for is this answer, and not the page that a redirect leads to
            )  # fmt: skip
        except requests.RequestException:
            return 0, {}
        visitor.cookies.update(answer.cookies.get_dict())
        try:
            told = msgspec.json.decode(answer.content)
        except msgspec.DecodeError:
            told = {}
        return answer.status_code, told if isinstance(told, dict) else {}

    def administer(self, user: str, what: Literal["end", "disable"]) -> str:
        """Tell every node, for what is in its memory no other can end; what they said, in words."""
        said = []
        for node in self._cluster.nodes():
            status = self._application.administer(node.url, self._token, user, what)
            said.append(f"{node.name}: {status or 'no answer'}")
        return ", ".join(said)

    def wait(self, user: str, seconds: float) -> None:
        """Let time pass, for that account at least."""
        time.sleep(seconds)


# --- the requirements -------------------------------------------------------------------------------------------------


Steps = Generator[None, None, Finding]
ENTROPY_BITS = 128
LOGINS = 8
AT_ONCE_S = 1.1  # a signed token is dated to the second: two of one second would be the same to the letter
BEAT_S, SPARE_S = 0.4, 1.5
NO_LIST = (404, 405, 501)
"""A shop that has no list of one's own sessions, or cannot make one, says so."""
PASS: Final = "pass"
FAIL: Final = "fail"
NOT_APPLICABLE: Final = "not applicable"


class Requirement(NamedTuple):
    """One requirement."""

    number: str
    asks: str
    """What it asks, in one sentence."""
    steps: Callable[[ShopDoor, str], Steps]
    """From a shop and the account that is this requirement's own."""


def _verified_by_the_backend(door: ShopDoor, user: str) -> Steps:
    visitor = _logged_in(door, user)
    yield
    status = 0
    for name, value in visitor.tokens.items():  # each alone: another one must not make up for what was forged
        forged = DoorVisitor(door, user, {**_others(visitor), name: altered(value)})
        if (status := forged.me()) == 200:
            return Finding(FAIL, f"a token with another letter in its middle ({name}) was answered 200")
    return Finding(PASS, f"tokens with another letter in their middle were answered {status}")


def _made_anew(door: ShopDoor, user: str) -> Steps:
    yield
    first, second = door.visitor(user), door.visitor(user)
    if not first.login():
        return _nobody_can_log_in()
    door.wait(user, AT_ONCE_S)
    if not second.login():
        return _nobody_can_log_in()
    same = sorted(set(first.tokens.values()) & set(second.tokens.values()))
    return Finding(FAIL, "two logins were given the same token") if same else Finding(PASS, "two logins, two tokens")


def _unguessable(door: ShopDoor, user: str) -> Steps:
    yield
    visitors = [door.visitor(user) for _ in range(LOGINS)]
    if not all(visitor.login() for visitor in visitors):
        return _nobody_can_log_in()
    references = [value for visitor in visitors for value in visitor.tokens.values() if not stands_in(user, [value])]
    if not references:
        return Finding(NOT_APPLICABLE, "its tokens carry the session themselves, and name nothing on the server")
    if len(set(references)) < len(references):
        return Finding(FAIL, f"{LOGINS} logins were given {len(set(references))} different tokens")
    bits = min(entropy_bits(value) for value in references)
    word: CellWord = PASS if bits >= ENTROPY_BITS else FAIL
    return Finding(word, f"{LOGINS} logins, {len(references)} different tokens of {bits} random bits each")


def _renewed_at_login(door: ShopDoor, user: str) -> Steps:
    bystander, visitor = _bystander(door, user), _logged_in(door, user)
    old = visitor.copy()
    yield
    if not visitor.login():
        return _nobody_can_log_in()
    if set(old.tokens.values()) & set(visitor.tokens.values()):
        return Finding(FAIL, "who logs in again is given the same token")
    return _ended(old, "after another login the token from before", bystander)


def _ends_unused(door: ShopDoor, user: str) -> Steps:
    visitor = _logged_in(door, user)
    yield
    door.wait(user, IDLE_S + SPARE_S)
    return _ended(visitor, f"after {IDLE_S + SPARE_S:g} s without use, of {IDLE_S} s, it")


def _ends_in_spite_of_use(door: ShopDoor, user: str) -> Steps:
    visitor = _logged_in(door, user)
    yield
    lasts_s = ABSOLUTE_S + SPARE_S
    for _ in range(round(lasts_s / BEAT_S)):
        door.wait(user, BEAT_S)
        # A write each time: where a page that changes nothing does not renew a session, looking would be no use.
        visitor.do("add", sku=SHIPPED.interface.articles[0], quantity=1)
    return _ended(visitor, f"after {lasts_s:g} s of use, of {ABSOLUTE_S} s, it")


def _ended_by_logout(door: ShopDoor, user: str) -> Steps:
    bystander, visitor = _bystander(door, user), _logged_in(door, user)
    copy = visitor.copy()
    yield
    status, _ = visitor.do("logout")
    return _ended(copy, f"the logout was answered {status}; a copy of the session", bystander)


def _ended_with_the_account(door: ShopDoor, user: str) -> Steps:
    bystander, visitor = _bystander(door, user), _logged_in(door, user)
    yield
    said = door.administer(user, "disable")
    return _ended(visitor, f"the account was disabled ({said}); its session", bystander)


def _ended_by_another_password(door: ShopDoor, user: str) -> Steps:
    bystander, visitor, other = _bystander(door, user), _logged_in(door, user), _logged_in(door, user)
    yield
    status, _ = visitor.do("change_password", new=f"{door.password} 2")
    return _ended(other, f"the change of the password was answered {status}; the other session", bystander)


def _ended_by_an_administrator(door: ShopDoor, user: str) -> Steps:
    bystander, visitor = _bystander(door, user), _logged_in(door, user)
    yield
    said = door.administer(user, "end")
    return _ended(visitor, f"an administrator ended the user's sessions ({said}); one of them", bystander)


def _ended_from_ones_own_list(door: ShopDoor, user: str) -> Steps:
    bystander, visitor, other = _bystander(door, user), _logged_in(door, user), _logged_in(door, user)
    yield
    status, told = visitor.do("sessions")
    others = [each["session"] for each in told.get("sessions", ()) if not each["current"]]
    if not others:
        said = f"the list of one's own sessions was answered {status or 'by nobody'}, with no other in it"
        return _without_a_list(said, status, other)
    for name in others:
        status, _ = visitor.do("end_session", session=name)
    return _ended(other, f"ending the other one was answered {status}; it", bystander)


def _without_a_list(said: str, status: int, other: DoorVisitor) -> Finding:
    """What it shows that no other session was listed: nothing if whoever asked was a stranger, or both were refused."""
    if status in NO_LIST:
        return Finding(FAIL, said)
    if status == 401:
        return Finding(NOT_APPLICABLE, f"{said}: who asked was a stranger there")
    if (seen := other.me()) == 200:
        return Finding(FAIL, f"{said}; the other one was answered 200")
    return Finding(NOT_APPLICABLE, f"{said}; the other one was answered {seen or 'by nobody'}, so it shows nothing")


REQUIREMENTS = (
    Requirement("7.2.1", "Session tokens are verified by the backend.", _verified_by_the_backend),
    Requirement("7.2.2", "Tokens are made for each session, and are no fixed secrets.", _made_anew),
    Requirement("7.2.3", "Tokens that only refer to a session are unique, with 128 random bits.", _unguessable),
    Requirement("7.2.4", "A login gives a new token, and ends the one from before.", _renewed_at_login),
    Requirement("7.3.1", "A session that is not used ends.", _ends_unused),
    Requirement("7.3.2", "A session ends after its absolute lifetime, however much it is used.", _ends_in_spite_of_use),
    Requirement("7.4.1", "After a logout the session can be used no more.", _ended_by_logout),
    Requirement("7.4.2", "A disabled account has no sessions.", _ended_with_the_account),
    Requirement("7.4.3", "Who changes the password can end all other sessions.", _ended_by_another_password),
    Requirement("7.4.5", "An administrator can end the sessions of a user.", _ended_by_an_administrator),
    Requirement("7.5.2", "Users see their sessions, and can end them.", _ended_from_ones_own_list),
)


class CannotBegin(Exception):
    """Nobody could log in while all was well: nothing can be said."""


def altered(token: str) -> str:
    """The same with another letter in its middle."""
    place = len(token) // 2  # not at its end: the last letter of Base64 may hold bits that are not read
    return f"{token[:place]}{'A' if token[place : place + 1] != 'A' else 'B'}{token[place + 1 :]}"


def entropy_bits(token: str) -> int:
    """How many bits a token of that look can have at most: of its last part, by its alphabet."""
    secret = token.rpartition(".")[2]
    return len(secret) * (4 if re.fullmatch("[0-9a-f]+", secret) else 6)


def _others(visitor: DoorVisitor) -> dict[str, str]:
    return {name: value for name, value in visitor.cookies.items() if name not in visitor.tokens}


def _logged_in(door: ShopDoor, user: str) -> DoorVisitor:
    return _let_in(door.visitor(user))


def _let_in(visitor: DoorVisitor) -> DoorVisitor:
    if not visitor.login():
        raise CannotBegin(f"{visitor.user} could not log in while all was well")
    return visitor


def _nobody_can_log_in() -> Finding:
    return Finding(NOT_APPLICABLE, "nobody can log in meanwhile")


def _bystander(door: ShopDoor, user: str) -> DoorVisitor:
    """Somebody else, logged in before the user is, whose session nobody ends."""
    return _let_in(door.bystander(user))


def _ended(session: DoorVisitor, what: str, bystander: DoorVisitor | None = None) -> Finding:
    """Whether that session is refused; a bystander's, which is older, must still be good, or it shows nothing."""
    status = session.me()
    if status == 200:
        return Finding(FAIL, f"{what} was answered {status}")
    # Everybody may be refused while something is broken: then nobody can say that this session was ended.
    if status == 401 and bystander is not None and bystander.me() == 401:
        return Finding(NOT_APPLICABLE, f"{what} was answered 401, and so was a session that nobody had ended")
    return Finding(PASS, f"{what} was answered {status or 'by nobody'}")
