"""Attacks on the HTTP door: other sites, other hosts, two meanings of one request, heads without end."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from house import House, Person, house
from served import Served, answer

COOKIE = "__Host-sid"
CROSS = {"origin": "https://evil.example.org", "sec-fetch-site": "cross-site"}


@pytest.fixture(scope="module")
def owner(home: House) -> Person:
    return home.tenant("zeta")


def token_of(person: Person) -> str:
    return person.headers["authorization"].removeprefix("Bearer ")


# Cookies


@pytest.mark.parametrize("headers", [CROSS, {"sec-fetch-site": "same-origin", "origin": "https://localhost"}, {}])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/erasures/own", {"confirm": "erase everything about me"}),
        ("POST", "/v1/keys", {"name": "stolen", "scopes": ["generate"], "days": 1}),
        ("POST", "/v1/export", None),
        ("POST", "/v1/consents", {"purpose": "training", "notice": "1"}),
        ("GET", "/v1/objects", None),
        ("GET", "/v1/me", None),
    ],
)
def test_the_api_never_looks_at_the_cookie(
    home: House, owner: Person, method: str, path: str, body: Any, headers: dict[str, str]
) -> None:
    """Another site can make a browser send the cookie; it can never make it send our bearer token."""
    sent = {**headers, "cookie": f"{COOKIE}={token_of(owner)}"}
    response = home.client.request(method, path, headers=sent, json=body)
    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
    simple = home.client.request(method, f"{path}?confirm=erase+everything+about+me", headers=sent, content=b"")
    assert simple.status_code == 401


def test_pages_look_at_the_cookie(home: House, owner: Person) -> None:
    cookie = {"cookie": f"{COOKIE}={token_of(owner)}"}
    assert home.client.get("/data", headers=cookie, follow_redirects=False).status_code == 200
    assert home.client.get("/data", follow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        CROSS,
        {"sec-fetch-site": "same-site", "origin": "https://other.localhost"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example.org"},
        {"origin": "null"},
        {"origin": "https://localhost.evil.example.org"},
        {"origin": "https://evil.example.org", "host": "localhost"},
        {},
    ],
)
@pytest.mark.parametrize("path", ["/erase", "/keys", "/sign-out", "/password", "/export", "/consent"])
def test_forms_of_other_sites_are_refused(home: House, owner: Person, path: str, headers: dict[str, str]) -> None:
    sent = {**headers, "cookie": f"{COOKIE}={token_of(owner)}"}
    response = home.client.post(path, headers=sent, data={"confirm": "erase everything about me"})
    assert response.status_code == 403
    assert home.call("GET", "/v1/me", owner.headers).status_code == 200, "still signed in, still there"


def test_a_bearer_token_goes_before_the_cookie(home: House, owner: Person) -> None:
    other = home.tenant("eta")
    mixed = {**other.headers, "cookie": f"{COOKIE}={token_of(owner)}"}
    assert home.ok("GET", "/v1/me", mixed)["id"] == other.id
    wrong = {"authorization": "Bearer wrong", "cookie": f"{COOKIE}={token_of(owner)}"}
    assert home.call("GET", "/v1/me", wrong).status_code == 401
    page = home.client.get("/data", headers=wrong, follow_redirects=False)
    assert page.status_code == 303, "a credential that does not hold is not replaced by another"


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "bearer\t{}",
        "Token {}",
        "Basic {}",
        "{}",
        "Bearer {} {}",
        "Bearer {},Bearer {}",
        "Bearer {}x",
    ],
)
def test_a_token_in_another_dress_is_none(home: House, owner: Person, header: str) -> None:
    sent = {"authorization": header.format(token_of(owner), token_of(owner))}
    assert home.call("GET", "/v1/me", sent).status_code == 401


# Headers that lie


@pytest.mark.parametrize("name", ["x-forwarded-for", "x-real-ip", "forwarded", "x-forwarded-proto", "x-forwarded-host"])
def test_forwarded_headers_mean_nothing(tmp_path: Path, name: str) -> None:
    with house(tmp_path, server={"anonymous_per_minute": 6}) as home:
        values = {"x-forwarded-proto": "http", "forwarded": "for=10.0.0.{};proto=http"}
        codes = [
            home.client.get("/v1/promises", headers={name: values.get(name, "10.0.0.{}").format(n)}).status_code
            for n in range(9)
        ]
        assert 200 in codes
        assert codes[-1] == 429, "another address in a header is no other address"


def test_made_up_credentials_buy_no_allowance(tmp_path: Path) -> None:
    """Each wrong key is another key; they count by address all the same, and a flood is not recorded."""
    with house(tmp_path, server={"anonymous_per_minute": 6}) as home:
        made = [
            {"authorization": f"Bearer troth_sk_{'a' * 26}_{n + 10}{'b' * 50}", "cookie": f"a={n}"} for n in range(12)
        ]
        answers = [home.call("GET", "/v1/models", headers) for headers in made]
        assert [one.status_code for one in answers] == [401] * 5 + [429] * 7  # the operator's sign-in was the sixth
        assert answers[-1].headers["retry-after"] == "60"
        assert home.call("GET", "/v1/tenants", home.operator).status_code == 200, "others are not slowed"
        home.system.base.sequencer.flush()
        log = home.ok("GET", "/v1/activity", home.operator, limit=200)["entries"]
        assert sum(one["outcome"] == "refused" for one in log) == 5


@pytest.mark.parametrize("host", ["evil.example.org", "localhost:1", "", "a b", "localhost\x7f", "[::1"])
def test_the_host_header_changes_no_address(home: House, owner: Person, host: str) -> None:
    headers = {**home.key_headers(owner, "generate"), "host": host}
    wish = {"model": "troth-studio-1", "prompt": "waves", "size": "96x96", "response_format": "url"}
    made = home.client.post("/v1/images/generations", headers=headers, json=wish)
    assert made.status_code == 200
    assert made.json()["data"][0]["url"].startswith("https://localhost:")
    page = home.client.get("/data", headers={"host": host}, follow_redirects=False)
    assert "evil" not in page.headers.get("location", "") + page.text


NAMES = [
    'a".txt',
    "a;b.txt",
    "a%0d%0aSet-Cookie: x=1.txt",
    "a\\r\\n.txt",
    "*''x.txt",
    "é\U0001f469.txt",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_name_never_leaves_its_header(home: House, owner: Person, name: str) -> None:
    headers = home.key_headers(owner, "generate", "own-data")
    disposition = 'form-data; name="file"; filename="{}"'.format(name.replace('"', '\\"'))
    body = (
        b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n--x\r\nContent-Disposition: '
        + disposition.encode()
        + b"\r\nContent-Type: text/plain\r\n\r\ntext\r\n--x--\r\n"
    )
    sent = {**headers, "content-type": "multipart/form-data; boundary=x"}
    made = home.client.post("/v1/files", headers=sent, content=body)
    assert made.status_code == 200, made.text
    opened = home.client.get(f"/v1/files/{made.json()['id']}/content", headers=headers)
    shown = opened.headers["content-disposition"]
    assert shown.startswith("attachment; filename*=UTF-8''")
    assert all(sign.isalnum() or sign in "%-._~/" for sign in shown.removeprefix("attachment; filename*=UTF-8''"))
    assert "set-cookie" not in opened.headers
    assert opened.headers["x-content-type-options"] == "nosniff"
    assert (
        "sandbox" in opened.headers["content-security-policy"]
        or "default-src 'none'" in (opened.headers["content-security-policy"])
    )


# Bytes on the wire, at the real listener


@pytest.fixture(scope="module")
def bearer(server: Served) -> bytes:
    return b"Authorization: Bearer " + server.key(server.tenant("theta")).encode() + b"\r\n"


HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
TALK = json.dumps({"model": "troth-echo-1", "messages": [{"role": "user", "content": "Hello"}]}).encode()


def code_of(body: bytes) -> str:
    said = json.loads(body)
    return str(said.get("error", said)["code"]).replace("_", "-")


def test_a_plain_request_is_answered(server: Served, bearer: bytes) -> None:
    status, _ = server.raw(HEAD + bearer + b"Content-Length: %d\r\n\r\n" % len(TALK) + TALK)
    assert status == 200


def test_a_chunked_body_is_a_body(server: Served, bearer: bytes) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(TALK[n : n + 10]), TALK[n : n + 10]) for n in range(0, len(TALK), 10))
    status, _ = server.raw(HEAD + bearer + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    assert status == 200


@pytest.mark.parametrize(
    "lies",
    [
        b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked, identity\r\n\r\n{}",
        b"Transfer-Encoding: xchunked\r\n\r\n{}",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: two\r\n\r\n",
        b"Content-Length: 1e3\r\n\r\n",
        b"Content-Length: 99999999999999999999999999\r\n\r\n",
        b"Content-Length : 2\r\n\r\n{}",
        b"X: a\nContent-Length: 2\r\n\r\n{}",
        b"X: a\r\n folded: yes\r\nContent-Length: 2\r\n\r\n{}",
        b"X\0: a\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    ],
)
def test_two_meanings_of_one_request_are_none(server: Served, bearer: bytes, lies: bytes) -> None:
    """Nothing that a proxy in front could read in another way is answered as a request."""
    status, body = server.raw(HEAD + bearer + lies)
    assert (status, code_of(body)) == (400, "broken-http")


def test_a_length_that_is_too_short_leaves_no_second_request(server: Served, bearer: bytes) -> None:
    hidden = b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n" + bearer + b"\r\n"
    with server.connection() as secured:
        secured.sendall(HEAD + bearer + b"Content-Length: 5\r\n\r\n" + TALK + hidden)
        status, body = answer(secured)
        assert (status, code_of(body)) in ((400, "broken-json"), (400, "broken-http"))


def test_a_body_that_never_comes_is_recorded(server: Served, bearer: bytes) -> None:
    with server.connection() as secured:
        secured.sendall(HEAD + bearer + b"Content-Length: 500\r\n\r\n" + TALK)
    assert "ERROR" not in server.stage.journal.read_text()
    status, _ = server.raw(HEAD + bearer + b"Content-Length: %d\r\n\r\n" % len(TALK) + TALK)
    assert status == 200


@pytest.mark.parametrize("kind", ["one header", "many headers", "address", "trailers", "chunk extensions", "cookies"])
def test_a_head_without_end_is_cut(server: Served, bearer: bytes, kind: str) -> None:
    """httptools would gather all of it in memory."""
    chunked = HEAD + bearer + b"Transfer-Encoding: chunked\r\n\r\n"
    start, endless = {
        "one header": (HEAD + b"X: ", b"x"),
        "many headers": (HEAD, b"X-1: 1\r\n"),
        "address": (b"GET /", b"x"),
        "trailers": (chunked + b"0\r\nX: ", b"x"),
        "chunk extensions": (chunked + b"1;a=", b"x"),
        "cookies": (b"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: ", b"a=b; "),
    }[kind]
    with server.connection() as secured:
        with contextlib.suppress(OSError):  # closed while we still send
            secured.sendall(start + endless * ((512 << 10) // len(endless)))
        status, body = answer(secured)
        assert (status, code_of(body)) in ((431, "head-too-large"), (400, "broken-http"))
        assert secured.recv(1) == b"", "the connection is closed"


def test_a_head_of_reasonable_size_is_served(server: Served, bearer: bytes) -> None:
    status, _ = server.raw(
        HEAD + bearer + b"X-Long: " + b"x" * 30_000 + b"\r\nContent-Length: %d\r\n\r\n" % len(TALK) + TALK
    )
    assert status == 200


def test_large_bodies_are_bodies(server: Served, bearer: bytes) -> None:
    """The bound is on what is not body: neither a long body nor small chunks come near it."""
    text = b"a line of text that is quite ordinary\n" * 300_000
    form = (
        b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n' + text + b"\r\n--x--\r\n"
    )
    head = b"POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n" + bearer
    assert server.raw(head + b"Content-Length: %d\r\n\r\n" % len(form) + form)[0] == 200
    chunks = b"".join(b"80\r\n%s\r\n" % form[n : n + 128] for n in range(0, len(form) - 128, 128))
    rest = form[len(form) // 128 * 128 :] if len(form) % 128 else form[-128:]
    last = b"%x\r\n%s\r\n0\r\n\r\n" % (len(rest), rest)
    assert server.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + last)[0] == 200


def test_many_requests_on_one_connection(server: Served, bearer: bytes) -> None:
    one = b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Pad: " + b"x" * 2000 + b"\r\n" + bearer + b"\r\n"
    with server.connection() as secured:
        for _ in range(60):  # 120 KiB of heads, each small
            secured.sendall(one)
            assert answer(secured)[0] == 200


def test_what_is_no_http_is_refused_in_our_words(server: Served) -> None:
    status, body = server.raw(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
    assert (status, code_of(body)) == (400, "broken-http")
    status, body = server.raw(b"GET http://169.254.169.254/latest HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert status in (400, 404)
    status, body = server.raw(b"CONNECT evil.example.org:443 HTTP/1.1\r\nHost: evil.example.org:443\r\n\r\n")
    assert status in (400, 404, 405)


def test_the_server_still_answers(server: Served) -> None:
    status, body = server.raw(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (status, set(json.loads(body).values())) == (200, {True})
