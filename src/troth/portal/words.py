"""Human words for the names that operations, facts and kinds carry in records."""

from __future__ import annotations

import re

# What was done, as the log tells it: the same words for oneself and for somebody else.
OPERATIONS = {
    "account.rectify": "Corrected the account",
    "account.show": "Looked at the account",
    "activity.list": "Read the own activity",
    "activity.prove": "Took the proof of an own entry",
    "asset.open": "Opened a picture by its link",
    "audit.list": "Read the log",
    "audit.prove": "Took the proof of an entry",
    "certificate.show": "Downloaded a certificate",
    "certificate.verify": "Checked a certificate",
    "chat.complete": "Asked a model for an answer",
    "check.run": "Ran the checks",
    "backup.drill": "Tried a backup",
    "backup.drilled": "Restore on trial",
    "backup.list": "Listed the backups",
    "backup.made": "Backup made",
    "backup.restored": "Restored from a backup",
    "backup.run": "Asked for a backup",
    "backup.verified": "Backup verified",
    "consent.grant": "Agreed to a purpose",
    "consent.granted": "Consent recorded",
    "consent.list": "Looked at the consents",
    "consent.receipt": "Took the receipt of a consent",
    "consent.withdraw": "Withdrew a consent",
    "consent.withdrawn": "Withdrawal recorded",
    "data.export": "Took a copy of everything",
    "erasure.approve": "Approved an erasure",
    "erasure.approved": "Erasure approved by a second officer",
    "erasure.called-off": "Erasure called off",
    "erasure.cancel": "Called off an erasure",
    "erasure.closing": "Shut until the erasure is due",
    "erasure.list": "Listed the erasures",
    "erasure.period": "Erased a period",
    "erasure.certified": "Erasure certified",
    "erasure.own": "Erased everything about themselves",
    "erasure.request": "Erased a person on request",
    "erasure.requested": "Erasure asked for",
    "erasure.sealed": "Keys destroyed and erasure proven",
    "erasure.show": "Looked at an erasure",
    "erasure.tombstoned": "Shut for good before the keys went",
    "hold.lift": "Lifted a legal hold",
    "hold.lifted": "Legal hold ended",
    "hold.list": "Listed the legal holds",
    "hold.place": "Placed a legal hold",
    "hold.placed": "Legal hold recorded",
    "file.content": "Downloaded a file",
    "file.create": "Uploaded a file",
    "file.delete": "Erased a file",
    "file.list": "Listed the files",
    "file.show": "Looked at a file",
    "image.edit": "Had a picture changed",
    "image.generate": "Had a picture made",
    "key-domain.list": "Listed the key domains",
    "key-domain.replicate": "Copied the key pages to every domain",
    "key-domain.retire": "Gave a key domain up",
    "key.create": "Made an API key",
    "key.list": "Listed the API keys",
    "key.revoke": "Ended an API key",
    "keys.active": "Keys came into use",
    "keys.alarm": "Start refused: keys were rolled back",
    "keys.compromise": "Replaced exposed keys",
    "keys.compromised": "Keys marked as compromised",
    "keys.deactivated": "Keys taken out of use",
    "keys.destroyed": "Keys destroyed",
    "keys.domain-given-up": "Key domain given up",
    "keys.epoch": "New epoch of the key tree",
    "keys.list": "Looked at the keys",
    "keys.pre-activation": "Keys made",
    "keys.rotate": "Rotated keys",
    "keys.suspended": "Keys suspended",
    "log.fetch": "Fetched a part of the log",
    "model.list": "Listed the models",
    "model.show": "Looked at a model",
    "object.delete": "Erased an object",
    "object.deleted": "Object gone",
    "object.kept": "Object sealed and kept",
    "object.left": "An owner left a shared object",
    "object.list": "Listed the data",
    "object.open": "Opened an object",
    "objection.lift": "Took an objection back",
    "objection.lifted": "Objection ended",
    "objection.list": "Looked at the objections",
    "objection.raised": "Objection recorded",
    "offboarding.approve": "Approved the erasure of a tenant",
    "offboarding.cancel": "Called off the erasure of a tenant",
    "offboarding.certificate": "Downloaded the certificate of a tenant's erasure",
    "offboarding.list": "Listed the erasures of tenants",
    "offboarding.request": "Asked to erase a tenant",
    "operator.create": "Made an operator",
    "operator.disable": "Shut an operator out",
    "operator.list": "Listed the operators",
    "object.show": "Looked at an object",
    "password.change": "Changed the password",
    "processing.restrict": "Restricted the use of their data",
    "processing.restricted": "Use of data restricted",
    "processing.resume": "Permitted the use of their data again",
    "processing.resumed": "Restriction ended",
    "processing.show": "Looked whether use is restricted",
    "promise.list": "Read the promises",
    "public.read": "Strangers read what is published",
    "receipt.show": "Read what a vendor received",
    "request.answer": "Answered a request",
    "request.answered": "Request answered",
    "request.confirm": "Confirmed a request as their own",
    "request.confirmed": "Receipt of a request confirmed",
    "request.due-soon": "A request is due soon",
    "request.extend": "Took longer for a request",
    "request.extended": "Longer term of a request begun",
    "request.file": "Asked for a right",
    "request.list": "Listed the own requests",
    "request.notify": "Sent a notice by hand",
    "request.open": "Read a request",
    "request.overdue": "A request is overdue",
    "request.queue": "Listed the requests of people",
    "request.received": "Request received",
    "request.refuse": "Refused a request",
    "request.refused": "Request refused",
    "request.show": "Looked at a request",
    "request.sort": "Sorted a request",
    "request.sorted": "Request sorted",
    "request.take": "Took a request",
    "request.taken": "Request in progress",
    "request.verified": "It was shown who asks",
    "request.verify": "Said how it was seen who asks",
    "request.withdraw": "Took a request back",
    "request.withdrawn": "Request withdrawn",
    "restriction.lift": "Ended a restriction on request",
    "restriction.list": "Listed the restrictions",
    "restriction.place": "Restricted a person's data on request",
    "retention.clear": "Removed a retention rule",
    "retention.set": "Set a retention rule",
    "retention.show": "Looked at the retention schedule",
    "retention.rule": "Retention rule set",
    "retention.swept": "Expired data removed",
    "role.assign": "Gave a role",
    "role.remove": "Took a role away",
    "session.create": "Signed in",
    "session.delete": "Ended a session",
    "session.list": "Listed the sessions",
    "session.opened": "Sign-in succeeded",
    "session.refused": "Sign-in refused",
    "session.step-up": "Confirmed it is them with a code",
    "statement.add": "Made a statement",
    "statement.added": "Statement attached",
    "statement.list": "Looked at the statements",
    "tenant.create": "Created a tenant",
    "tenant.list": "Listed the tenants",
    "placement.inventory": "Counted where everything is kept",
    "placement.own": "Counted where the data of the tenant is kept",
    "tenant.packed": "Sealed the tenant's data for another jurisdiction",
    "tenant.arrived": "Took the tenant in from another jurisdiction",
    "totp.confirm": "Set up the second factor",
    "totp.enrol": "Asked for an authenticator secret",
    "user.create": "Added a person",
    "user.disable": "Shut a person out",
    "user.list": "Listed the people",
    "vendor.add": "Put a vendor on file",
    "vendor.amend": "Changed a vendor's papers",
    "vendor.approve": "Approved a vendor",
    "vendor.list": "Listed the vendors",
    "vendor.show": "Looked at a vendor",
    "vendor.suspend": "Suspended a vendor",
}
SCOPES_ERASED = {
    "object": "an object",
    "subject": "a person",
    "period": "a class and period",
    "tenant": "the whole tenant",
    "retention": "what had expired",
}
KINDS = {
    "output": "Picture",
    "upload": "Upload",
    "answer": "Answer",
    "prompt": "Prompt",
    "thumbnail": "Thumbnail",
    "receipt": "Receipt",
    "export": "Copy",
    "file-vision": "Uploaded picture",
    "file-assistants": "Uploaded file",
    "file-user-data": "Uploaded file",
}
ROLES = {
    "owner": "owner",
    "admin": "administrator",
    "member": "member",
    "auditor": "auditor",
    "privacy-officer": "privacy officer",
    "operator": "operator",
}
RIGHTS = {
    "access": "A copy of my data",
    "portability": "My data, to take elsewhere",
    "erasure": "Erase my data",
    "rectification": "Correct my data",
    "restriction": "Restrict the use of my data",
    "objection": "Object to a use of my data",
    "opt-out": "No sale or sharing of my data",
    "unsorted": "A message, not sorted yet",
}
PURPOSES = {
    "training": "training of models",
    "vendor-retention": "vendors that keep requests",
    "analytics": "analytics",
    "sale": "sale",
    "sharing": "sharing for advertising",
}
REQUEST_STATES = {
    "received": "received",
    "confirmed": "receipt confirmed",
    "verified": "identity shown",
    "in-progress": "in progress",
    "extended": "in progress, longer term",
    "answered": "answered",
    "refused": "refused",
    "withdrawn": "withdrawn",
}
URGENCIES = {"overdue": "overdue", "due-soon": "due soon", "on-time": "on time", "none": "no clock"}
LAWS = {"gdpr": "GDPR", "ccpa": "CCPA"}
CHANNELS = {"portal": "the portal", "api": "a program", "mail": "e-mail", "gpc": "your browser's signal"}
LEVELS = {0: "not shown", 1: "weak: an address or a key", 2: "shown"}
MEANS = {
    "in-person": "in person",
    "known-channel": "over a channel known before",
    "document-seen": "a document was seen (no copy kept)",
    "video-call": "in a video call",
}
REFUSALS = {
    "identity-not-shown": "it was not shown who asks",
    "agent-without-proof": "somebody asks for another without proof",
    "nothing-held": "nothing is held",
    "unfounded-or-excessive": "manifestly unfounded or excessive",
    "legal-duty": "a legal duty stands against it",
    "rights-of-others": "the rights of others stand against it",
    "not-covered": "the law does not cover it",
    "duplicate": "it was asked before",
    "not-a-request": "the message asks for no right",
}
WHY_LONGER = {"complexity": "it is complex", "number-of-requests": "there are many requests"}
NOTICES = {"receipt": "Receipt", "extension": "Longer term", "answer": "Answer", "refusal": "Refusal"}
SCOPES = {
    "generate": "generate text and pictures",
    "own-data": "read my data",
    "own-data:write": "change and erase my data",
}
OUTCOMES = {"done": "done", "refused": "refused", "failed": "failed", "pending": "begun"}
METHODS = {
    "password": "password",
    "password+totp": "password and code",
    "password+recovery": "password and recovery code",
    "api-key": "API key",
    "local-operator": "on the machine itself",
}
ZONES = {"loopback": "this machine", "private": "a private network", "public": "the internet", "unknown": "unknown"}
JURISDICTIONS = {"eu": "European Union", "us": "United States", "au": "Australia"}
RETENTIONS = {
    "zero": "nothing is kept after the answer",
    "transient": "kept in memory while the request runs, never stored",
}
_REQUEST = re.compile(r"(req_[A-Za-z0-9]+)[-.]")


def plain(name: str) -> str:
    """Any token as words: `privacy-officer` becomes `privacy officer`."""
    return re.sub(r"[-_.]+", " ", name)


def operation(name: str) -> str:
    """What was done."""
    return OPERATIONS.get(name) or plain(name).capitalize()


def kind(name: str) -> str:
    """What sort of object it is."""
    return KINDS.get(name) or plain(name.removeprefix("file-")).capitalize()


def retention(name: str, days: int) -> str:
    """What a vendor's agreement lets it keep of a request."""
    if name == "days":
        return f"kept for {days} day{'' if days == 1 else 's'}"
    return RETENTIONS.get(name) or plain(name)


def title(kind_name: str, name: str) -> str:
    """What to call an object: an upload by its own name, what the gateway named by its kind."""
    if not name or _REQUEST.match(name):
        return kind(kind_name)
    return name


def request_of(name: str) -> str | None:
    """The id of the request that made an object, when the gateway named the object after it."""
    found = _REQUEST.match(name)
    return found[1] if found else None
