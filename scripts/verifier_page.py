#!/usr/bin/env python3
"""Writes into src/troth/audit/verifier.html the hashes of its own scripts and style; run it after editing the page."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "src" / "troth" / "audit" / "verifier.html"


def with_hashes(page: str) -> str:
    """The page whose content security policy allows its own inline parts and nothing else."""

    def hashes(tag: str) -> str:
        parts = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.S)
        digests = (base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in parts)
        return " ".join(f"'sha256-{one}'" for one in digests)

    policy = f"default-src 'none'; script-src {hashes('script')}; style-src {hashes('style')}; img-src data:; "
    policy += "base-uri 'none'; form-action 'none'"
    return re.sub(r'(http-equiv="Content-Security-Policy" content=")[^"]*', rf"\g<1>{policy}", page)


if __name__ == "__main__":
    PAGE.write_text(with_hashes(PAGE.read_text()))
