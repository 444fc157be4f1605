"""Why somebody decided, as a coarse code: every decision names one, and its record carries it (promise AUD-03)."""

from __future__ import annotations

from enum import StrEnum


class Why(StrEnum):
    """What a decision rests on. Free text has no place here: it could hold personal data."""

    CHECKED = "checked"  # facts and papers were looked at, and they hold
    ON_REQUEST = "on-request"  # whom it concerns asked for it
    LEGAL_DUTY = "legal-duty"  # a law, a court or an authority demands it
    CONTRACT = "contract"
    RULE = "rule"  # a rule of one's own demands it
    SECURITY = "security"
    NOT_NEEDED = "no-longer-needed"
    MISTAKE = "mistake"  # what was asked for, or decided before, was wrong
    ACCEPTED_RISK = "accepted-risk"
