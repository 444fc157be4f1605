"""The bill of materials of this environment against the schema that CycloneDX publishes (1.6)."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from troth.governance.prepared.sbom import bill, installed

FOLDER = Path(__file__).parent / "fixtures" / "cyclonedx"


@pytest.fixture(scope="module")
def schema() -> Any:
    named = {path.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
    others = [(f"http://cyclonedx.org/schema/{name}", one) for name, one in named.items()]
    options: dict[str, Any] = {"registry": jsonschema_rs.Registry(others)}
    return jsonschema_rs.Draft7Validator(named["bom-1.6.SNAPSHOT.schema.json"], **options)


def test_the_bill_is_one_of_cyclonedx(schema: Any) -> None:
    found = bill(installed().components, 1_795_392_000_000)
    assert [one.message for one in schema.iter_errors(found)][:3] == []
    assert len(found["components"]) > 50


@pytest.mark.parametrize("spoil", ["bomFormat", "type", "version"])
def test_a_bill_that_is_none_is_refused(schema: Any, spoil: str) -> None:
    found = copy.deepcopy(bill(installed().components, 1_795_392_000_000))
    if spoil == "bomFormat":
        found["bomFormat"] = "other"
    elif spoil == "type":
        found["components"][0]["type"] = "thing"
    else:
        found["version"] = 0
    assert not schema.is_valid(found)
