"""Every decision names why, is never one's own, and is found in the log (promise AUD-03)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pyotp
import pytest

from house import PASSWORD, House, Person
from troth.audit.decisions import DECISIONS
from troth.kernel.operation import Group, Operation
from troth.kernel.reasons import Why

# Decisions whose request has a coarse reason of its own, and where.
OWN_REASON = {
    "hold.place": "basis",
    "restriction.place": "reason",
    "keys.compromise": "reason",
    "key-domain.retire": "lost",
    "request.refuse": "reason",
    "request.extend": "reason",
    "review.judge": "verdict",
    "review.follow-up": "reason",
}
DECIDING = re.compile(r"\.(approve|cancel|lift|suspend|retire|refuse|accept|waive|publish|clear|judge|follow-up)\Z")
ADMINISTRATION = (Group.ADMINISTER, Group.PRIVACY, Group.OPERATE, Group.REVIEW, Group.GOVERN)


def named(operation: Operation) -> Any:
    field = operation.declaration.request.model_fields.get("reason")
    return None if field is None else field.annotation


def fields(operation: Operation) -> Any:
    return operation.declaration.request.model_fields


@pytest.fixture(scope="module")
def registry(home: House) -> Any:
    return home.system.dispatcher.registry


@pytest.fixture(scope="module")
def second(home: House) -> dict[str, str]:
    """Another operator, with everything set up."""
    email = "second@troth.example.org"
    made = home.ok("POST", "/v1/operators", home.operator, email=email, display_name="Second")
    return _settled(home, email, made["password"])


def _settled(home: House, email: str, issued: str) -> dict[str, str]:
    first = {"authorization": f"Bearer {home.ok('POST', '/v1/sessions', email=email, password=issued)['token']}"}
    secret = home.ok("POST", "/v1/totp", first)["secret"]
    done = home.ok("POST", "/v1/totp/confirm", first, totp=pyotp.TOTP(secret).now())
    half = {"authorization": f"Bearer {done['token']}"}
    fresh = home.ok("POST", "/v1/password", half, current=issued, new=PASSWORD)
    return {"authorization": f"Bearer {fresh['token']}"}


def test_every_operation_that_decides_is_listed_and_names_why(registry: Any) -> None:
    deciding = {one.name for one in registry if DECIDING.search(one.name) and one.declaration.group in ADMINISTRATION}
    with_why = {one.name for one in registry if named(one) is Why}
    assert deciding <= DECISIONS
    assert with_why | OWN_REASON.keys() == DECISIONS
    assert not with_why & OWN_REASON.keys()
    assert all(fields(registry[name])["reason"].is_required() for name in with_why)
    assert all(field in fields(registry[name]) for name, field in OWN_REASON.items())


def _asked(registry: Any, home: House, owner: Person) -> Iterator[tuple[str, Any]]:
    for name in sorted(DECISIONS - OWN_REASON.keys()):
        declared = registry[name].declaration
        path = re.sub(r"{(\w+)}", lambda match: _plausible(match[1]), declared.route.path)
        who = home.operator if declared.group is Group.OPERATE else owner.headers
        body = {"days": 3} if name == "retention.set" else {"policy": "a"} if name == "redaction.set" else {}
        if name in ("routing.set", "routing.approve"):
            body = {"policy": {}} if name == "routing.set" else {"approved": True}
        if name in ("limit.set", "budget.set"):
            body = {"of": "tenant"} | ({"limits": {}} if name == "limit.set" else {"amount": "1", "at_end": "stop"})
        if name == "move.approve":
            body = {"fingerprint": "0" * 32}
        yield name, home.call(declared.route.method, path, who, **body)


def _plausible(parameter: str) -> str:
    known = {"data_class": "user-generated", "tenant_id": "ten_aaaa", "replacement_id": "rpl_aaaa", "role": "member",
             "number": "1"}  # fmt: skip
    return known.get(parameter, "aaaa")


def test_a_decision_without_a_reason_is_refused(home: House, registry: Any) -> None:
    owner = home.tenant("reasons")
    for name, response in _asked(registry, home, owner):
        assert (response.status_code, response.json()["code"]) == (422, "missing-field"), (name, response.text)
        assert "'reason'" in response.json()["detail"], name


def test_an_own_decision_is_refused_everywhere(home: House, second: dict[str, str]) -> None:
    owner = home.tenant("mirror")
    me = home.ok("GET", "/v1/me", home.operator)["id"]
    facts = {
        "name": "M",
        "base_url": "https://v.example.org/v1",
        "offers": [{"model": "m-1", "upstream": "m", "kind": "chat"}],
    }
    home.ok("POST", "/v1/vendors", home.operator, vendor_id="mirror", facts=facts)
    home.ok("POST", "/v1/offboardings", home.operator, tenant_id=owner.tenant, confirm="erase this tenant")
    home.ok("POST", "/v1/moves", home.operator, tenant_id=owner.tenant, signer=f"other={'ab' * 32}")
    officer = home.member(owner, "officer@mirror.example.org", "privacy-officer", "owner")
    home.ok("POST", "/v1/holds", officer.headers, basis="litigation", until=2_000_000_000_000, subject=owner.id)
    home.system.base.sequencer.flush()
    review = home.ok("POST", "/v1/reviews", officer.headers)
    mine = next(one["index"] for one in review["drawn"] if one["mine"])
    own_request = home.ok("POST", "/v1/requests", officer.headers, kind="access", text="Mine.")["id"]
    attempts = [
        ("POST", "/v1/vendors/mirror/approval", home.operator, {"reason": "checked"}, "same-person"),
        ("POST", f"/v1/offboardings/{owner.tenant}/approval", home.operator, {"reason": "checked"}, "own-erasure"),
        (
            "POST",
            f"/v1/moves/{owner.tenant}/approval",
            home.operator,
            {"reason": "checked", "fingerprint": "0" * 32},
            "own-wish",
        ),
        ("DELETE", f"/v1/operators/{me}", home.operator, {}, "own-account"),
        ("POST", f"/v1/users/{owner.id}/roles", owner.headers, {"role": "auditor"}, "own-role"),
        ("POST", f"/v1/users/{owner.id}/disable", owner.headers, {}, "own-account"),
        (
            "POST",
            "/v1/holds",
            officer.headers,
            {"basis": "litigation", "until": 2_000_000_000_000, "subject": officer.id},
            "own-hold",
        ),
        ("POST", f"/v1/desk/requests/{own_request}/take", officer.headers, {}, "own-request"),
        (
            "POST",
            f"/v1/reviews/{review['review']['id']}/acts/{mine}/verdict",
            officer.headers,
            {"verdict": "fine"},
            "own-act",
        ),
    ]
    seen = [(path, home.call(method, path, who, **body)) for method, path, who, body, _ in attempts]
    assert [(path, got.status_code, got.json().get("code")) for path, got in seen] == [
        (path, 403, code) for _, path, _, _, code in attempts
    ]
    for place in ("vendors/mirror", f"offboardings/{owner.tenant}"):
        other = home.call("POST", f"/v1/{place}/approval", second, reason="checked")
        assert other.json().get("code") not in ("same-person", "own-erasure"), other.text


def test_a_decision_is_found_in_the_log_by_its_id(home: House) -> None:
    owner = home.tenant("found")
    officer = home.member(owner, "officer@found.example.org", "privacy-officer", "auditor")
    hold = home.ok("POST", "/v1/holds", officer.headers, basis="litigation", until=2_000_000_000_000, subject=owner.id)
    lifted = home.call("DELETE", f"/v1/holds/{hold['id']}", officer.headers, reason="legal-duty")
    home.system.base.sequencer.flush()
    found = home.ok("GET", "/v1/decisions", officer.headers)["decisions"]
    assert [(one["operation"], one["reason"]) for one in found] == [
        ("hold.lift", "legal-duty"),
        ("hold.place", "litigation"),
    ]
    lift = found[0]
    assert (lift["actor"], lift["outcome"], lift["policies"]) == (officer.id, "done", ["officer-privacy"])
    assert re.fullmatch(r"[0-9a-f]{16}", lift["ruleset"])
    assert re.fullmatch(r"[0-9a-f]{64}", lift["evidence"])
    proof = home.ok("GET", f"/v1/activity/{lift['index']}/proof", officer.headers)
    assert f'"request":"{lifted.headers["x-request-id"]}"' in proof["leaf"].replace(" ", "")
    one = home.ok("GET", "/v1/decisions", officer.headers, limit=1)
    rest = home.ok("GET", "/v1/decisions", officer.headers, before=one["next"])
    assert [*one["decisions"], *rest["decisions"]] == found
    assert home.ok("GET", "/v1/decisions", home.tenant("elsewhere").headers)["decisions"] == []
