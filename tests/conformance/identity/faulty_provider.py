"""An OpenID provider of our own that can be told to lie: real HTTP on loopback, real keys, one fault at a time."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from troth.identity.sso.tokens import LOGOUT_EVENT

Change = Callable[[dict[str, Any]], None]


def _same(_: dict[str, Any]) -> None:
    """Change nothing."""


@dataclass
class Lies:
    """What this provider does wrong now. Each change gets the honest thing and spoils it."""

    metadata: Change = _same
    keys: Change = _same
    claims: Change = _same
    header: Change = _same
    userinfo: Change = _same
    tokens: Change = _same
    response: Change = _same
    logout: Change = _same
    logout_header: Change = _same
    sign: Callable[[dict[str, Any], bytes], str] | None = None
    raw: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)  # path -> a whole answer
    slow: dict[str, float] = field(default_factory=dict)  # path -> seconds


class Provider:
    """The provider. `now` gives the time in seconds that its tokens bear."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.rsa = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"})
        self.ec = ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig"})
        self.stranger = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"})
        self.lies = Lies()
        self.codes: dict[str, dict[str, str]] = {}
        self.pushed: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.seen: list[dict[str, str]] = []
        self.forms: list[dict[str, str]] = []  # what came to the token endpoint
        self.issuer = ""

    def reset(self) -> None:
        """Honest again."""
        self.lies, self.codes, self.pushed, self.asked, self.seen, self.forms = Lies(), {}, {}, [], [], []

    def metadata(self) -> dict[str, Any]:
        here = self.issuer
        said = {
            "issuer": here,
            "authorization_endpoint": here + "/authorize",
            "token_endpoint": here + "/token",
            "jwks_uri": here + "/keys",
            "userinfo_endpoint": here + "/userinfo",
            "authorization_response_iss_parameter_supported": True,
            "backchannel_logout_supported": True,
        }
        self.lies.metadata(said)
        return said

    def key_set(self) -> dict[str, Any]:
        said = {"keys": [self.rsa.as_dict(private=False), self.ec.as_dict(private=False)]}
        self.lies.keys(said)
        return said

    def authorize(self, location: str) -> dict[str, Any]:
        """What the browser brings back from this address when the person agrees."""
        asked = {name: value[0] for name, value in parse_qs(urlsplit(location).query).items()}
        if "request_uri" in asked:
            asked = self.pushed.pop(asked["request_uri"])
        self.seen.append(asked)
        code = f"code-{len(self.codes)}-{time.monotonic_ns()}"
        self.codes[code] = asked
        said: dict[str, Any] = {"state": asked["state"], "code": code, "iss": self.issuer}
        self.lies.response(said)
        return said

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        self.forms.append(form)
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or not self._pkce(asked, form):
            return 400, {"error": "invalid_grant"}
        access = "access-" + form["code"]
        now = self.now()
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": "sub-1",
            "aud": asked["client_id"],
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            "nonce": asked["nonce"],
            "at_hash": _half(access),
            "acr": "basic",
            "sid": "provider-session-1",
        }
        self.lies.claims(claims)
        said = {
            "access_token": access,
            "token_type": "Bearer",
            "id_token": self.signed({"typ": "JWT"}, claims, self.lies.header),
        }
        self.lies.tokens(said)
        return 200, said

    def userinfo(self) -> dict[str, Any]:
        said = {"sub": "sub-1", "email": "ada@acme.example.org", "email_verified": True, "name": "Ada", "groups": ["x"]}
        self.lies.userinfo(said)
        return said

    def logout_token(self, client_id: str) -> str:
        now = self.now()
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": client_id,
            "iat": now,
            "exp": now + 120,
            "jti": f"jti-{time.monotonic_ns()}",
            "sub": "sub-1",
            "sid": "provider-session-1",
            "events": {LOGOUT_EVENT: {}},
        }
        self.lies.logout(claims)
        return self.signed({"typ": "logout+jwt"}, claims, self.lies.logout_header)

    def signed(self, header: dict[str, Any], claims: dict[str, Any], change: Change) -> str:
        header = {"alg": "RS256", "kid": "rsa-1", **header}
        change(header)
        content = json.dumps(claims).encode()
        if self.lies.sign is not None:
            return self.lies.sign(header, content)
        return jws.serialize_compact(header, content, self.rsa, algorithms=["RS256"])

    def _pkce(self, asked: dict[str, str], form: dict[str, str]) -> bool:
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        return asked.get("code_challenge") == base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _half(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).decode().rstrip("=")


def bare(header: dict[str, Any], content: bytes, signature: bytes = b"") -> str:
    """A token put together by hand."""
    parts = [json.dumps(header).encode(), content, signature]
    return ".".join(encoded(part) for part in parts)


def encoded(content: bytes) -> str:
    """Base64url without filling."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def by_hmac(key: bytes) -> Callable[[dict[str, Any], bytes], str]:
    """Signs with a symmetric key, such as the bytes of a public key (key confusion)."""

    def sign(header: dict[str, Any], content: bytes) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joserfc warns of keys that look like PEM; that is the attack
            return jws.serialize_compact(header, content, OctKey.import_key(key), algorithms=["HS256"])

    return sign


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self._serve({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
        self._serve({name: value[0] for name, value in parse_qs(body).items()})

    def _serve(self, form: dict[str, str]) -> None:
        path = urlsplit(self.path).path
        self.provider.asked.append(path)
        if path in self.provider.lies.slow:
            time.sleep(self.provider.lies.slow[path])
        if path in self.provider.lies.raw:
            status, headers, content = self.provider.lies.raw[path]
        else:
            status, said = self._honest(path, form)
            headers, content = {"content-type": "application/json"}, json.dumps(said).encode()
        with contextlib.suppress(OSError):  # who asked has gone, as it should
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def _honest(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        documents = {
            "/.well-known/openid-configuration": self.provider.metadata,
            "/keys": self.provider.key_set,
            "/userinfo": self.provider.userinfo,
        }
        if path in documents:
            return 200, documents[path]()
        if path == "/push":
            reference = f"urn:push:{len(self.provider.pushed)}"
            self.provider.pushed[reference] = form
            return 201, {"request_uri": reference, "expires_in": 60}
        if path == "/token":
            return self.provider.token(form)
        return 404, {"error": "not_found"}


@contextmanager
def running(provider: Provider) -> Iterator[Provider]:
    """The provider on a port of loopback."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"provider": provider}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
