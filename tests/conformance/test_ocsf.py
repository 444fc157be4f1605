"""Every operation's entries as OCSF 1.8.0 events, against the published schema (ocsf-json-schema, MIT)."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

import schema_reader
from troth.audit.merkle import leaf_hash
from troth.audit.ocsf import Placed, event
from troth.audit.ocsf_classes import API, CLASSES, OTHER, classify
from troth.cli.remote import commands
from troth.kernel.record import Entry, Outcome
from troth.portal.words import OPERATIONS
from troth.storage.outbox import row

ORIGIN = "troth.example/log/ten_a"
DETAILS = {"address": "203.0.113.7", "agent": "curl/8", "session": "ses_a", "door": "api", "reason": "a ticket"}
FACTS: dict[str, Any] = {"object": "obj_a", "user": "usr_b", "role": "auditor", "session": "ses_b", "counts": {"a": 1}}


@cache
def schema() -> OcsfJsonSchemaEmbedded:
    return OcsfJsonSchemaEmbedded(get_ocsf_schema("1.8.0"))


@cache
def of_class(class_uid: int, profiles: tuple[str, ...]) -> dict[str, Any]:
    name = schema().lookup_class_name_from_uid(class_uid)
    return dict(schema().get_class_schema(name, list(profiles)))


def problems(made: dict[str, Any]) -> list[str]:
    profiles = tuple(made["metadata"].get("profiles", ()))
    return list(schema_reader.problems(json.loads(json.dumps(made)), of_class(made["class_uid"], profiles)))


def leaf(operation: str, phase: str = "closed", outcome: Outcome = Outcome.DONE, **facts: Any) -> bytes:
    code = "not-now" if outcome in (Outcome.REFUSED, Outcome.FAILED) else None
    made = Entry("ten_a", operation, phase, outcome, "req_a", "usr_a", "ten_a", 1_790_000_000_000, code, facts=facts)
    return bytes(row(made)["leaf"])


@pytest.mark.parametrize("details", [{}, DETAILS], ids=["sealed", "opened"])
@pytest.mark.parametrize("facts", [{}, FACTS], ids=["bare", "facts"])
def test_every_operation_and_outcome_is_a_valid_event(facts: dict[str, Any], details: dict[str, str]) -> None:
    phases = [("opened", Outcome.PENDING), *(("closed", one) for one in Outcome if one is not Outcome.PENDING)]
    for operation in OPERATIONS:
        for phase, outcome in [*phases, ("event", Outcome.DONE)]:
            made = event(Placed(ORIGIN, 7, leaf(operation, phase, outcome, **facts), details))
            assert problems(made) == [], operation
            assert made["type_uid"] == made["class_uid"] * 100 + made["activity_id"]


def test_names_of_classes_and_activities_are_those_of_the_schema() -> None:
    published = {one["uid"]: one for one in get_ocsf_schema("1.8.0")["classes"].values()}
    for one in CLASSES:
        there = published[one.uid]
        assert (one.caption, one.category[0]) == (there["caption"], there["category_uid"])
        captions = {int(key): value["caption"] for key, value in there["attributes"]["activity_id"]["enum"].items()}
        assert {key: captions[key] for key in one.activities} == one.activities


def test_every_operation_of_the_registry_has_a_class_and_an_activity() -> None:
    declared = {declaration.name for declaration, _ in commands().values()} | set(OPERATIONS)
    unknown = [name for name in declared if classify(name, "closed") == (API, OTHER)]
    assert unknown == [], "name them in audit/ocsf_classes.py"
    assert classify("thing.frobnicate", "closed") == (API, OTHER)


def test_a_generation_has_the_model_and_its_tokens() -> None:
    facts = {"vendor": "ven_a", "model": "m-1", "tokens": {"prompt": 3, "completion": 4, "total": 7}}
    made = event(Placed(ORIGIN, 7, leaf("chat.complete", **facts)))
    assert problems(made) == []
    assert made["metadata"]["profiles"] == ["ai_operation"]
    assert made["ai_model"] == {"name": "m-1", "ai_provider": "ven_a"}
    assert made["message_context"]["completion_tokens"] == 4


def test_what_is_sealed_is_not_said_and_what_was_opened_is() -> None:
    sealed, opened = (event(Placed(ORIGIN, 7, leaf("object.open"), one)) for one in ({}, DETAILS))
    assert not any(value in json.dumps(sealed) for value in DETAILS.values() if value != "api")
    assert opened["src_endpoint"] == {"ip": "203.0.113.7"}
    assert opened["http_request"] == {"user_agent": "curl/8"}
    assert opened["unmapped"]["reason"] == "a ticket"


def test_the_event_names_its_place_and_the_hash_that_a_proof_is_about() -> None:
    entry = leaf("object.open")
    made = event(Placed(ORIGIN, 7, entry))
    assert made["raw_data_hash"]["value"] == leaf_hash(entry).hex()
    assert made["raw_data"].encode() == entry
    assert (made["metadata"]["sequence"], made["metadata"]["uid"]) == (7, f"{ORIGIN}/7")
    assert made["metadata"]["correlation_uid"] == "req_a"
    assert made["unmapped"]["proof"] == {"format": "c2sp.org/tlog-proof@v1", "log": ORIGIN, "index": 7}


@pytest.mark.parametrize(("code", "status"), [("pass", 1), ("fail", 3), ("error", 2), ("not-configured", OTHER)])
def test_a_checked_promise_is_a_compliance_finding(code: str, status: int) -> None:
    entry = Entry("operator", "check.run", "event", Outcome.DONE, "run_a", "svc_promises", None, 1, code)
    made = event(Placed("troth.example/log/operator", 1, bytes(row(entry)["leaf"])))
    assert problems(made) == []
    assert (made["class_uid"], made["compliance"]["status_id"]) == (2003, status)


def test_a_strange_leaf_is_an_event_too() -> None:
    for strange in (b"", b"[]", b"\xff", b'{"op":1,"facts":[]}', b'{"op":"a.b","facts":{"object":{"x":1}}}'):
        assert problems(event(Placed(ORIGIN, 0, strange))) == []


def test_the_validator_refuses_what_the_schema_does_not_have() -> None:
    made = event(Placed(ORIGIN, 7, leaf("object.open")))
    assert problems({**made, "severity_id": 12})
    assert problems({**made, "prompt": "x"})
