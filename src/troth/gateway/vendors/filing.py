"""How a vendor lies in its row: the facts, and what was observed since. Rows of before have the facts alone."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache

from troth.gateway.vendors.record import Contact, DueDiligence, Happened, Observed

MAX_HISTORY, MAX_CONTACTS = 200, 20  # the newest; the audit log has all


@lru_cache(maxsize=256)
def read(text: str) -> tuple[DueDiligence, Observed]:
    """What is on file, parsed once for a text: every request reads the rows."""
    stored = json.loads(text)
    if "on_file" not in stored:
        return DueDiligence.model_validate(stored), Observed()
    return DueDiligence.model_validate_json(json.dumps(stored["on_file"])), Observed.model_validate(stored["observed"])


def written(facts: DueDiligence, observed: Observed) -> str:
    """The text for a row; `read` gives back the same."""
    kept = {"on_file": facts.model_dump(mode="json"), "observed": observed.model_dump(mode="json")}
    return json.dumps(kept)


def digest(facts: DueDiligence) -> str:
    """SHA-256 of what is on file, in hex."""
    return hashlib.sha256(facts.model_dump_json().encode()).hexdigest()


def changed(before: DueDiligence, after: DueDiligence) -> tuple[str, ...]:
    """Names of the fields that differ, sorted."""
    return tuple(sorted(name for name in DueDiligence.model_fields if getattr(before, name) != getattr(after, name)))


def with_event(observed: Observed, event: Happened) -> Observed:
    """The same with one more line of history."""
    return observed.model_copy(update={"history": (*observed.history, event)[-MAX_HISTORY:]})


def with_contact(observed: Observed, test: Contact) -> Observed:
    """The same with one more test of the contact."""
    return observed.model_copy(update={"contacts": (*observed.contacts, test)[-MAX_CONTACTS:]})
