"""All checks, one file per family."""

from troth.promises.check import Check
from troth.promises.checks import (
    access,
    audit,
    backups,
    consent,
    edge,
    ending,
    erasure,
    identity,
    isolation,
    keys,
    lifecycle,
    links,
    logs,
    moderation,
    papers,
    places,
    redaction,
    requests,
    restore,
    retention,
    rights,
    rows,
    scratch,
    sealing,
    secrets,
    traces,
    vendors,
)

_FAMILIES = (
    access,
    identity,
    secrets,
    redaction,
    consent,
    sealing,
    keys,
    lifecycle,
    isolation,
    rows,
    links,
    places,
    retention,
    ending,
    erasure,
    traces,
    scratch,
    restore,
    backups,
    rights,
    requests,
    audit,
    logs,
    vendors,
    moderation,
    papers,
    edge,
)


def all_checks() -> tuple[Check, ...]:
    """Every check, in the order in which they run."""
    return tuple(check for family in _FAMILIES for check in family.CHECKS)
