"""The table of rules: every row of every family."""

from __future__ import annotations

from troth.redact.detect.rule import Rule
from troth.redact.detect.rules import addresses, contact, documents, identity, money, people, secrets

TABLE: tuple[Rule, ...] = (
    *secrets.RULES,
    *money.RULES,
    *contact.RULES,
    *identity.RULES,
    *documents.RULES,
    *addresses.RULES,
    *people.RULES,
)
