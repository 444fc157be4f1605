"""Bad input at the door: a typed refusal with a stable code and a sentence, nothing half-written, a closed record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from house import PASSWORD, House, Person
from refusals import (
    CHAT,
    NEVER_SEEN,
    PICTURES,
    Bad,
    ask,
    assert_refused,
    assert_says_what_to_do,
    code_of,
    kept,
    record,
    records,
    request_of,
    talk,
)
from troth.kernel.clock import SystemClock

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def owner(home: House) -> Person:
    return home.tenant("epsilon")


@pytest.fixture(scope="module")
def key(home: House, owner: Person) -> dict[str, str]:
    return home.key_headers(owner, "generate", "own-data", "own-data:write")


def body(name: str, content: bytes | str, code: str, status: int, path: str = PICTURES, **headers: str) -> Bad:
    return Bad(name, code, status, path, headers={**JSON, **headers}, sent={"content": content})


def wish(name: str, value: dict[str, Any], code: str, status: int = 422, path: str = PICTURES) -> Bad:
    return Bad(name, code, status, path, sent={"json": {"model": "troth-studio-1", "prompt": "waves"} | value})


def get(name: str, path: str, code: str, status: int, method: str = "GET") -> Bad:
    return Bad(name, code, status, path, method)


DEEP = b'{"a":' * 2000 + b"1" + b"}" * 2000
NESTED: dict[str, Any] = {}
for _ in range(40):
    NESTED = {"a": NESTED}
TOOL = {"type": "function", "function": {"name": "f", "parameters": NESTED}}

CASES = [
    # what the wish says
    wish("unknown model", {"model": "gpt-nowhere"}, "model-not-found", 404),
    wish("model of another kind", {"model": "troth-echo-1"}, "model-not-found", 404),
    wish("unknown field", {NEVER_SEEN[:12]: 1}, "unknown-field"),
    wish("missing field", {"prompt": None}, "bad-field"),
    wish("wrong type", {"n": NEVER_SEEN}, "bad-field"),
    wish("negative number", {"n": -1}, "bad-field"),
    wish("huge number", {"n": 10**30}, "bad-field"),
    wish("empty prompt", {"prompt": ""}, "bad-field"),
    wish("prompt too long", {"prompt": "x" * 32_001}, "bad-field"),
    wish("ten thousand names", {f"k{n}": n for n in range(10_000)}, "unknown-field"),
    talk("no messages", {"messages": []}, "bad-field"),
    talk("nesting in a tool", {"tools": [TOOL]}, "bad-field"),
    talk("too many labels", {"metadata": {f"k{n}": "v" for n in range(10_000)}}, "bad-field"),
    talk("address of a picture elsewhere", {"messages": [{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "http://169.254.169.254/latest"}}]}]}, "remote-picture"),
    talk("address of a local file", {"messages": [{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}]}]}, "remote-picture"),
    talk("picture that is no base64", {"messages": [{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,!!"}}]}]}, "bad-base64"),
    # JSON
    body("broken JSON", b'{"prompt": "x"', "broken-json", 400),
    body("no object", b'["x"]', "broken-json", 400),
    body("trailing comma", b'{"prompt": "x",}', "broken-json", 400),
    body("NaN", b'{"prompt": "x", "n": NaN}', "broken-json", 400),
    body("infinity spelt out", b'{"prompt": "x", "n": -Infinity}', "broken-json", 400),
    body("infinity by exponent", b'{"prompt": "x", "n": 1e999}', "broken-json", 400),
    body("integer of 5,000 digits", b'{"n": ' + b"9" * 5000 + b"}", "broken-json", 400),
    body("name given twice", b'{"prompt": "x", "prompt": "y"}', "broken-json", 400),
    body("name given twice, escaped", b'{"prompt": "x", "pr\\u006fmpt": "y"}', "broken-json", 400),
    body("name given twice, inside", b'{"prompt": {"a": 1, "a": 2}}', "broken-json", 400),
    body("deep nesting", DEEP, "broken-json", 400),
    body("deep array", b"[" * 100_000, "broken-json", 400),
    body("byte order mark", b'\xef\xbb\xbf{"prompt": "x"}', "broken-json", 400),
    body("UTF-16", '{"prompt": "x"}'.encode("utf-16"), "broken-json", 400),
    body("lone surrogate", b'{"prompt": "\\ud800"}', "broken-json", 400),
    body("surrogate as bytes", b'{"prompt": "\xed\xa0\x80"}', "broken-json", 400),
    body("raw control character", b'{"prompt": "\x00"}', "broken-json", 400),
    body("oversized", b'{"prompt": "' + b"x" * (1 << 20) + b'"}', "body-too-large", 413),
    body("empty", b"", "missing-field", 422),
    body("form instead of JSON", b"prompt=x", "wrong-content-type", 415,
         **{"content-type": "application/x-www-form-urlencoded"}),
    body("plain text", b'{"prompt": "x"}', "wrong-content-type", 415, **{"content-type": "text/plain"}),
    body("no content type", b'{"prompt": "x"}', "wrong-content-type", 415, **{"content-type": ""}),
    body("length that is no number", b"{}", "body-too-large", 413, **{"content-length": "two"}),
    body("length in other digits", b"{}", "body-too-large", 413, **{"content-length": "\u00b2"}),
    body("length of 5,000 digits", b"{}", "body-too-large", 413, **{"content-length": "9" * 5000}),
    body("fields in the query", b"{}", "broken-query", 400, PICTURES + "?prompt=x"),
    # addresses
    get("id of another shape", "/v1/objects/%00", "bad-field", 422),
    get("file id of another shape", "/v1/files/%00", "bad-field", 422),
    get("id too long", "/v1/objects/" + "a" * 500, "bad-field", 422),
    get("id that is no UTF-8", "/v1/objects/%ff", "bad-field", 422),
    get("id with a lone surrogate", "/v1/objects/%ed%a0%80", "bad-field", 422),
    get("id with a broken escape", "/v1/objects/%ZZ", "bad-field", 422),
    get("negative limit", "/v1/objects?limit=-1", "bad-field", 422),
    get("huge limit", "/v1/objects?limit=99999999999999999999999", "bad-field", 422),
    get("limit that is no number", "/v1/objects?limit=NaN", "bad-field", 422),
    get("limit by exponent", "/v1/files?limit=1e3", "bad-field", 422),
    get("parameter twice", "/v1/objects?limit=1&limit=2", "broken-query", 400),
    get("unknown parameter", "/v1/objects?tenant=other", "unknown-field", 422),
    get("somebody else's id as a parameter", "/v1/objects?subject=usr_x", "unknown-field", 422),
    get("unknown object", "/v1/objects/obj_" + "a" * 26, "not-found", 404),
    get("unknown object to delete", "/v1/objects/obj_" + "a" * 26, "not-found", 404, "DELETE"),
    get("unknown receipt", "/v1/receipts/req_nowhere", "not-found", 404),
    get("link that nobody gave", "/v1/assets/AAAA", "not-found", 404),
]  # fmt: skip


@pytest.mark.parametrize("bad", CASES, ids=str)
def test_bad_input(home: House, owner: Person, key: dict[str, str], bad: Bad) -> None:
    assert_refused(home, bad, key, owner.headers)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "POST", "DELETE"])
def test_other_methods(home: House, key: dict[str, str], method: str) -> None:
    response = home.client.request(method, "/v1/models", headers=key)
    assert (response.status_code, response.json()["code"], response.json()["status"]) == (405, "no-route", 405)
    assert {one.strip() for one in response.headers["allow"].split(",")} == {"GET", "HEAD"}


def test_head_is_get_without_content(home: House, key: dict[str, str]) -> None:
    assert home.client.head("/v1/models", headers=key).status_code == 200
    assert home.client.head("/v1/models").status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/v1/objects/a%2Fb",
        "/v1/objects/..%2Fkeys",
        "/v1/objects/%2e%2e/%2e%2e/etc/passwd",
        "/v1/files/a/b/content",
        "//v1/objects",
        "/v1/OBJECTS",
        "/static/x/..%2F..%2Fcli%2Fmain.py",
        "/v1/objects/x;jsessionid=1/y",
    ],
)
def test_addresses_that_are_none(home: House, key: dict[str, str], path: str) -> None:
    response = home.client.get(path, headers=key)
    assert response.status_code == 404
    assert "no-route" in response.text or "There is no" in response.text


STRANGE = [
    "NUL \x00 inside",
    "emoji \U0001f469\u200d\U0001f680 \U0001f1ea\U0001f1fa",
    "\u202eright to left\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "a\u0301\u0301\u0301" * 200,
    "'; DROP TABLE users; --",
    "{{7*7}} ${7*7} <script>x()</script>",
    "\ufeff\u200b\ufffe\uffff",
    " \t\n ",
]


@pytest.mark.parametrize("prompt", STRANGE)
def test_strange_text_is_text(home: House, key: dict[str, str], prompt: str) -> None:
    said = {"model": "troth-echo-1", "messages": [{"role": "user", "content": prompt}]}
    assert home.call("POST", CHAT, key, **said).status_code == 200
    drawn = home.call("POST", PICTURES, key, model="troth-studio-1", prompt=prompt, size="96x96")
    assert drawn.status_code == 200, drawn.text


@pytest.mark.parametrize("name", ["NUL \x00", "line\nbreak", "\x7f", "   ", "n" * 121])
def test_names_of_people_and_tenants(home: House, owner: Person, name: str) -> None:
    person = home.call("POST", "/v1/users", owner.headers, email="n@epsilon.example.org", display_name=name, roles=[])
    tenant = home.call(
        "POST",
        "/v1/tenants",
        home.operator,
        name=name,
        jurisdiction="eu",
        owner_email="a@b.example.org",
        owner_name="A",
    )
    assert [one.json()["code"] for one in (person, tenant)] == ["bad-field", "bad-field"]


# Credentials


def test_an_expired_key(home: House, owner: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = home.key_headers(owner, "generate")
    assert home.call("GET", "/v1/models", headers).status_code == 200

    class Tomorrow(SystemClock):
        def now(self) -> Any:
            return super().now() + timedelta(days=1, seconds=1)

    monkeypatch.setattr(home.system.identity.keys, "_clock", Tomorrow())
    before = kept(home)
    response = ask(home, talk("", {}, "", 0), headers)
    assert (response.status_code, code_of(response)) == (401, "key-expired")
    assert_says_what_to_do(response)
    assert kept(home) == before
    monkeypatch.undo()
    home.system.base.sequencer.flush()
    assert ("refused", "key-expired") in records(home, home.operator)


def test_a_revoked_key(home: House, owner: Person) -> None:
    token = home.key(owner, "generate")
    headers = {"authorization": f"Bearer {token}"}
    home.ok("DELETE", f"/v1/keys/key_{token.split('_')[2]}", owner.headers)
    response = ask(home, talk("", {}, "", 0), headers)
    assert (response.status_code, code_of(response)) == (401, "key-unknown")
    assert token not in response.text
    home.system.base.sequencer.flush()
    assert ("refused", "key-unknown") in records(home, home.operator)


def test_a_replayed_code(home: House, owner: Person) -> None:
    member = home.member(owner, "replay@epsilon.example.org")
    code = pyotp.TOTP(member.secret).now()  # used a moment ago, to set the second factor up
    response = home.call("POST", "/v1/sessions", email=member.email, password=PASSWORD, totp=code)
    codes = {response.json()["code"]}
    if codes == {"sign-in-failed"} or response.status_code == 201:  # the step changed in between: use it, then again
        again = home.call("POST", "/v1/sessions", email=member.email, password=PASSWORD, totp=code)
        codes = {again.json()["code"]}
    assert codes == {"totp-replayed"}
    home.system.base.sequencer.flush()
    assert ("refused", "totp-replayed") in records(home, home.operator)


@pytest.mark.parametrize("header", ["idempotency-key", "x-request-id"])
def test_a_request_id_that_was_used(home: House, owner: Person, key: dict[str, str], header: str) -> None:
    headers = {**key, header: f"only-once-{header}"}
    assert ask(home, talk("", {}, "", 0), headers).status_code == 200
    before = kept(home)
    response = ask(home, talk("", {}, "", 0), headers)
    assert (response.status_code, code_of(response)) == (409, "duplicate-request")
    assert kept(home) == before
    assert record(home, owner.headers, request_of(response)) == ("refused", "duplicate-request")
    too_long = ask(home, talk("", {}, "", 0), {**key, header: "x" * 300})
    assert (too_long.status_code, code_of(too_long)) == (422, "bad-request-id")


@pytest.fixture(autouse=True)
def nothing_untyped(home: House, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """No fault was journaled: every refusal was one on purpose."""
    yield
    assert '"event": "fault"' not in capfd.readouterr().err
