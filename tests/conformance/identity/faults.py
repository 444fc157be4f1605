"""What a provider can do wrong, and the honest shapes beside it: each is told to the provider before it is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jws
from joserfc.jwk import OctKey

from conformance.identity.faulty_provider import Lies, Provider, bare, by_hmac, encoded
from troth.identity.sso.tokens import LOGOUT_EVENT

JSON = {"content-type": "application/json"}
Tell = Callable[[Lies, Provider], None]


def claim(**claims: Any) -> Tell:
    """A claim is another; None takes it out; a function makes it of the provider's time."""

    def tell(lies: Lies, provider: Provider) -> None:
        def change(said: dict[str, Any]) -> None:
            for name, value in claims.items():
                if value is None:
                    said.pop(name, None)
                else:
                    said[name] = value(provider.now()) if callable(value) else value

        lies.claims = change

    return tell


def part(part: str, **values: Any) -> Tell:
    """The same for another part of what the provider says."""

    def tell(lies: Lies, _provider: Provider) -> None:
        def change(said: dict[str, Any]) -> None:
            for name, value in values.items():
                if value is None:
                    said.pop(name, None)
                else:
                    said[name] = value

        setattr(lies, part, change)

    return tell


def newcomer(**values: Any) -> Tell:
    """Somebody who has no link yet."""

    def tell(lies: Lies, provider: Provider) -> None:
        claim(sub="newcomer")(lies, provider)
        part("userinfo", sub="newcomer", **{"email": "new@acme.example.org", **values})(lies, provider)

    return tell


def raw(path: str, status: int, headers: dict[str, str], content: bytes) -> Tell:
    def tell(lies: Lies, _provider: Provider) -> None:
        lies.raw[path] = (status, headers, content)

    return tell


def slow(path: str) -> Tell:
    def tell(lies: Lies, _provider: Provider) -> None:
        lies.slow[path] = 1.5

    return tell


def _unsigned(lies: Lies, _provider: Provider) -> None:
    lies.header = lambda header: header.update(alg="none")
    lies.sign = bare


def _stripped(lies: Lies, _provider: Provider) -> None:
    lies.sign = bare


def _confused(lies: Lies, provider: Provider) -> None:
    lies.header = lambda header: header.update(alg="HS256")
    lies.sign = by_hmac(provider.rsa.as_pem(private=False))


def _by_secret(lies: Lies, _provider: Provider) -> None:
    lies.header = lambda header: header.update(alg="HS256")
    lies.sign = by_hmac(b"a secret of the client")


def by_stranger(lies: Lies, provider: Provider) -> None:
    lies.sign = lambda header, content: jws.serialize_compact(header, content, provider.stranger, algorithms=["RS256"])


def _own_key(lies: Lies, provider: Provider) -> None:
    lies.header = lambda header: header.update(jwk=provider.stranger.as_dict(private=False))
    by_stranger(lies, provider)


def _unpinned(lies: Lies, provider: Provider) -> None:
    lies.header = lambda header: header.update(alg="PS256")
    lies.sign = lambda header, content: jws.serialize_compact(header, content, provider.rsa, algorithms=["PS256"])


def _critical(lies: Lies, provider: Provider) -> None:
    lies.header = lambda header: header.update(crit=["exp"], exp=1)
    lies.sign = lambda header, content: bare(header, content, b"x" * 256)


def _other_kind(lies: Lies, _provider: Provider) -> None:
    lies.header = lambda header: header.update(kid="ec-1")


def _bent(lies: Lies, provider: Provider) -> None:
    def sign(header: dict[str, Any], content: bytes) -> str:
        token = jws.serialize_compact(header, content, provider.rsa, algorithms=["RS256"])
        head, _, mark = token.split(".")
        other = bare({}, content.replace(b"sub-1", b"sub-2")).split(".")[1]
        return ".".join((head, other, mark))

    lies.sign = sign


def _private_keys(lies: Lies, provider: Provider) -> None:
    lies.keys = lambda said: said.update(keys=[provider.rsa.as_dict(private=True)])


def _symmetric_keys(lies: Lies, provider: Provider) -> None:
    oct_key = OctKey.import_key(b"0" * 32, {"kid": "oct-1"}).as_dict(private=True)
    lies.keys = lambda said: said["keys"].append(oct_key)


def _weak_key(lies: Lies, _provider: Provider) -> None:
    weak = rsa.generate_private_key(65537, 1024)  # joserfc makes none so small
    public = {
        "kty": "RSA",
        "kid": "rsa-1",
        "e": "AQAB",
        "n": encoded(weak.public_key().public_numbers().n.to_bytes(128, "big")),
    }
    lies.keys = lambda said: said.update(keys=[public])

    def sign(header: dict[str, Any], content: bytes) -> str:
        head = bare(header, content).rpartition(".")[0]
        return bare(header, content, weak.sign(head.encode(), PKCS1v15(), SHA256()))

    lies.sign = sign


def _two_keys(lies: Lies, provider: Provider) -> None:
    lies.keys = lambda said: said["keys"].append(provider.stranger.as_dict(private=False))
    by_stranger(lies, provider)


def _encryption_key(lies: Lies, _provider: Provider) -> None:
    lies.keys = lambda said: said["keys"][0].update(use="enc")


def later(seconds: int) -> Callable[[int], int]:
    return lambda now: now + seconds


NESTED = b'{"issuer":' + b"[" * 5000 + b"]" * 5000 + b"}"
HUGE = json.dumps({"issuer": "x" * (300 << 10)}).encode()
CONFIGURATION = "/.well-known/openid-configuration"
ELSEWHERE = {"location": "http://127.0.0.1:9/", "content-type": "application/json"}

FAULTS: dict[str, Tell] = {
    # the response
    "iss of another": part("response", iss="https://evil.example.org"),
    "iss missing though advertised": part("response", iss=None),
    "error": part("response", error="access_denied", code=None),
    "code of nobody": part("response", code="made-up"),
    "no code": part("response", code=None),
    "state of nobody": part("response", state="made-up"),
    # discovery
    "issuer of another host": part("metadata", issuer="https://evil.example.org"),
    "issuer with a slash more": lambda lies, provider: part("metadata", issuer=provider.issuer + "/")(lies, provider),
    "no token endpoint": part("metadata", token_endpoint=None),
    "endpoint without TLS": part("metadata", token_endpoint="http://evil.example.org/token"),
    "endpoint in a private network": part("metadata", userinfo_endpoint="https://10.0.0.1/"),
    "endpoint of the cloud's metadata": part("metadata", jwks_uri="https://169.254.169.254/keys"),
    "endpoint that is no address": part("metadata", authorization_endpoint="javascript:alert(1)"),
    "huge discovery": raw(CONFIGURATION, 200, JSON, HUGE),
    "deep discovery": raw(CONFIGURATION, 200, JSON, NESTED),
    "discovery twice": raw(CONFIGURATION, 200, JSON, b'{"issuer":"a","issuer":"b"}'),
    "discovery that is no JSON": raw(CONFIGURATION, 200, {"content-type": "text/html"}, b"<html>"),
    "packed discovery": raw(CONFIGURATION, 200, {**JSON, "content-encoding": "gzip"}, b"\x1f\x8b"),
    "redirected discovery": raw(CONFIGURATION, 302, ELSEWHERE, b"{}"),
    "slow discovery": slow(CONFIGURATION),
    # keys
    "private keys": _private_keys,
    "symmetric keys": _symmetric_keys,
    "weak key": _weak_key,
    "two keys of one name": _two_keys,
    "key for encryption": _encryption_key,
    "redirected keys": raw("/keys", 307, ELSEWHERE, b"{}"),
    "huge keys": raw("/keys", 200, JSON, json.dumps({"keys": [], "x": "y" * (300 << 10)}).encode()),
    # the token endpoint
    "redirected token": raw("/token", 307, ELSEWHERE, b"{}"),
    "slow token": slow("/token"),
    "no ID token": part("tokens", id_token=None),
    "no access token": part("tokens", access_token=None),
    "token of another type": part("tokens", token_type="DPoP"),
    "ID token that is a number": part("tokens", id_token=7),
    # the signature
    "unsigned": _unsigned,
    "signature cut off": _stripped,
    "key confusion": _confused,
    "signed with the client's secret": _by_secret,
    "signed by a stranger": by_stranger,
    "key in the token": _own_key,
    "algorithm not pinned": _unpinned,
    "critical header": _critical,
    "key of another kind": _other_kind,
    "key of nobody": part("header", kid="gone"),
    "content changed": _bent,
    "logout token as ID token": part("header", typ="logout+jwt"),
    # the claims
    "issuer of the token": claim(iss="https://evil.example.org"),
    "no issuer": claim(iss=None),
    "audience of another": claim(aud="other"),
    "audience of another, azp us": claim(aud="other", azp="troth"),
    "audience with an untrusted one": claim(aud=["troth", "other"], azp="troth"),
    "audience that is no text": claim(aud=["troth", 7], azp="troth"),
    "azp of another": claim(azp="other"),
    "no audience": claim(aud=None),
    "wrong nonce": claim(nonce="other"),
    "no nonce": claim(nonce=None),
    "expired": claim(exp=later(-60)),
    "no expiry": claim(exp=None),
    "expiry that is true": claim(exp=True),
    "issued in the future": claim(iat=later(120)),
    "issued long ago": claim(iat=later(-3600)),
    "not valid yet": claim(nbf=later(120)),
    "wrong at_hash": claim(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "wrong c_hash": claim(c_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "no subject": claim(sub=None),
    "subject without end": claim(sub="s" * 300),
    # userinfo
    "userinfo of another": part("userinfo", sub="sub-2"),
    "userinfo of nobody": part("userinfo", sub=None),
    "redirected userinfo": raw("/userinfo", 302, ELSEWHERE, b"{}"),
    "address not verified": newcomer(email_verified=False),
    "address verified by a text": newcomer(email_verified="true"),
    "address of another domain": newcomer(email="ada@evil.example.org"),
    "no address": newcomer(email=None),
    "address of the token, mark of userinfo": lambda lies, provider: (
        newcomer(email=None)(lies, provider),
        claim(sub="newcomer", email="new@acme.example.org")(lies, provider),
    )[0],
}


def elliptic(lies: Lies, provider: Provider) -> None:
    lies.header = lambda header: header.update(alg="ES256", kid="ec-1")
    lies.sign = lambda header, content: jws.serialize_compact(header, content, provider.ec, algorithms=["ES256"])


HONEST: dict[str, Tell] = {
    "as it is": lambda _lies, _provider: None,
    "audience as a list": claim(aud=["troth"]),
    "azp us": claim(azp="troth"),
    "no at_hash": claim(at_hash=None),
    "no iss, not advertised": lambda lies, provider: (
        part("metadata", authorization_response_iss_parameter_supported=None)(lies, provider),
        part("response", iss=None)(lies, provider),
    )[0],
    "elliptic": elliptic,
    "a clock that is off a little": claim(iat=later(20)),
    "pushed requests": lambda lies, provider: part(
        "metadata", pushed_authorization_request_endpoint=provider.issuer + "/push"
    )(lies, provider),
}


LOGOUT_FAULTS: dict[str, Tell] = {
    "unsigned": lambda lies, _: (
        part("logout_header", alg="none")(lies, _),
        setattr(lies, "sign", bare),
    )[0],
    "by a stranger": by_stranger,
    "an ID token": part("logout_header", typ="JWT"),
    "no type": part("logout_header", typ=None),
    "with a nonce": part("logout", nonce="n"),
    "no event": part("logout", events={}),
    "event that is no object": part("logout", events={LOGOUT_EVENT: "yes"}),
    "of nobody": part("logout", sub=None, sid=None),
    "without an id": part("logout", jti=None),
    "issuer of another": part("logout", iss="https://evil.example.org"),
    "audience of another": part("logout", aud="other"),
    "expired": part("logout", exp=1),
    "no expiry": part("logout", exp=None),
}
