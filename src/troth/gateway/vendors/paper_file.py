"""A vendor's papers as YAML: to keep beside contracts, to review as a text, and to put on file again."""

from __future__ import annotations

from typing import Any

import yaml
from pydantic import ValidationError

from troth.gateway.vendors.record import DueDiligence
from troth.kernel.errors import Invalid, TooLarge
from troth.settings import strict_yaml

LARGEST = 256 << 10  # characters
_LIMITS = strict_yaml.Limits(characters=LARGEST, nodes=20_000, depth=16)


def exported(facts: DueDiligence) -> str:
    """The papers, without what Troth observed and without the credential."""
    return yaml.safe_dump(facts.model_dump(mode="json", exclude_defaults=True), sort_keys=False, allow_unicode=True)


def imported(text: str) -> DueDiligence:
    """The papers of a text. Raises `Invalid` (bad-papers) and names the fields that do not fit, never their values."""
    try:
        value: Any = strict_yaml.load(text, _LIMITS, what="papers")
    except TooLarge as error:
        raise _bad("it is too long or holds too much") from error
    except Invalid as error:
        raise _bad("it is not YAML, or has an alias, a tag or a key twice") from error
    try:
        return DueDiligence.model_validate(value)
    except ValidationError as error:
        places = sorted({".".join(str(part) for part in one["loc"]) or "it" for one in error.errors()})
        raise _bad(f"look at {', '.join(places[:8])}") from error


def _bad(why: str) -> Invalid:
    return Invalid(f"These papers cannot be read: {why}; export a vendor to see the form.", code="bad-papers",
                   field="papers")  # fmt: skip
