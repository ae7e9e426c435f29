"""The scene of a round that still goes on: made again whenever an event tells more."""

from __future__ import annotations

from loadtests.model.events import Event, LoadSample, NodeSample, PartSample
from loadtests.session_model.timeline import RunTimeline, run_timeline


class LiveScene:
    """`hear` every event, and read `scene`."""

    def __init__(self, architecture: str) -> None:
        self.scene = RunTimeline(architecture)
        self._architecture = architecture
        self._events: list[Event] = []
        self._fullest: dict[str, int] = {}

    def hear(self, event: Event) -> bool:
        """Whether the scene is another one now. Samples, which come all the time, are not kept."""
        if isinstance(event, (PartSample, LoadSample)):
            return False
        if isinstance(event, NodeSample):
            fullest = {node: max(held, self._fullest.get(node, 0)) for node, held in event.sessions.items()}
            if all(self._fullest.get(node) == held for node, held in fullest.items()):
                return False
            self._fullest |= fullest
        else:
            self._events.append(event)
        most = NodeSample(self._architecture, 0, self._fullest)
        self.scene = run_timeline(self._architecture, [*self._events, most] if self._fullest else self._events)
        return True
