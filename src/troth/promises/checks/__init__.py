"""All checks, one file per family."""

from troth.promises.check import Check
from troth.promises.checks import access, edge


def all_checks() -> tuple[Check, ...]:
    """Every check, in the order in which they run."""
    return (*access.CHECKS, *edge.CHECKS)
