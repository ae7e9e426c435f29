"""Which refresh token a request showed, as far as the history tells: when each was made, and who used which.

    login ──── access lifetime ────┐ a request that is sent now shows token 1, and its answer brings token 2
     token 1                       │
                                   └ another one, sent before that answer came, shows token 1, too

A browser has whatever the last answer brought before a request was sent. So two requests that are based on the same
making (`Issue`) and were sent when its access token was over showed the same refresh token.
"""

from typing import NamedTuple

from loadtests.model.history import Exchange, Jar

SEALED: frozenset[Jar] = frozenset({"stolen", "planted"})
"""Copies that are tried again and again as they were: once they hold cookies, they take no others."""
ISSUES, USES, RECENT = 6, 4, 6
"""So many are kept of each jar's issues, of the uses of each, and of requests: a reuse ends the session at once."""


class Issue(NamedTuple):
    """A pair of tokens was made at some moment of that time; the browser had it from the end of it on."""

    from_us: int
    until_us: int


class TokenUse(NamedTuple):
    """A request that showed the refresh token of that issue: surely, or perhaps."""

    issue: Issue
    exchange: Exchange
    sure: bool


class TokenTrail:
    """The tokens of one session, from its login on."""

    __slots__ = ("_access_us", "_issues", "recent", "uses")

    def __init__(self, opened: Exchange, access_us: int) -> None:
        self._access_us = access_us
        self._issues: dict[Jar, list[Issue]] = {"main": [Issue(opened.sent_us, opened.done_us)]}
        self.uses: list[TokenUse] = []
        self.recent: list[Exchange] = []
        """The last requests, whether or not their access token was over."""

    def saw(self, exchange: Exchange) -> TokenUse | None:
        """The next exchange, of whatever jar; the refresh token that it may have used."""
        # Before its own use: what was read out or carried to the logout is the token as it was until then.
        if exchange.do == "read_cookie" or (exchange.do == "logout" and exchange.jar == "main"):
            self._copied(exchange)
        use = self.use_by(exchange)
        if exchange.jar == "main" and exchange.request:
            self.recent = [*self.recent[1 - RECENT :], exchange]
        if use is None:
            return None
        # Uses of one issue are kept together, since a second use is looked for among them; of the others the last ones.
        others = [each for each in self.uses if each.issue != use.issue]
        same = [each for each in self.uses if each.issue == use.issue]
        self.uses = [*others[-ISSUES * USES :], *same[:USES], use]
        if 0 < exchange.status < 500 and exchange.status != 401 and exchange.jar not in SEALED:
            issues = self._issues[exchange.jar]
            # If nobody knows whether a new pair was made, the old one may be what the browser still has.
            since_us = exchange.sent_us if use.sure else use.issue.from_us
            self._issues[exchange.jar] = [*issues[-ISSUES:], Issue(since_us, exchange.done_us)]
        return use

    def use_by(self, exchange: Exchange) -> TokenUse | None:
        """The refresh token that this exchange may have used; None: surely none."""
        issues = self._issues.get(exchange.jar)
        if not issues or not exchange.request:
            return None
        issue = self._held(issues, exchange.sent_us)
        # The access token was surely good to the end: nobody asked for the other one.
        if exchange.done_us < issue.from_us + self._access_us:
            return None
        sure = exchange.sent_us >= issue.until_us + self._access_us and 0 < exchange.status < 500
        return TokenUse(issue, exchange, sure)

    def _copied(self, exchange: Exchange) -> None:
        """Another jar has from now on what the shopper's own had when this was sent: `stolen` what the logout carried.
        To read cookies nothing is sent."""
        jar: Jar = "stolen" if exchange.jar == "main" else exchange.jar
        at_us = exchange.sent_us if exchange.request else exchange.done_us
        self._issues[jar] = [self._held(self._issues["main"], at_us)]

    def _held(self, issues: list[Issue], at_us: int) -> Issue:
        return next((issue for issue in reversed(issues) if issue.until_us <= at_us), issues[0])
