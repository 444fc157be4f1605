"""Human words for the names that facts, kinds and codes carry in records; of operations in `operation_words`."""

from __future__ import annotations

import re

from troth.portal import operation_words

OPERATIONS = operation_words.OPERATIONS
WHY = {
    "checked": "checked, and it holds",
    "on-request": "whom it concerns asked",
    "legal-duty": "a law or an authority demands it",
    "contract": "a contract demands it",
    "rule": "a rule of ours demands it",
    "security": "security",
    "no-longer-needed": "no longer needed",
    "mistake": "it was a mistake",
    "accepted-risk": "the risk is accepted",
}
SCOPES_ERASED = {
    "object": "an object",
    "subject": "a person",
    "period": "a class and period",
    "tenant": "the whole tenant",
    "retention": "what had expired",
    "remainder": "keys that others shared",
}
KINDS = {
    "output": "Picture",
    "upload": "Upload",
    "answer": "Answer",
    "prompt": "Prompt",
    "thumbnail": "Thumbnail",
    "receipt": "Receipt",
    "export": "Copy",
    "video": "Video",
    "video-order": "What a video was ordered with",
    "video-thumbnail": "Thumbnail of a video",
    "video-spritesheet": "Frames of a video",
    "file-vision": "Uploaded picture",
    "file-assistants": "Uploaded file",
    "file-user-data": "Uploaded file",
}
VIDEO_STATES = {"queued": "waiting", "in_progress": "being made", "completed": "finished", "failed": "failed"}
ROLES = {
    "owner": "owner",
    "admin": "administrator",
    "member": "member",
    "auditor": "auditor",
    "room-auditor": "auditor, in a room alone",
    "privacy-officer": "privacy officer",
    "security-analyst": "security analyst",
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
NOTICES = {
    "receipt": "Receipt",
    "extension": "Longer term",
    "answer": "Answer",
    "refusal": "Refusal",
    "receipt-copy": "Receipt, to the account",
    "extension-copy": "Longer term, to the account",
    "answer-copy": "Answer, to the account",
    "refusal-copy": "Refusal, to the account",
    "erased": "Last letter after an erasure",
}
SCOPES = {
    "generate": "generate text and pictures",
    "own-data": "read my data",
    "own-data:write": "change and erase my data",
}
KEY_STATES = {"ends-soon": "ends soon", "replaced": "replaced", "ended": "ended", "lapsed": "not used for long"}
DETAILS = {
    "address": "Address",
    "agent": "Program",
    "door": "Door",
    "reason": "Reason",
    "session": "Session or key",
}
DETAIL_STATES = {
    "none": "Nothing was kept.",
    "erased": "Erased, with the person it was about or when its time was over. The entry and its proof stay.",
    "unavailable": "The keys could not be used, when the entry was written or now.",
    "not-yours": "It is about somebody else, so only an auditor may open it.",
}
OUTCOMES = {"done": "done", "refused": "refused", "failed": "failed", "pending": "begun"}
CODES = {
    "access-denied": "not allowed",
    "conflict": "not possible at that time",
    "gone": "it was erased or had expired",
    "internal": "something unexpected happened",
    "invalid": "what was asked was not valid",
    "no-proof": "the proof was not ready yet",
    "not-found": "there was nothing of that name",
    "session-expired": "the session had ended",
    "sign-in-failed": "address, password or code was wrong",
    "sign-in-throttled": "too many attempts",
    "too-many-requests": "too many requests at once",
    "last-second-factor": "it was the last second factor",
    "passkey-counter": "the passkey may have been copied",
    "passkey-refused": "the passkey was not accepted",
    "device-bound": "a key of a device answered for the session already",
    "device-too-late": "the sign-in was too long ago to bind the session to a device",
    "proof-invalid": "the proof of the device's key was not right",
    "proof-required": "no proof of the session's key was shown",
    "device-unbound": "no key of a device answered for the session",
    "second-factor-required": "a second factor was not set up yet",
    "step-up-required": "it was to be shown anew who it is",
    "totp-required": "the second factor was missing",
    "unavailable": "not available at that moment",
    "vendor-failed": "the vendor did not answer as agreed",
    "wrong-password": "the password was wrong",
}
BINDINGS = {
    None: "not bound",
    "dpop": "bound to a program's key",
    "webcrypto": "bound to a key of the browser",
    "dbsc": "bound by the browser",
}
METHODS = {
    "password": "password",
    "password+totp": "password and code",
    "password+recovery": "password and recovery code",
    "passkey": "passkey",
    "api-key": "API key",
    "sso": "through your organisation",
    "local-operator": "on the machine itself",
    "device-code": "command line, approved in a browser",
    "passkey+device-code": "command line, approved by a passkey",
    "private-key-jwt": "service, by its key",
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


def code(name: str) -> str:
    """Why something was refused or failed."""
    return CODES.get(name) or plain(name)


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
