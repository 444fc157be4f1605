"""What tests of OSCAL share: an installation as it might be, with every state, the published schema, and faults."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from troth.promises.catalogue import catalogue
from troth.promises.oscal import words
from troth.promises.oscal.assessed import Assessed, Examined, Excuse, Found, Observed

NOW = 1_790_000_100_000
DAY = 86_400_000
SCHEMA = Path(__file__).parent / "conformance" / "vectors" / "oscal" / "complete_schema.json.gz"
HOSTILE = '<script>alert(1)</script> *bold* [a](javascript:x) `#eval("x")` \u202e\x00 {{ insert }}\n# A heading'
_STATES = ("kept", "not kept", "unknown", "kept with exception", "not configured")
_VERDICTS = ("pass", "fail", "error", "fail", "not-configured")


def assessed(most: int | None = None) -> Assessed:
    """The catalogue, or its first `most` promises, with a check for each but every seventh; all states occur."""
    promises = tuple(catalogue().values())[:most]
    covered = [(number, one) for number, one in enumerate(promises) if number % 7]
    checks = tuple(
        Examined(f"check-{one.id.lower()}", (one.id,), HOSTILE, 3600, 7200, "installation", "objects", f"{number:064x}")
        for number, one in covered
    )
    observed = tuple(
        Observed(
            f"check-{one.id.lower()}",
            _VERDICTS[number % 5],
            NOW - 1000,
            number + 1,
            f"{number:064x}",
            {"population": number, "tested": number},
            ((NOW - 2 * DAY, None), (NOW - 5 * DAY, NOW - 4 * DAY)) if _VERDICTS[number % 5] == "fail" else (),
        )
        for number, one in covered
    )
    found = tuple(_found(number, one.id) for number, one in enumerate(promises))
    return Assessed("troth.example/log/operator", "0.1.0", NOW - 30 * DAY, NOW, promises, checks, observed, found)


def _found(number: int, promise: str) -> Found:
    if not number % 7:
        return Found(promise, "unknown", "nothing looks at it yet", ())
    state = _STATES[number % 5]
    excuses = (
        (Excuse("rec_one", "a new cipher comes in June", HOSTILE, NOW + DAY),) if state == "kept with exception" else ()
    )
    return Found(promise, state, HOSTILE, (f"check-{promise.lower()}",), excuses)


@cache
def _validators() -> dict[str, Any]:
    schema = json.loads(gzip.decompress(SCHEMA.read_bytes()))
    rest = {name: one for name, one in schema.items() if name != "oneOf"}
    models = {next(name for name in one["properties"] if name != "$schema"): one for one in schema["oneOf"]}
    return {name: jsonschema_rs.validator_for({**rest, **one}) for name, one in models.items()}


def models() -> set[str]:
    """The names of all models that the published schema has."""
    return set(_validators())


def refused(document: dict[str, Any]) -> list[str]:
    """What the published schema of OSCAL 1.2.3 says against a document."""
    return [one.message for one in _validators()[next(iter(document))].iter_errors(document)]


# --- sixteen faults: (name, file, what is done to the body of the document, whether the schema finds it)


def _result(body: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = body["results"][0]
    return result


def _no_title(body: dict[str, Any]) -> None:
    del body["metadata"]["title"]


def _bad_uuid(body: dict[str, Any]) -> None:
    _result(body)["uuid"] = "not-a-uuid"


def _unknown_member(body: dict[str, Any]) -> None:
    body["groups"][0]["colour"] = "red"


def _bad_time(body: dict[str, Any]) -> None:
    _result(body)["start"] = "yesterday"


def _empty_list(body: dict[str, Any]) -> None:
    body["poam-items"] = []


def _bad_token(body: dict[str, Any]) -> None:
    body["groups"][0]["controls"][0]["id"] = "one two"


def _blank_value(body: dict[str, Any]) -> None:
    body["metadata"]["props"][0]["value"] = " "


def _wrong_type(body: dict[str, Any]) -> None:
    _result(body)["findings"][0]["target"]["status"] = "satisfied"


def _dangling_observation(body: dict[str, Any]) -> None:
    finding = next(one for one in _result(body)["findings"] if "related-observations" in one)
    finding["related-observations"][0]["observation-uuid"] = words.name_of("nobody")


def _objective_of_nobody(body: dict[str, Any]) -> None:
    _result(body)["findings"][0]["target"]["target-id"] = "zzz-99_obj"


def _method_by_hand(body: dict[str, Any]) -> None:
    _result(body)["observations"][0]["methods"] = ["AUTOMATED"]


def _ends_first(body: dict[str, Any]) -> None:
    _result(body)["end"] = "2001-01-01T00:00:00Z"


def _unknown_control(body: dict[str, Any]) -> None:
    body["control-implementation"]["implemented-requirements"][0]["control-id"] = "zzz-99"


def _unknown_role(body: dict[str, Any]) -> None:
    body["system-implementation"]["users"][0]["role-ids"] = ["nobody"]


def _twice(body: dict[str, Any]) -> None:
    observations = _result(body)["observations"]
    observations[1]["uuid"] = observations[0]["uuid"]


def _green_by_nothing(body: dict[str, Any]) -> None:
    finding = next(one for one in _result(body)["findings"] if "related-observations" not in one)
    finding["target"]["status"] = {"state": "satisfied", "reason": "pass"}


FAULTS = (
    ("title missing", words.PROFILE, _no_title, True),
    ("no uuid", words.RESULTS, _bad_uuid, True),
    ("unknown member", words.CATALOG, _unknown_member, True),
    ("no time", words.RESULTS, _bad_time, True),
    ("empty list", words.POAM, _empty_list, True),
    ("no token", words.CATALOG, _bad_token, True),
    ("blank value", words.COMPONENTS, _blank_value, True),
    ("wrong type", words.RESULTS, _wrong_type, True),
    ("dangling observation", words.RESULTS, _dangling_observation, False),
    ("objective not in the catalog", words.RESULTS, _objective_of_nobody, False),
    ("method that is none", words.RESULTS, _method_by_hand, False),
    ("end before start", words.RESULTS, _ends_first, False),
    ("control not in the catalog", words.SSP, _unknown_control, False),
    ("role of nobody", words.SSP, _unknown_role, False),
    ("one id for two things", words.RESULTS, _twice, False),
    ("satisfied by nothing", words.RESULTS, _green_by_nothing, False),
)
