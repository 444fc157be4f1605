"""The table of rules: every row of every family."""

from __future__ import annotations

from troth.redact.detect.rule import Rule, of_family
from troth.redact.detect.rules import accounts, addresses, contact, documents, identity, money, people, secrets

TABLE: tuple[Rule, ...] = (
    *of_family("sign", secrets.RULES),
    *accounts.RULES,
    *money.RULES,
    *contact.RULES,
    *identity.RULES,
    *documents.RULES,
    *of_family("street", addresses.RULES),
    *of_family("person", people.RULES),
)
