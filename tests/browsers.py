"""Which Chromium the browser tests drive."""

from __future__ import annotations

import shutil

# The first is Chromium's own engine without the windows around it, and what Playwright itself starts where it may
# choose: a page is open in half the time.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
NO_CHROMIUM = "no Chromium on this machine (apt-get install chromium, or any Chrome)"


def chromium_program() -> str | None:
    """The first of these that is there."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)
