"""A vendor's papers as YAML: to keep beside contracts, to review as a text, and to put on file again."""

from __future__ import annotations

from typing import Any

import yaml
from pydantic import ValidationError

from troth.gateway.vendors.record import DueDiligence
from troth.kernel.errors import Invalid

LARGEST = 256 << 10  # characters
_MOST_TOKENS = 40_000
_DEEPEST = 16
_OPENS = (yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken, yaml.BlockSequenceStartToken,
          yaml.BlockMappingStartToken)  # fmt: skip
_CLOSES = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)


def exported(facts: DueDiligence) -> str:
    """The papers, without what Troth observed and without the credential."""
    return yaml.safe_dump(facts.model_dump(mode="json", exclude_defaults=True), sort_keys=False, allow_unicode=True)


def imported(text: str) -> DueDiligence:
    """The papers of a text. Raises `Invalid` (bad-papers) and names the fields that do not fit, never their values."""
    if len(text) > LARGEST:
        raise _bad("it is too long")
    try:
        _bounded(text)
        value: Any = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _bad("it is not YAML") from error
    try:
        return DueDiligence.model_validate(value)
    except ValidationError as error:
        places = sorted({".".join(str(part) for part in one["loc"]) or "it" for one in error.errors()})
        raise _bad(f"look at {', '.join(places[:8])}") from error


def _bounded(text: str) -> None:
    """Stop reading at the first alias, and where it gets too deep or too much: the reader of YAML is slow then."""
    depth = 0
    for number, token in enumerate(yaml.scan(text)):
        depth += isinstance(token, _OPENS) - isinstance(token, _CLOSES)
        if isinstance(token, yaml.AliasToken):
            raise _bad("it holds an alias")
        if depth > _DEEPEST or number > _MOST_TOKENS:
            raise _bad("it holds too much")


def _bad(why: str) -> Invalid:
    return Invalid(f"These papers cannot be read: {why}; export a vendor to see the form.", code="bad-papers",
                   field="papers")  # fmt: skip
