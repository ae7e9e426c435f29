"""From a round's growing folder to what the browser is told: pure but for reading files, with no clock of its own."""

from __future__ import annotations

from loadtests.workshop.live.frames import LivePicture
from loadtests.workshop.live.recorded import Recording, read_recording
from loadtests.workshop.live.snapshots import applied, empty_picture

__all__ = ["LivePicture", "Recording", "applied", "empty_picture", "read_recording"]
