"""Human words of governed access, and of what providers do with people."""

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
# What an identity provider does, as the log tells it.
PROVISIONED = {
    "scim.config.read": "A provider read how provisioning works here",
    "scim.group.create": "A provider made a group",
    "scim.group.delete": "A provider took a group away",
    "scim.group.list": "A provider looked at the groups",
    "scim.group.patch": "A provider changed a group",
    "scim.group.read": "A provider looked at a group",
    "scim.group.replace": "A provider replaced a group",
    "scim.group.search": "A provider looked for groups",
    "scim.search": "A provider looked for people and groups",
    "scim.schema.list": "A provider read the schemas",
    "scim.schema.read": "A provider read a schema",
    "scim.type.list": "A provider read the types of resources",
    "scim.type.read": "A provider read a type of resources",
    "scim.user.create": "A provider made an account",
    "scim.user.delete": "A provider shut a person out",
    "scim.user.list": "A provider looked at the people",
    "scim.user.patch": "A provider changed an account",
    "scim.user.read": "A provider looked at a person",
    "scim.user.replace": "A provider replaced what it says of a person",
    "scim.user.search": "A provider looked for people",
}
