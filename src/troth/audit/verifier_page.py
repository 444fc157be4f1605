"""The verifier as one self-contained page (`verifier.html`): served by the portal, put beside what is handed out.

It shares no code with the log nor with `verify`; what it may load is said inside it, so it works from a file.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

NAME = "verifier.html"
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">')


@cache
def verifier_page() -> bytes:
    """The page, UTF-8."""
    return files("troth.audit").joinpath(NAME).read_bytes()


@cache
def content_policy() -> str:
    """What the page itself says that it may load, for servers: nothing but its own two scripts and one style."""
    found = _POLICY.search(verifier_page().decode())
    assert found
    return f"{found[1]}; frame-ancestors 'none'"
