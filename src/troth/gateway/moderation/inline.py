"""Pictures that stand inline in a request, as data: addresses."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any


def inline_pictures(value: Any) -> Iterator[bytes]:
    """The bytes of every `data:image/...;base64,` string in plain JSON; what does not decode is left to the intake."""
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, dict):
            rest += one.values()
        elif isinstance(one, list | tuple):
            rest += one
        elif isinstance(one, str) and one.startswith("data:image/"):
            _, comma, body = one.partition(";base64,")
            if comma:
                try:
                    yield base64.b64decode(body, validate=True)
                except (binascii.Error, ValueError):
                    continue
