"""The dashboard's page loads itself once more if a part of it is missing; it must say so in its own first lines.

A script in a file of its own could be missing, too. The content security policy lets no script act that stands in a
page, but for this one, named by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from loadtests.workshop.dashboard.origin_guard import POLICY

SCRIPT = (Path(__file__).parent / "templates" / "whole_page.js").read_text(encoding="utf-8")
_HASH = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
DASHBOARD_POLICY = POLICY.replace("script-src 'self'", f"script-src 'self' 'sha256-{_HASH}'")
