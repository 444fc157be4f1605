"""All checks, one file per family."""

from troth.promises.check import Check
from troth.promises.checks import (
    access,
    consent,
    edge,
    erasure,
    isolation,
    places,
    redaction,
    restore,
    retention,
    sealing,
)

_FAMILIES = (access, redaction, consent, sealing, isolation, places, retention, erasure, restore, edge)


def all_checks() -> tuple[Check, ...]:
    """Every check, in the order in which they run."""
    return tuple(check for family in _FAMILIES for check in family.CHECKS)
