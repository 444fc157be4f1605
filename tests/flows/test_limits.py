"""Limits as a client of OpenAI's API meets them: headers on success, 429 with the time to wait, streams that end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from house import House, Person, house
from troth.gateway.vendors.local_studio import CHAT_MODEL

_LIMITS = {
    "tenant": {"tokens-per-day": 6000, "money-per-month": "0.50"},
    "user": {"requests-per-minute": 60, "concurrent": 2},
    "key": {"requests-per-hour": 3},
}


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("limited"), limits=_LIMITS) as built:
        yield built


@pytest.fixture
def owner(limited: House, request: pytest.FixtureRequest) -> Person:
    return limited.tenant(request.node.name.replace("_", "-")[:40])


def ask(home: House, headers: dict[str, str], **wishes: Any) -> Any:
    message = {"role": "user", "content": "A poster of a lighthouse"}
    wish = {"model": CHAT_MODEL, "messages": [message], "max_tokens": 100} | wishes
    return home.client.post("/v1/chat/completions", headers=headers, json=wish)


def test_an_answer_says_how_the_limits_stand(limited: House, owner: Person) -> None:
    answer = ask(limited, owner.headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-ratelimit-limit-requests"] == "60"
    assert answer.headers["x-ratelimit-remaining-requests"] == "59"
    assert answer.headers["x-ratelimit-reset-requests"] == "1s"
    assert answer.headers["x-ratelimit-limit-tokens"] == "6000"
    assert int(answer.headers["x-ratelimit-remaining-tokens"]) < 5900


def test_a_key_that_is_used_up_is_told_when_to_come_back(limited: House, owner: Person) -> None:
    headers = limited.key_headers(owner, "generate")
    assert [ask(limited, headers).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = ask(limited, headers)
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert refused.json()["error"]["type"] == "rate_limit_error"
    assert 1100 < int(refused.headers["retry-after"]) <= 1200
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert ask(limited, owner.headers).status_code == 200  # the person has limits of their own


def test_what_is_refused_later_gives_its_tokens_back(limited: House, owner: Person) -> None:
    for _ in range(8):  # 48,000 estimated tokens
        assert ask(limited, owner.headers, model="none", max_tokens=5900).status_code == 404
    assert ask(limited, owner.headers, max_tokens=5900).status_code == 200


def test_a_stream_gives_its_place_and_its_estimate_back(limited: House, owner: Person) -> None:
    for _ in range(4):
        answer = ask(limited, owner.headers, stream=True, max_tokens=3000)
        assert answer.text.rstrip().endswith("[DONE]"), answer.text
        assert answer.headers["x-ratelimit-limit-tokens"] == "6000"


def test_more_than_the_limit_at_once_is_not_to_be_sent_again(limited: House, owner: Person) -> None:
    refused = ask(limited, owner.headers, max_tokens=6001)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "request_beyond_limit")
    assert refused.headers["x-should-retry"] == "false"


def test_a_tenant_limits_its_people_below_the_ceiling_and_members_do_not(limited: House, owner: Person) -> None:
    member = limited.member(owner, "mia@own-limits.example.org")
    wish: dict[str, Any] = {"of": "user", "limits": {"requests-per-minute": 1}, "reason": "rule"}
    for method, path in (("PUT", "/v1/limits"), ("PUT", "/v1/budgets"), ("GET", "/v1/tenant-limits")):
        assert limited.call(method, path, member.headers, **(wish if method == "PUT" else {})).status_code == 403
    above = limited.call("PUT", "/v1/limits", owner.headers, **wish | {"limits": {"requests-per-minute": 61}})
    assert (above.status_code, above.json()["code"]) == (403, "limit-above-ceiling")
    as_json = owner.headers | {"content-type": "application/json"}
    for number in ("1e999999", "-1", "NaN", 1e400):  # the last goes out as `Infinity`
        told = json.dumps(wish | {"limits": {"money-per-day": number}})
        odd = limited.client.put("/v1/limits", headers=as_json, content=told)
        assert odd.status_code in (400, 422), odd.text
    limited.ok("PUT", "/v1/limits", owner.headers, **wish)
    assert [ask(limited, member.headers).status_code for _ in range(2)] == [200, 429]
    shown = limited.ok("GET", "/v1/limits", member.headers)
    assert shown["service"]["user"] == {"concurrent": "2", "requests-per-minute": "60"}
    assert [one["limits"] for one in shown["own"]] == [{"requests-per-minute": "1"}]
    limited.ok("PUT", "/v1/limits", owner.headers, **wish | {"limits": {}})
    assert limited.ok("GET", "/v1/tenant-limits", owner.headers)["own"] == []


def test_uploads_count_their_bytes(limited: House, owner: Person) -> None:
    wish = {"of": "user", "limits": {"bytes-per-month": 100}, "reason": "rule"}
    limited.ok("PUT", "/v1/limits", owner.headers, **wish)

    def upload(size: int) -> Any:
        file = {"file": ("a.txt", b"a" * size, "text/plain"), "purpose": (None, "user_data")}
        return limited.client.post("/v1/files", headers=owner.headers, files=file)

    assert [upload(size).status_code for size in (60, 60, 40)] == [200, 429, 200]
    assert upload(101).json()["error"]["code"] == "request_beyond_limit"
    used = limited.ok("GET", "/v1/usage", owner.headers)
    assert (used["total"]["requests"], used["total"]["bytes"], list(used["models"])) == (2, 100, [""])


def test_what_is_done_here_without_a_vendor_counts_too(limited: House, owner: Person) -> None:
    """Judgements and redactions take tickets as chat does: requests of the key, tokens and bytes of the person."""
    headers = limited.key_headers(owner, "generate")
    judge = {"input": ["a" * 3000, "b" * 3000]}
    limited.ok("PUT", "/v1/limits", owner.headers, of="user", limits={"tokens-per-day": 2500}, reason="rule")
    first = limited.call("POST", "/v1/moderations", headers, **judge)
    assert (first.status_code, first.headers["x-ratelimit-remaining-tokens"]) == (200, "500")
    assert first.headers["x-ratelimit-remaining-requests"] == "2"
    refused = limited.call("POST", "/v1/moderations", headers, **judge)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate-limit-exceeded")
    redacted = limited.call("POST", "/v1/redactions", owner.headers, text="c" * 1200)
    assert (redacted.status_code, redacted.headers["x-ratelimit-remaining-tokens"]) == (200, "100")
    assert limited.call("POST", "/v1/redactions", owner.headers, text="c" * 1200).status_code == 429
    limited.ok("PUT", "/v1/limits", owner.headers, of="user", limits={"bytes-per-day": 10}, reason="rule")
    for kind in ("images", "videos"):
        file = {"file": ("a.png", b"a" * 11, "image/png")}
        sent = limited.client.post(f"/v1/redactions/{kind}", headers=owner.headers, files=file)
        assert (sent.status_code, sent.json()["code"]) == (429, "request-beyond-limit")
    used = limited.ok("GET", "/v1/usage", owner.headers)["total"]
    assert (used["requests"], used["tokens_in"], used["bytes"]) == (2, 2400, 7200)
    limited.ok("PUT", "/v1/limits", owner.headers, of="user", limits={}, reason="rule")


def test_a_budget_is_told_and_stops_what_costs_money(limited: House, owner: Person) -> None:
    set_ = {"of": "tenant", "per": "day", "amount": "0.10", "at_end": "stop", "reason": "rule"}
    made = limited.ok("PUT", "/v1/budgets", owner.headers, **set_)
    assert (made["amount"], made["spent"], made["percent"], made["alerts"]) == ("0.10", "0.00", 0, {})
    assert ask(limited, owner.headers).status_code == 200  # the local studio costs nothing
    refused = limited.call("PUT", "/v1/budgets", owner.headers, **set_ | {"of": "key"})
    assert (refused.status_code, refused.json()["code"]) == (422, "bad-limit-target")
    assert limited.call("PUT", "/v1/budgets", owner.headers, **set_ | {"amount": "0"}).status_code == 422
    limited.ok("DELETE", f"/v1/budgets/{made['id']}", owner.headers, reason="mistake")
    elsewhere = limited.tenant("budgets-elsewhere")
    assert limited.ok("GET", "/v1/tenant-limits", elsewhere.headers)["budgets"] == []
