"""A session's life: who opened it, where it is held, when it was last written, and until when it is good.

    opened ── written … written ──────────────── good until          (written + lifetime, or endless)
                 │         └ perhaps written (nobody knows)
                 └ known, last at home ─ strayed ─ an answer that did not know it

A `SessionLife` follows one shopper's session while the history is read and keeps a few exchanges of it; the rules of
each store (`stores/`) judge from these and from the `Circumstances` whether an answer knows the shopper. One session,
walked through, stands in docs/explanation/causes.md.
"""

from loadtests.model.history import CART_WRITES, ENDS_SESSION, NEEDS_LOGIN, Exchange
from loadtests.session_model.circumstances import TIME, Circumstances, Harm, NodeClock
from loadtests.session_model.timeline import RunTimeline
from loadtests.session_model.token_trail import TokenTrail

US = 1_000_000
REFRESHED = ("refresh", "refresh-database")
"""Stores whose sessions are renewed by a refresh token."""
IN_COOKIE = ("token", "denylist", *REFRESHED)


class SessionLife:
    """One shopper's session, as far as the history was read. Only what the shopper's own jar did is told to it."""

    __slots__ = (
        "_access_us", "adrift", "arrived", "at_home", "epoch_us", "everywhere", "forgot", "gave_up", "hung",
        "in_cookie", "in_memory", "kept", "known", "led", "lifetime_us", "opened", "perhaps", "refreshes", "strayed",
        "tokens", "unsure", "watches_pages", "written",
    )  # fmt: skip

    def __init__(self, run: RunTimeline) -> None:
        limits = run.limits
        self.in_cookie = run.store in IN_COOKIE
        # An access token is never good for longer than the session that it stands for.
        access_s = min(limits.access_lifetime_s, limits.session_lifetime_s)
        self._access_us = round(access_s * US) if run.store in REFRESHED else 0
        self.tokens: TokenTrail | None = None
        """Of a session that is renewed by a refresh token: only that makes it live longer."""
        self.in_memory = run.store == "memory"
        self.lifetime_us = limits.session_lifetime_s * US
        self.epoch_us = run.epoch_us or 0
        self.refreshes = limits.session_refresh_each_request
        """Every request writes the session again."""
        self.watches_pages = self.refreshes or self.in_memory or self._access_us > 0
        """Pages that say nothing of the shopper tell something of the session, too."""
        self.opened: Exchange | None = None
        """The login; where nobody answered that, the first answer that knew the shopper after it."""
        self.unsure: Exchange | None = None
        """A login that may have opened a session, and of which nobody knows."""
        self.written: Exchange | None = None
        """What surely wrote it last."""
        self.perhaps: Exchange | None = None
        """What may have written it since."""
        self.known: Exchange | None = None
        """The last answer that knew the shopper; of the session before, if there is none now."""
        self.at_home: Exchange | None = None
        """The last answer of the node that holds it."""
        self.arrived: Exchange | None = None
        """The first answer of the node that holds it, perhaps before the login: its cookie leads there."""
        self.strayed: Exchange | None = None
        """The first answer of another node since."""
        self.adrift: Exchange | None = None
        """The first that was answered with an error since: by whom, nobody knows."""
        self.forgot: Exchange | None = None
        """The first time since its home answered that the browser lost the balancer's cookie, or the last before."""
        self.led: Exchange | None = None
        """The first answer since: where the cookie leads now."""
        self.gave_up: Exchange | None = None
        """When the shopper's client threw its cookies away; None, if there was a login since."""
        self.kept: Exchange | None = None
        """The last page since the login that was made for another one and brought that one's session with it."""
        self.everywhere: Exchange | None = None
        """The last logout everywhere, from whatever device."""
        self.hung: Exchange | None = None
        """The last request that may have written, and that nobody answered."""

    @property
    def home(self) -> str:
        """The node that the session was opened at; "" if there is none."""
        return self.opened.node if self.opened else ""

    def saw(self, exchange: Exchange) -> None:
        """The next exchange of the shopper's own jar."""
        do = exchange.do
        if do == "forget_node":
            self._forgot(exchange)
        elif do == "forget_session":
            self.gave_up = exchange
        # Before all else: an error of a login or logout leaves open whether it happened.
        elif exchange.status == 0 or exchange.status >= 500 or (exchange.outcome == "unknown" and not exchange.refused):
            self._unanswered(exchange)
            self.renewed(exchange)
        # It tells who answered, and nothing of the session; but it may have shown a refresh token.
        elif exchange.as_stranger or (not exchange.node and exchange.outcome != "ok"):
            self._routed(exchange)
            self.renewed(exchange)
        elif do == "login":
            if exchange.outcome == "ok":
                self.kept = None
                self._open(exchange)
        elif do in ENDS_SESSION:
            if exchange.outcome == "ok":
                self.renewed(exchange)
                self._close(exchange)
        elif do in NEEDS_LOGIN and exchange.outcome == "ok":
            self.recognised(exchange)
        else:
            self.page(exchange)

    def recognised(self, exchange: Exchange) -> None:
        """An answer that knew the shopper."""
        moved = self.in_memory and self.opened is not None and exchange.node != self.opened.node
        unsure = self.unsure
        if self.opened is None or moved:  # it lives where it is known
            self._open(exchange)
            self.written = unsure or exchange  # its lifetime began when nobody answered
        elif unsure is not None:  # that login may have opened another one: by this answer, nobody can tell
            self.perhaps, self.unsure = unsure, None
        self.known = exchange
        if self.led is None:
            self.led = exchange
        if self.tokens is not None:
            self.renewed(exchange)
        elif self.refreshes or exchange.do in CART_WRITES:
            self._wrote(exchange)

    def renewed(self, exchange: Exchange) -> None:
        """It may have shown a refresh token, and been given another one. Of other jars, too."""
        use = None if self.tokens is None else self.tokens.saw(exchange)
        # Other jars use up tokens of the family, but what they are given in exchange the shopper does not have.
        if use is None or exchange.jar != "main" or exchange.status == 401 or not 0 < exchange.status < 500:
            return
        if use.sure:
            self._wrote(exchange)
        else:
            self.perhaps = exchange

    def page(self, exchange: Exchange) -> None:
        """An answer that says nothing of the shopper."""
        self._routed(exchange)
        if self.tokens is not None:
            self.renewed(exchange)
        elif self.refreshes and self.written is not None and not (self.in_memory and exchange.node != self.home):
            self._refreshed(exchange, self.written)

    def _forgot(self, exchange: Exchange) -> None:
        """The browser lost the balancer's cookie: by the first time it went elsewhere, and not by those that follow."""
        home, self.led = home_since(self), None
        if self.forgot is None or home is None or self.forgot.done_us < home.sent_us:
            self.forgot = exchange

    def _routed(self, exchange: Exchange) -> None:
        """Where a session is in the memory of one node: did that answer?"""
        # What was sent before the login was answered still carried the cookies of before.
        if not self.in_memory or self.opened is None or not exchange.node or exchange.sent_us < self.opened.done_us:
            return
        if self.led is None:
            self.led = exchange
        if exchange.node == self.home:
            self.at_home, self.strayed, self.adrift = exchange, None, None
        # The first since it was known last: its answer took the balancer's cookie away, and the rest followed that.
        elif self.strayed is None or (self.known is not None and self.known.done_us > self.strayed.done_us):
            self.strayed = exchange

    def _wrote(self, exchange: Exchange) -> None:
        if not (self.in_cookie and exchange.cookie_refused):  # the browser kept the one before
            self.written, self.perhaps = exchange, None

    def _refreshed(self, page: Exchange, written: Exchange) -> None:
        """A page wrote the session again, if that was still good: the answer does not say whether it was."""
        latest = written if self.perhaps is None else self.perhaps
        whole_us = written.sent_us - (self.epoch_us + written.sent_us) % US  # so a browser counts
        if page.done_us < whole_us + self.lifetime_us:
            self._wrote(page)
        elif page.sent_us < latest.done_us + self.lifetime_us:
            self.perhaps = page

    def _open(self, exchange: Exchange) -> None:
        # A page before the login had led there already: its cookie is as old as that.
        there = self.strayed is not None and self.strayed.node == exchange.node
        self.arrived = self.strayed if there else exchange
        self.opened = self.known = self.written = exchange
        self.perhaps = self.strayed = self.adrift = self.at_home = self.unsure = self.gave_up = None
        if self._access_us:
            self.tokens = TokenTrail(exchange, self._access_us)

    def _close(self, exchange: Exchange) -> None:
        self.opened = self.written = self.perhaps = self.unsure = None
        self.strayed = self.adrift = self.at_home = None
        if exchange.do == "logout_everywhere":
            self.everywhere = exchange

    def _unanswered(self, exchange: Exchange) -> None:
        # Nothing was sent, so nobody can have written anything.
        if not exchange.request:
            return
        home = home_since(self)
        if exchange.status and (self.adrift is None or (home is not None and self.adrift.done_us <= home.done_us)):
            self.adrift = exchange
        if exchange.do == "login":
            self.unsure = exchange
        # With tokens a write is no renewal: `renewed` sees to these.
        elif self.tokens is None and (self.refreshes or exchange.do in CART_WRITES):
            self.perhaps = self.hung = exchange


def home_since(life: SessionLife) -> Exchange | None:
    """The last answer of the node that holds the session in its memory; there, whoever knew the shopper was it."""
    answers = [answer for answer in (life.known, life.at_home) if answer is not None]
    return max(answers, key=lambda answer: answer.done_us, default=None)


def began_to_stray(life: SessionLife, answer: Exchange) -> Exchange:
    """The first answer of another node after that: at the latest the one in question."""
    return _since_home(life, life.strayed) or answer


def went_adrift(life: SessionLife, answer: Exchange) -> Exchange:
    """The first request after that of which nobody knows that its home had it: an error carries the balancer's cookie,
    too."""
    strayed, adrift = began_to_stray(life, answer), _since_home(life, life.adrift)
    return adrift if adrift is not None and adrift.sent_us < strayed.sent_us else strayed


def _since_home(life: SessionLife, exchange: Exchange | None) -> Exchange | None:
    home = home_since(life)
    return None if exchange is None or (home is not None and exchange.done_us <= home.done_us) else exchange


def good_until(life: SessionLife, around: Circumstances) -> tuple[int, int] | None:
    """From when on its lifetime may be over and is surely over, in true time; None if it was never opened.

    A browser counts a cookie's time in whole seconds, from the beginning of the one in which it was set.
    """
    if life.written is None:
        return None
    latest = life.written.done_us if life.perhaps is None else max(life.written.done_us, life.perhaps.done_us)
    return around.second_us(life.written.sent_us) + around.lifetime_us, around.second_us(latest) + around.lifetime_us


def lifetime_over(life: SessionLife, answer: Exchange, around: Circumstances) -> list[Harm]:
    """The harm of time, in true time and by nobody's clock; none, if its time was not over."""
    good = good_until(life, around)
    # To think time away is to think the lifetime endless.
    if TIME in around.without or good is None:
        return []
    if answer.done_us < good[0]:
        return _absolute_end(life, answer, around)
    # By when it was sent: the node read its clock at some moment of the exchange.
    sure = answer.sent_us >= good[1]
    return [Harm(TIME, "expired", good[1] if sure else good[0], sure)]


def _absolute_end(life: SessionLife, answer: Exchange, around: Circumstances) -> list[Harm]:
    """However much it was used, so long after its login it is over."""
    opened, absolute_us = life.opened, around.run.limits.session_absolute_s * US
    if opened is None or not absolute_us or answer.done_us < opened.sent_us + absolute_us:
        return []
    return [Harm(TIME, "expired", opened.done_us + absolute_us, answer.sent_us >= opened.done_us + absolute_us)]


def over_by_age(life: SessionLife, answer: Exchange, around: Circumstances, writer: str, reader: str) -> list[Harm]:
    """The harm of time, and of clocks: where the session is surely over in true time no clock is needed for it."""
    over = lifetime_over(life, answer, around)
    # Within one answer's time of its end a clock may have ended it all the same.
    return over if any(harm.sure for harm in over) else [*over, *over_by_clock(life, answer, around, writer, reader)]


def over_by_clock(life: SessionLife, answer: Exchange, around: Circumstances, writer: str, reader: str) -> list[Harm]:
    """The session is over by the clock of the node that reads it, though not in true time: writer or reader is off.

    Where it is over in true time as well that is the cause, and no clock is needed for it.
    """
    written = life.written
    if written is None or TIME in around.without:
        return []
    wrote, reads = around.clock(writer, written), around.clock(reader, answer)
    latest = written if life.perhaps is None else life.perhaps
    # How old the reader can have taken it for, at least and at most: each end of both exchanges, and of both clocks.
    youngest_us = answer.sent_us - latest.done_us + (reads.least - wrote.most) * US
    oldest_us = reads.latest_us - wrote.earliest_us
    over = oldest_us >= around.lifetime_us
    return clocks_off((wrote, reads), sure=youngest_us >= around.lifetime_us) if over else []


def clocks_off(clocks: tuple[NodeClock, ...], *, sure: bool) -> list[Harm]:
    """The harms of all clocks that were off; none, if none was."""
    return [Harm(factor, effect.word, effect.from_us, sure) for clock in clocks for factor, effect in clock.off]
