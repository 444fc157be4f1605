"""The eight documents together, looked through before anybody gets them."""

from __future__ import annotations

from typing import Any

import rfc8785

from troth.kernel.errors import IntegrityError
from troth.promises.oscal import built, declared, found, words
from troth.promises.oscal.assessed import Assessed
from troth.promises.oscal.crosscheck import faults

_MADE = {
    words.CATALOG: declared.catalog,
    words.PROFILE: declared.profile,
    words.COMPONENTS: built.components,
    words.SSP: built.security_plan,
    words.PLAN: found.plan,
    words.RESULTS: found.results,
    words.POAM: found.still_to_do,
    words.MAPPING: declared.mapping,
}
NAMES = tuple(_MADE)


def documents(told: Assessed) -> dict[str, dict[str, Any]]:
    """File name -> document, for all eight models of OSCAL 1.2.3. Equal input gives equal documents.

    Raises `IntegrityError` (oscal-fault) naming the first place where they contradict each other.
    """
    made = {name: make(told) for name, make in _MADE.items()}
    for fault in faults(made):
        advice = f"{fault.document}{fault.where}: {fault.code}; this is a fault of Troth, report it."
        raise IntegrityError(advice, code="oscal-fault")
    return made


def packed(told: Assessed) -> dict[str, bytes]:
    """The same as files: canonical JSON (RFC 8785)."""
    return {name: rfc8785.dumps(one) for name, one in documents(told).items()}
