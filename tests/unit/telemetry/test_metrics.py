"""Labels come from closed sets; what is counted stands in the exposition."""

from __future__ import annotations

from prometheus_client import generate_latest

from troth.kernel.watch import Kind, watched
from troth.telemetry.labels import MOST, Labels
from troth.telemetry.metrics import Meter

NEEDLE = "jane.doe@example.com"


def shown(meter: Meter) -> str:
    return generate_latest(meter.registry).decode()


def meter() -> Meter:
    made = Meter()
    made.know(routes=["/v1/models", "/data/{object_id}"], operations=["model.list"])
    return made


def test_a_label_takes_known_values_and_a_few_more() -> None:
    labels = Labels(frozenset({"a"}), more=10_000)
    assert labels.of("a") == "a"
    assert [labels.of(f"m{number}") for number in range(MOST + 5)].count("other") == 5
    assert labels.of("m1") == "m1"
    assert labels.of(NEEDLE) == "other"
    assert Labels(frozenset({"a"})).of("b") == "other"


def test_routes_models_and_operations_beyond_the_set_are_other() -> None:
    made = meter()
    for kind in Kind:
        for name in (NEEDLE, "/data/obj_jane", "jane"):
            span = made.begin(kind, name)
            span.add("status", 200)
            span.add("tokens_in", 3)
            span.end("done")
    text = shown(made)
    assert NEEDLE not in text
    assert 'troth_http_requests_total{route="other",status="2xx"} 3.0' in text
    assert 'troth_operations_total{operation="other",outcome="done"} 3.0' in text
    assert 'model="jane"' in text  # a name that only operators give may join
    assert "obj_jane" not in text


def test_models_have_a_ceiling() -> None:
    made = meter()
    for number in range(300):
        made.begin(Kind.VENDOR, f"model-{number}").end("done")
    assert shown(made).count("troth_vendor_calls_total{") == 65
    assert 'troth_vendor_calls_total{model="other",outcome="done"} 236.0' in shown(made)


def test_a_span_counts_once_and_under_its_last_name() -> None:
    made = meter()
    span = made.begin(Kind.REQUEST, "other")
    span.add("status", 404)
    span.end("done", "/v1/models")
    span.end("failed", "/v1/models")
    assert 'troth_http_requests_total{route="/v1/models",status="4xx"} 1.0' in shown(made)
    assert 'troth_http_request_seconds_count{route="/v1/models"} 1.0' in shown(made)


def test_an_outcome_follows_from_how_the_block_ends() -> None:
    made = meter()
    with watched(made, Kind.OPERATION, "model.list"):
        pass
    try:
        with watched(made, Kind.OPERATION, "model.list"):
            raise RuntimeError(NEEDLE)
    except RuntimeError:
        pass
    text = shown(made)
    assert 'operation="model.list",outcome="done"} 1.0' in text
    assert 'operation="model.list",outcome="failed"} 1.0' in text
    assert NEEDLE not in text


def test_a_status_that_is_none_is_other() -> None:
    made = meter()
    made.begin(Kind.REQUEST, "/v1/models").end("failed")
    assert 'route="/v1/models",status="other"} 1.0' in shown(made)
