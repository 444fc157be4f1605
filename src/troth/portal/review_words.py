"""Human words for reviews of administrators and for decisions."""

from __future__ import annotations

VERDICTS = {"fine": "fine", "question": "a question", "wrong": "wrong"}
VERDICT_STATES = {"fine": "kept", "question": "unknown", "wrong": "broken"}
REASONS = {
    "unexplained": "nothing says why it was done",
    "no-approval": "an approval is missing",
    "not-needed": "it was not needed",
    "wrong-person": "it concerned the wrong person",
    "unusual-time": "at an unusual time",
    "against-policy": "against a rule of ours",
    "mistake": "a mistake",
}
CLEARED = {
    "explained": "it was explained",
    "approved-later": "it was approved since",
    "corrected": "it was corrected",
    "undone": "it was undone",
    "access-ended": "the access ended",
    "incident-opened": "it is handled as an incident",
    "accepted": "the risk is accepted",
}
WEIGHTS = {1: "reading", 2: "change", 3: "weighs most"}
WORDS = {**VERDICTS, **REASONS, **CLEARED}
