"""Reading what a vendor says in OpenAI's format."""

from __future__ import annotations

import json
from typing import Any

from troth.kernel.errors import VendorFailed


def json_object(text: bytes | str) -> dict[str, Any]:
    """The object that `text` says. Raises `VendorFailed` (vendor-bad-answer) for anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise bad_answer() from error
    if not isinstance(value, dict):
        raise bad_answer()
    return value


def bad_answer() -> VendorFailed:
    return VendorFailed("The vendor's answer is not in OpenAI's format; try again or choose another model.",
                        code="vendor-bad-answer")  # fmt: skip
