"""A log entry as an OCSF 1.8.0 event: a pure mapping by models of our own (docs/decisions/0074).

What the log does not say the event does not say either. Opened details (address, agent) enter only when they are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from troth import __version__
from troth.audit.leaf import read_leaf
from troth.audit.merkle import leaf_hash
from troth.audit.ocsf_classes import (
    ACCESS,
    ACCOUNT,
    API,
    AUTHENTICATION,
    COMPLIANCE,
    DATA_SECURITY,
    DATASTORE,
    ENTITY,
    EVENT_LOG,
    LIFECYCLE,
    OTHER,
    SCAN,
    SESSION,
    SEVERE,
    EventClass,
    classify,
)

VERSION = "1.8.0"
_SEVERITIES = {1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical"}
_STATUS = {"done": (1, "Success"), "refused": (2, "Failure"), "failed": (2, "Failure"), "pending": (OTHER, "Pending")}
_OF_OUTCOME = {"refused": 2, "failed": 3}
_VERDICTS = {"pass": (1, "Pass"), "fail": (3, "Fail"), "error": (2, "Warning")}
_SHA_256 = {"algorithm": "SHA-256", "algorithm_id": 3}
_SUBJECTS = ("user", "subject")  # facts that name the person an entry is about
_THINGS = (
    *("object", "erasure", "tenant", "vendor", "key", "session", "certificate", "backup", "consent"),
    *("unit", "policy", "promise", "checks"),
)


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry in its place: `origin` is the first line of the log's checkpoints."""

    origin: str
    index: int
    leaf: bytes
    details: Mapping[str, str] = field(default_factory=dict)


def event(entry: Placed) -> dict[str, Any]:
    """The event, ready for JSON. Every leaf gives one, also of operations that a later version knows."""
    members = read_leaf(entry.leaf)
    name, phase = str(members.get("op", "")), str(members.get("phase", ""))
    kind, activity = classify(name, phase)
    made = _base(entry, members, kind, activity)
    made |= _OWN[kind.uid](entry, members) if kind.uid in _OWN else {}
    return made


def _base(entry: Placed, members: Mapping[str, Any], kind: EventClass, activity: int) -> dict[str, Any]:
    name, outcome = str(members.get("op", "")), str(members.get("outcome", ""))
    status_id, status = _STATUS.get(outcome, (0, "Unknown"))
    severity = max(SEVERE.get(name, 1), _OF_OUTCOME.get(outcome, 1))
    code = members.get("code")
    return {
        "activity_id": activity,
        "activity_name": name if activity == OTHER else kind.activities[activity],
        "category_name": kind.category[1],
        "category_uid": kind.category[0],
        "class_name": kind.caption,
        "class_uid": kind.uid,
        "message": f"{name} {members.get('phase', '')}: {outcome}",
        "metadata": _metadata(entry, members, kind),
        "raw_data": entry.leaf.decode(errors="replace"),
        "raw_data_hash": {**_SHA_256, "value": leaf_hash(entry.leaf).hex()},
        "severity": _SEVERITIES[severity],
        "severity_id": severity,
        "status": status,
        "status_id": status_id,
        "time": members["time"] if isinstance(members.get("time"), int) else 0,
        "type_name": f"{kind.caption}: {'Other' if activity == OTHER else kind.activities[activity]}",
        "type_uid": kind.uid * 100 + activity,
        "unmapped": _unmapped(entry, members),
    } | ({"status_code": str(code)} if code else {})


def _metadata(entry: Placed, members: Mapping[str, Any], kind: EventClass) -> dict[str, Any]:
    made = {
        "version": VERSION,
        "product": {"name": "Troth", "vendor_name": "Troth", "version": __version__},
        "uid": f"{entry.origin}/{entry.index}",  # one event each; the request joins the events of one call
        "correlation_uid": _text(members.get("request")),
        "event_code": _text(members.get("op")),
        "log_name": entry.origin,
        "log_provider": "troth",
        "sequence": entry.index,
        "tenant_uid": _text(members.get("tenant")),
        "profiles": ["ai_operation"] if kind is API and _ai(members) else None,
    }
    return {name: value for name, value in made.items() if value is not None}


def _unmapped(entry: Placed, members: Mapping[str, Any]) -> dict[str, Any]:
    """What has no place in the class: how to prove the entry, the policies that decided, and its facts."""
    kept = {name: members[name] for name in ("phase", "policies", "evidence", "facts", "pd") if name in members}
    reason = {"reason": entry.details["reason"]} if "reason" in entry.details else {}
    return {**kept, **reason, "proof": {"format": "c2sp.org/tlog-proof@v1", "log": entry.origin, "index": entry.index}}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _facts(members: Mapping[str, Any]) -> Mapping[str, Any]:
    facts = members.get("facts")
    return facts if isinstance(facts, dict) else {}


def _actor(entry: Placed, members: Mapping[str, Any]) -> dict[str, Any]:
    actor = str(members.get("actor", "")) or "unknown"
    if actor.partition("_")[0] != "usr":
        return {"app_uid": actor}
    session = entry.details.get("session")
    return {"user": {"uid": actor}} | ({"session": {"uid": session}} if session else {})


def _user(members: Mapping[str, Any]) -> dict[str, Any]:
    about = next((_facts(members)[name] for name in _SUBJECTS if name in _facts(members)), members.get("actor"))
    return {"uid": str(about or "unknown")}


def _endpoint(entry: Placed) -> dict[str, Any]:
    """Required of some classes; where the address is sealed, or there is none, the event says that it withholds it."""
    address = entry.details.get("address")
    return {"ip": address} if address else {"name": "withheld"}


def _from(entry: Placed) -> dict[str, Any]:
    agent = entry.details.get("agent")
    known = {"src_endpoint": _endpoint(entry)} if entry.details.get("address") else {}
    return known | ({"http_request": {"user_agent": agent}} if agent else {})


def _thing(members: Mapping[str, Any]) -> tuple[str, str]:
    """What the entry is about: its kind and id; the operation's noun when it names none."""
    facts = _facts(members)
    found = next(((name, str(facts[name])) for name in _THINGS if isinstance(facts.get(name), str)), None)
    noun = str(members.get("op", "")).partition(".")[0] or "unknown"
    return found or (noun, str(members.get("tenant") or members.get("log") or "unknown"))


def _privileges(members: Mapping[str, Any]) -> list[str]:
    return [str(_facts(members).get("role", "second factor"))]


def _ai(members: Mapping[str, Any]) -> dict[str, Any]:
    """The profile `ai_operation`, for calls of which the log names vendor and model."""
    facts = _facts(members)
    if not (isinstance(facts.get("model"), str) and isinstance(facts.get("vendor"), str)):
        return {}
    made: dict[str, Any] = {"ai_model": {"name": facts["model"], "ai_provider": facts["vendor"]}}
    tokens = facts.get("tokens")
    context: dict[str, Any] = {"service": {"name": "Troth gateway"}, "uid": str(members.get("request", ""))}
    if isinstance(tokens, dict):
        named = {"prompt": "prompt_tokens", "completion": "completion_tokens", "total": "total_tokens"}
        context |= {named[one]: count for one, count in tokens.items() if one in named}
    elif isinstance(tokens, int):
        context["total_tokens"] = tokens
    return made | {"message_context": context}


def _api(entry: Placed, members: Mapping[str, Any]) -> dict[str, Any]:
    api: dict[str, Any] = {
        "operation": str(members.get("op", "")),
        "request": {"uid": str(members.get("request", ""))},
        "service": {"name": "Troth"},
        "version": __version__,
    }
    if code := members.get("code"):
        api["response"] = {"error": str(code)}
    kind, identifier = _thing(members)
    made = {"api": api, "resources": [{"type": kind, "uid": identifier}], "actor": _actor(entry, members)}
    return {**made, **_from(entry), "src_endpoint": _endpoint(entry), **_ai(members)}


def _datastore(entry: Placed, members: Mapping[str, Any]) -> dict[str, Any]:
    kind, identifier = _thing(members)
    bucket = {"type": kind, "type_id": OTHER, "uid": identifier, "is_encrypted": True}
    known = {**_from(entry), "src_endpoint": _endpoint(entry)}
    return {"actor": _actor(entry, members), "databucket": bucket, **known}


def _authentication(entry: Placed, members: Mapping[str, Any]) -> dict[str, Any]:
    session = _facts(members).get("session")
    made = {"user": _user(members), "service": {"name": "Troth"}, **_from(entry)}
    return made | ({"session": {"uid": session}} if isinstance(session, str) else {})


def _person(entry: Placed, members: Mapping[str, Any]) -> dict[str, Any]:
    return {"user": _user(members), "actor": _actor(entry, members), **_from(entry)}


def _access(entry: Placed, members: Mapping[str, Any]) -> dict[str, Any]:
    return _person(entry, members) | {"privileges": _privileges(members)}


def _entity(entry: Placed, members: Mapping[str, Any]) -> dict[str, Any]:
    kind, identifier = _thing(members)
    return {"entity": {"type": kind, "uid": identifier}, "actor": _actor(entry, members), **_from(entry)}


def _log(entry: Placed, members: Mapping[str, Any]) -> dict[str, Any]:
    made = {"actor": _actor(entry, members), "log_name": entry.origin, "log_provider": "troth"}
    return made | ({"src_endpoint": _endpoint(entry)} if entry.details.get("address") else {})


def _scan(_entry: Placed, members: Mapping[str, Any]) -> dict[str, Any]:
    kind, identifier = _thing(members)
    return {"scan": {"name": str(members.get("op", "")), "type": kind, "type_id": OTHER, "uid": identifier}}


def _compliance(_entry: Placed, members: Mapping[str, Any]) -> dict[str, Any]:
    check = str(_facts(members).get("checks", members.get("op", "")))
    status_id, status = _VERDICTS.get(str(members.get("code", "")), (OTHER, "Not configured"))
    compliance = {"control": check, "standards": ["Troth promises"], "status": status, "status_id": status_id}
    return {"compliance": compliance, "finding_info": {"uid": check, "title": f"Check {check}"}}


def _finding(entry: Placed, members: Mapping[str, Any]) -> dict[str, Any]:
    request = str(members.get("request", "unknown"))
    return {"actor": _actor(entry, members), "finding_info": {"uid": request, "title": "Personal data taken out"}}


def _application(_entry: Placed, _members: Mapping[str, Any]) -> dict[str, Any]:
    return {"app": {"name": "Troth", "version": __version__}}


_OWN = {
    API.uid: _api,
    DATASTORE.uid: _datastore,
    AUTHENTICATION.uid: _authentication,
    ACCOUNT.uid: _person,
    SESSION.uid: _access,
    ACCESS.uid: _access,
    ENTITY.uid: _entity,
    EVENT_LOG.uid: _log,
    SCAN.uid: _scan,
    COMPLIANCE.uid: _compliance,
    DATA_SECURITY.uid: _finding,
    LIFECYCLE.uid: _application,
}
