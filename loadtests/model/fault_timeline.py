"""One fault on one architecture, from the plan to its being seen healed; judging, report and dashboard all read this.

`loadtests.session_model.timeline` assembles it from the events; it stands in `results.json` under `faults`.
"""

import msgspec

NEVER_US = 1 << 62
"""Later than everything."""


class FaultTimeline(msgspec.Struct, frozen=True):
    """One fault as it went. Times are microseconds since the zero of the load window; None: that step was not taken.

    What its kind says of it is written down with it, so that whoever reads results needs no catalogue of faults: a
    kind that this version does not know any more strikes a node, takes no memory, and does not stay.
    """

    fault: int
    """Index into the plan's faults."""
    kind: str
    victim: str
    strikes: str = "node"
    """What such a fault strikes: a node, a part of that name, or `cluster` for no single part."""
    takes_memory: bool = False
    """What its victim held in memory is gone with it."""
    stays: bool = False
    """Healing undoes nothing."""
    planned_us: int | None = None
    planned_heal_us: int | None = None
    """Both None for a fault of which no plan tells."""
    injected_us: int | None = None
    observed_us: int | None = None
    healed_us: int | None = None
    observed_healed_us: int | None = None
    takes_effect_us: tuple[int, int] | None = None
    """Between which two moments it did what it does; None if nobody observed that it did.

    The first is written down before it is done, so that a busy victim may give another answer or two after it.
    """
    evidence: tuple[str, ...] = ()
    """Of its being observed, in words."""
    at_risk: tuple[str, ...] | None = None
    """Users whose sessions the victim held; None if nobody read them."""
    at_risk_us: int | None = None
    """When they were read: what the victim held was gone by then."""
    at_risk_source: str = ""
    """How they were read, in words."""
    nothing_there: str = ""
    """Why there was nothing to strike; "" if there was something."""
    not_applied: str = ""
    """Where somebody chose to make it instead of here; "" if it was to be made here."""

    @property
    def on_node(self) -> bool:
        """Its victim is a node."""
        return self.strikes == "node"

    @property
    def start_us(self) -> int:
        """When it was injected; never, if it was not."""
        return NEVER_US if self.injected_us is None else self.injected_us

    @property
    def since_us(self) -> int:
        """When it began, of a fault that was observed."""
        return self.injected_us or 0

    @property
    def seen_us(self) -> int:
        """When it was seen, of a fault that was observed."""
        return self.since_us if self.observed_us is None else self.observed_us

    @property
    def freed_us(self) -> int:
        """When it was healed; never, if it was not."""
        return NEVER_US if self.healed_us is None else self.healed_us

    @property
    def over_us(self) -> int:
        """When it was over: seen to be healed; never, if it was not, or if it stays."""
        return NEVER_US if self.stays or self.observed_healed_us is None else self.observed_healed_us

    def end_us(self, otherwise: int) -> int:
        """When it was over, as charts draw it: seen to be healed, or else healed, or else `otherwise`."""
        if self.stays:
            return otherwise  # its healing was seen, perhaps, and undid nothing
        ends = (self.observed_healed_us, self.healed_us)
        return next((at_us for at_us in ends if at_us is not None), otherwise)
