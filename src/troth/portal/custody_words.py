"""Words of what watches the log for completeness, and of the custody of an object."""

from __future__ import annotations

COMPLETENESS = {
    "clock.checked": "Compared the clock with network time",
    "custody.show": "Looked at the custody of an object",
    "database.changed": "Rows were changed beside Troth",
    "database.unwatched": "Triggers on privileged tables were missing",
    "log.replayed": "Logs of a restored database were brought up to what was signed",
    "object.custody": "Looked at the custody of an object",
    "outbox.refused": "Rows that no log can take were set aside",
    "reconciliation.begun": "Began to compare counters with the log",
    "reconciliation.done": "Counters and log agree",
    "reconciliation.mismatch": "Counters and log differ",
    "scrub.done": "Read all stored objects again",
    "scrub.mismatch": "A stored object is not as it was kept",
    "service.started": "The service started",
}
STATEMENTS = {
    "unbroken": "At no time was it outside an encrypted state.",
    "unknown": "Not everything about it can be told.",
    "broken": "What lies there now is not as it was kept.",
}
STEPS = {
    "ingest": "came in",
    "access": "was opened or looked at",
    "derivation": "something was made of it",
    "disclosure": "was shown to somebody else",
    "deletion": "was deleted",
    "other": "",
}
REASONS = {
    "no-ingest": "The log does not hold the moment it came in.",
    "log-broken": "The log in the database is not the one that was placed.",
    "key-not-usable": "Its key is not in use now, so its bytes could not be checked.",
    "no-deletion": "It is gone, and the log does not say how.",
}
