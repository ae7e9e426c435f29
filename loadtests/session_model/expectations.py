"""What one shopper may rightly expect of the shop, given what it has acknowledged so far.

One truth for two users: the live shopper asks its memory whether an answer contradicts an earlier one, and the checks
replay the same memory over the history. A write whose outcome is unknown (a timeout, a 5xx) *forks* the memory into the
carts that are possible; a cart that is shown *collapses* them, which settles the unknown. What a lost write may still
do later (the client gave up, the node did not) is never called a loss.

Requests that overlap (two tabs) may each be answered without the other's effect: what such an answer shows of the cart
is compared with nothing. Both writes count, and the next answer that overlaps none is held against them.
The item book is kept along the way: every unit of goods that was acknowledged ends in exactly one place.
"""

from copy import copy
from dataclasses import dataclass, field
from typing import Literal

from loadtests.model.history import (
    CART_WRITES,
    ENDS_SESSION,
    NEEDS_LOGIN,
    NOT_ABOUT_CART,
    WRITES,
    Do,
    Exchange,
    Outcome,
)
from loadtests.session_model import carts
from loadtests.session_model.carts import Cart, Contradiction, Items, PossibleState, lacking

EMPTY_CART = 400
"""The status with which the shop refuses to order an empty cart: it shows the cart, and the cart is empty."""

_Before = tuple[Items, list[PossibleState], dict[str, Exchange]]
"""What a write may still change: the item book, the possible carts, and the writes in doubt."""


@dataclass(slots=True, eq=False)
class ExpectedSession:
    """What one shopper may expect. `saw` takes each of its exchanges, in order, and names what contradicts."""

    user: str
    in_account: bool = False
    """What is remembered outlives the session."""
    logged_in: bool = False
    """A login is acknowledged, and neither a logout nor a loss since."""
    facts: int = 0
    """Acknowledged facts that an answer was compared with."""
    items: Items = field(default_factory=Items)
    settled: dict[str, Outcome] = field(default_factory=dict)
    """What became of each unknown write that later answers settled: ok or failed, by the last of these."""
    supposed: dict[str, Contradiction] = field(default_factory=dict)
    """By request, each unknown checkout that is settled as ok because its goods are gone, and what that comes to if
    the database has no such order; its kind is empty where nobody knows what should have been in the cart."""
    checked_out: Cart | None = None
    """The cart that the last acknowledged checkout ordered; None if several were possible."""
    audited: bool = False
    """The cart was shown at the last audit, and nothing has changed it since."""
    _name: str = field(init=False)
    _worlds: list[PossibleState] = field(default_factory=lambda: [PossibleState({})])  # only one while none is unknown
    _unknown: dict[str, Exchange] = field(default_factory=dict)
    _late: dict[str, Exchange] = field(default_factory=dict)
    _login_unknown: str = ""
    _logout_unknown: str = ""
    _cart_uncertain: bool = False
    _login_us: int = -1  # when the last login was acknowledged
    _written_us: int = -1  # when the last answer to a write came
    _written: Do = "login"  # what the last write did
    _beside: Do | Literal[""] = ""  # what the last one of those writes did that overlap, if nothing came since
    # A page that was kept brought another one's session with it: what is shown is theirs.
    _session_of_another: bool = False
    _sure: bool = False  # logged in, with one possible cart and no logout in doubt

    def __post_init__(self) -> None:
        self._name = self.user

    def saw(self, exchange: Exchange) -> tuple[Contradiction, ...]:
        """Take in one exchange; what its answer contradicts (mostly nothing).

        Only what the shopper's own jar did counts: a second device, or somebody else's copy, has a cart of its own.
        """
        if self.confirms(exchange):
            return ()
        # A page that was kept settles nothing, as no shop was asked: it is held against nothing but its owner.
        found = carts.of_another(exchange, self.user) if exchange.kept_from else self._saw(exchange)
        self._session_of_another |= exchange.kept_session and exchange.jar == "main"
        self._cart_uncertain |= self._session_of_another
        self._sure = self.logged_in and not (self._unknown or self._cart_uncertain or self._logout_unknown)
        return found

    def _saw(self, exchange: Exchange) -> tuple[Contradiction, ...]:
        do = exchange.do
        if exchange.jar != "main" or do in NOT_ABOUT_CART:
            # An event stream that is opened again is the first to learn that the shopper is a stranger now.
            return self._answered_as_stranger(exchange) if exchange.jar == "main" and exchange.as_stranger else ()
        if exchange.overlapped or exchange.sent_us < self._written_us:
            return self._overlapping(exchange)
        self._beside = ""
        if do in WRITES:
            self._written, self._written_us = do, exchange.done_us
        if exchange.outcome != "ok":
            found = self._refused(exchange)
            return self._shown(exchange, {}, found) if do == "checkout" and exchange.status == EMPTY_CART else found
        found = self._recognised(exchange)
        if exchange.cart is not None:
            return self._shown(exchange, exchange.cart, found)
        if do in CART_WRITES:
            self._carry_out(exchange)
        return found

    def confirms(self, exchange: Exchange) -> bool:
        """Take in an exchange if it is answered just as expected, as nearly all are; otherwise leave it to `saw`.

        It does what `saw` would do, in a fifth of the time: what needs thinking about, it does not touch.
        """
        late = exchange.overlapped or exchange.sent_us < self._written_us or exchange.kept_from
        if late or exchange.outcome != "ok" or exchange.jar != "main":
            return False
        do, cart, user = exchange.do, exchange.cart, exchange.user
        if cart is None:
            if do != "browse" or user:
                return False
            self._beside = ""
            return True
        if not self._sure or (user and user != self._name):
            return False
        if do in ("cart", "me"):
            if cart != self._worlds[0].cart:
                return False
        elif (do == "add" and self._added(exchange, cart)) or (do == "remove" and self._removed(exchange, cart)):
            self._written, self._written_us = do, exchange.done_us
        else:
            return False
        self._beside = ""
        self.facts += 2  # the shop knew the shopper, and showed the cart
        self.audited = exchange.why == "audit"
        return True

    def possible_carts(self) -> list[Cart]:
        """Every cart that the shop may hold, given what was acknowledged."""
        return [world.cart for world in self._worlds]

    def book(self) -> Items:
        """The item book as it stands: what is in the cart is kept if the audit saw it, undecided if nobody looked."""
        book = copy(self.items)
        world = self._worlds[0]
        world.enter(book)
        units = sum(world.cart.values())
        if self.audited and not self._unknown:
            book.kept += units
        else:
            book.undecided += units
        return book

    def _overlapping(self, exchange: Exchange) -> tuple[Contradiction, ...]:
        """Something else of this shopper was on its way: the name counts, the cart shown does not, the write does."""
        do = exchange.do
        twin = False  # the same was done beside it, and was answered first
        if do in WRITES:
            earlier = {self._beside} if self._beside else set()
            if exchange.sent_us < self._written_us:
                earlier.add(self._written)
            twin = do in earlier
            if earlier - {do}:
                self._cart_uncertain = True  # which of them came first, nobody knows, and it matters
            self._beside = do
            self._written, self._written_us = do, max(exchange.done_us, self._written_us)
        if exchange.outcome == "ok":
            found = self._recognised(exchange)
            if do in CART_WRITES:
                self._carry_out(exchange)
            if do == "checkout" and twin:
                self.checked_out = None  # the same cart as its twin, or nothing
            return found
        return self._refused(exchange)

    def _refused(self, exchange: Exchange) -> tuple[Contradiction, ...]:
        """No success: nothing is acknowledged, and perhaps the write happened all the same."""
        # First: a write that was repeated may have happened at one node, and been refused by the next.
        if exchange.outcome == "unknown":
            self._fork(exchange)
        if exchange.as_stranger and exchange.do != "login":
            return self._answered_as_stranger(exchange)
        return ()

    def _recognised(self, exchange: Exchange) -> tuple[Contradiction, ...]:
        do = exchange.do
        if do in NEEDS_LOGIN:
            if self.logged_in:
                self.facts += 1
                if self._logout_unknown:
                    self.settled[self._logout_unknown] = "failed"
                    self._logout_unknown = ""
            elif self._login_unknown:
                self.settled[self._login_unknown] = "ok"
                self._login_unknown, self.logged_in = "", True
        elif do == "login":
            self._logged_in()
            self._login_us = exchange.done_us
        elif do in ENDS_SESSION:
            self._left()
        if exchange.user and exchange.user != self._name:
            return self._named(exchange.user)
        return ()

    def _logged_in(self) -> None:
        if self.logged_in:  # nobody took the session away: the shopper replaced it, and a new one has an empty cart
            self._left()
        self.logged_in, self._session_of_another = True, False
        self._login_unknown = ""
        self._late.clear()  # whatever still happens to the old session, nobody will see it

    def _left(self) -> None:
        self.logged_in = False
        self._logout_unknown = ""
        if not self.in_account:
            self._give_up()

    def _answered_as_stranger(self, exchange: Exchange) -> tuple[Contradiction, ...]:
        if not self.logged_in or exchange.sent_us < self._login_us:  # the latter was told of a session before this one
            return ()
        self.logged_in = False
        if self._logout_unknown:
            self.settled[self._logout_unknown] = "ok"
            self._left()
            return ()
        self.facts += 1
        return (Contradiction("logged_out"),)

    def _named(self, name: str) -> tuple[Contradiction, ...]:
        """Another name than the last one was shown."""
        self._name = name
        self._cart_uncertain = True  # whose cart comes with it, or comes next, cannot be told
        return (Contradiction("wrong_user"),) if name != self.user else ()

    def _fork(self, exchange: Exchange) -> None:
        """A write may or may not have happened."""
        do = exchange.do
        if do == "login":
            self._login_unknown = exchange.request
        elif do in ENDS_SESSION and self.logged_in:
            self._logout_unknown = exchange.request
        if do not in CART_WRITES or self._cart_uncertain:
            return
        self.audited = False
        forked = []
        for world in self._worlds:
            forked.append(world)
            if (other := world.perhaps(exchange)) is not None:
                world.happened[exchange.request] = False
                forked.append(other)
        self._unknown[exchange.request] = exchange
        self._possible(forked)

    def _possible(self, worlds: list[PossibleState]) -> None:
        """From now on these carts are possible; equal ones become one, which leaves open what only one of them knew."""
        by_cart: dict[frozenset[tuple[str, int]], PossibleState] = {}
        for world in worlds:
            same = by_cart.setdefault(frozenset(world.cart.items()), world)
            if same is not world:
                same.happened = {q: did for q, did in same.happened.items() if world.happened.get(q) == did}
        self._worlds = list(by_cart.values())
        if len(self._worlds) > carts.POSSIBLE_CARTS:
            first = self._worlds[0]
            self._settle_on(first, first.cart, settle=False)
            self._cart_uncertain = True

    def _settle_on(self, world: PossibleState, cart: Cart, *, settle: bool) -> None:
        """This world is the true one."""
        world.enter(self.items)
        self._worlds = [PossibleState(cart)]
        if settle:
            for request, happened in world.happened.items():
                self.settled[request] = "ok" if happened else "failed"
                if not happened and self._unknown[request].status == 0 and len(self._late) < carts.LATE_WRITES:
                    self._late[request] = self._unknown[request]
        self._unknown.clear()

    def _carry_out(self, exchange: Exchange) -> None:
        """An acknowledged write: it changes every possible cart."""
        self.audited = False
        if exchange.do == "checkout":
            possible = self.possible_carts()  # one, if the writes in doubt would have changed nothing
            self.checked_out = possible[0] if len(possible) == 1 and not self._cart_uncertain else None
        for world in self._worlds:
            world.carry_out(exchange.do, exchange.sku, exchange.quantity)
        if self._unknown:
            self._possible(self._worlds)
        else:
            self._settle_on(self._worlds[0], self._worlds[0].cart, settle=False)

    def _shown(self, exchange: Exchange, shown: Cart, found: tuple[Contradiction, ...]) -> tuple[Contradiction, ...]:
        """A cart was shown: the one that was expected, or a loss."""
        self.facts += 1
        before = self.possible_carts()
        own = exchange.outcome == "ok" and exchange.do in CART_WRITES
        was = None
        if own:
            was = (copy(self.items), [it.copy() for it in self._worlds], dict(self._unknown)) if self._late else None
            self._carry_out(exchange)
        self.audited = exchange.why == "audit"
        for world in self._worlds:
            if world.cart == shown:
                self._suppose(world, exchange, shown)
                self._settle_on(world, shown, settle=True)
                self._cart_uncertain = False
                return found
        if self._came_late(exchange, shown) or (was and self._came_before(exchange, shown, was)):
            return found
        return found + self._contradicted(exchange, before, shown)

    def _added(self, exchange: Exchange, shown: Cart) -> bool:
        """The cart shown is the only possible one with what was just added."""
        state = self._worlds[0]
        expected = dict(state.cart)
        expected[exchange.sku] = expected.get(exchange.sku, 0) + exchange.quantity
        if shown != expected:
            return False
        state.cart = shown
        self.items.acknowledged += exchange.quantity
        return True

    def _removed(self, exchange: Exchange, shown: Cart) -> bool:
        """The cart shown is the only possible one without what was just taken out."""
        state = self._worlds[0]
        expected = dict(state.cart)
        units = expected.pop(exchange.sku, 0)
        if shown != expected:
            return False
        state.cart = shown
        self.items.removed += units
        return True

    def _came_before(self, exchange: Exchange, shown: Cart, earlier: _Before) -> bool:
        """The late write was done before this one: what is put into a cart just ordered is all there is in it."""
        now = self.items, self._worlds, self._unknown
        self.items, self._worlds, self._unknown = earlier
        if self._came_late(exchange, shown, before=True):
            return True
        self.items, self._worlds, self._unknown = now
        return False

    def _came_late(self, exchange: Exchange, shown: Cart, *, before: bool = False) -> bool:
        """A write that nobody answered, taken for failed, explains the cart: it happened after all."""
        for request, write in self._late.items():
            later = [other for world in self._worlds if (other := world.perhaps(write)) is not None]
            for world in later if before else ():
                world.carry_out(exchange.do, exchange.sku, exchange.quantity)
            if explained := [world for world in later if world.cart == shown]:
                self._possible(explained)  # what only some of them take for done stays open
                self._suppose(self._worlds[0], exchange, shown)
                self._settle_on(self._worlds[0], shown, settle=True)
                self._cart_uncertain = False
                del self._late[request]
                return True
        return False

    def _suppose(self, world: PossibleState, exchange: Exchange, shown: Cart) -> None:
        """This world is taken for the true one: that its checkouts made orders, only the database can tell."""
        for request, units in world.taken.items():
            if world.happened.get(request):
                kind = "cart_lost" if _only_its_own(exchange, shown) else "items_lost"
                checkout = self._unknown.get(request) or self._late[request]
                self.supposed[request] = Contradiction("" if self._cart_uncertain else kind, units, checkout)

    def _contradicted(self, exchange: Exchange, before: list[Cart], shown: Cart) -> tuple[Contradiction, ...]:
        """No possible cart is the one shown: name what is missing or back, against the likeliest, and adopt what is."""
        world = min(self._worlds, key=lambda world: lacking(world.cart, shown) + lacking(shown, world.cart))
        missing, extra = lacking(world.cart, shown), lacking(shown, world.cart)
        self._suppose(world, exchange, shown)
        uncertain, self._cart_uncertain = self._cart_uncertain, False
        for request, happened in world.happened.items():
            if happened:  # only with it is this world the likeliest; that the others did not happen, nobody has shown
                self.settled[request] = "ok"
        self._settle_on(world, shown, settle=False)
        self.items.gained += extra
        if uncertain:  # nobody knows what should have been in it
            self.items.undecided += missing
            return ()
        self.items.lost += missing
        found = []
        if missing:
            kind = "cart_lost" if _only_its_own(exchange, shown) and all(before) else "items_lost"
            found.append(Contradiction(kind, missing))
        if extra:
            found.append(Contradiction("cart_rolled_back", extra))
        return tuple(found)

    def _give_up(self) -> None:
        """The cart goes with an acknowledged logout."""
        world = self._worlds[0]
        self.items.given_up += sum(world.cart.values())
        self._settle_on(world, {}, settle=False)
        self._late.clear()
        self._cart_uncertain = False


def _only_its_own(exchange: Exchange, shown: Cart) -> bool:
    """The cart that this answer shows is empty, but for what the request itself added."""
    own = exchange.quantity if exchange.do == "add" and exchange.outcome == "ok" else 0
    return sum(shown.values()) <= own and not (shown.keys() - {exchange.sku})
