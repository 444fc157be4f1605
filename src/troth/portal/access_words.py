"""Human words of governed access."""

from __future__ import annotations

GROUPS = {
    "own-keys": "make API keys of their own",
    "generate": "generate text and pictures",
    "administer": "administer people, without giving roles",
    "privacy": "handle the rights of others, without approving",
    "audit": "read the log, reviews and who has what",
    "review": "judge what administrators did, and who keeps what",
    "govern": "keep the registers, as an admin does",
}
STATES = {"asked": "waits", "active": "holds", "refused": "refused", "ended": "ended"}
STATE_CLASSES = {"asked": "unknown", "active": "kept", "refused": "broken", "ended": "absent"}
OUTCOMES = {
    "kept": "kept",
    "removed": "removed",
    "lapsed": "lapsed: nobody kept it",
    "renewed": "given anew meanwhile",
    "ended": "had ended",
    "last-owner": "stays: the last owner, whom nobody reviewed",
    "open": "to decide",
}
VERDICTS = {"justified": "justified", "unjustified": "not justified"}
LEFT = {
    "objects": "objects",
    "holds": "legal holds",
    "requests": "open requests",
    "service-accounts": "service accounts",
}
