from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from troth.identity.devices.holding import DeviceKey
from troth.identity.devices.proof import MOST_PROOF, Kind, thumbprint, token_hash, verify_proof
from troth.identity.mfa.relying_party import decoded, encoded
from troth.kernel.errors import Unauthenticated

NOW = 1_795_000_000_000
URL = "https://troth.example.org/v1/me"
TOKEN = "troth_st_" + "a" * 52
KEY = DeviceKey()
CLAIMS = {"jti": "one", "htm": "GET", "htu": URL, "iat": NOW // 1000, "ath": token_hash(TOKEN)}
HEAD = {"alg": "ES256", "typ": "dpop+jwt", "jwk": KEY.jwk}


def verified(jws: str, **how: Any) -> Any:
    asked: dict[str, Any] = {"kind": Kind.DPOP, "method": "GET", "now": NOW, "token": TOKEN, "challenge": None}
    return verify_proof(jws, url_ok=lambda url: url == URL, **asked | how)


def refused(jws: str, **how: Any) -> None:
    with pytest.raises(Unauthenticated) as error:
        verified(jws, **how)
    assert error.value.code == "proof-invalid"


def test_an_honest_proof_names_its_key() -> None:
    proof = verified(KEY.proof("GET", URL, now=NOW, token=TOKEN))
    assert (proof.thumbprint, proof.jwk, proof.issued_at) == (KEY.thumbprint, KEY.jwk, NOW)
    assert verified(KEY.proof("GET", URL, now=NOW), token=None).thumbprint == KEY.thumbprint


def test_the_thumbprint_is_that_of_the_standard() -> None:
    """RFC 8037 appendix A.3, and RFC 9449 section 6.1 with the key of section 4.1."""
    okp = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert thumbprint(okp) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    x, y = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"
    assert thumbprint({"kty": "EC", "crv": "P-256", "x": x, "y": y}) == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


def test_the_proof_of_the_standard_holds() -> None:
    """RFC 9449 section 4.1, letter by letter."""
    jws = (
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0"
        "RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2"
        "In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2Vu"
        "IiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
    )
    asked: dict[str, Any] = {"kind": Kind.DPOP, "token": None, "challenge": None, "now": 1562262616_000}
    url_ok: Callable[[str], bool] = lambda url: url == "https://server.example.com/token"  # noqa: E731
    assert verify_proof(jws, method="POST", url_ok=url_ok, **asked).jti == "-BwC3ESc6acc2lTc"


def test_ed25519_is_taken_by_its_full_name_only() -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": encoded(private.public_key().public_bytes_raw())}

    def signed(alg: str) -> str:
        parts = ({"alg": alg, "typ": "dpop+jwt", "jwk": jwk}, CLAIMS)
        text = ".".join(encoded(json.dumps(part).encode()) for part in parts)
        return f"{text}.{encoded(private.sign(text.encode()))}"

    assert verified(signed("Ed25519")).thumbprint == thumbprint(jwk)
    refused(signed("EdDSA"))
    refused(signed("ES256"))


WRONG_HEADS: dict[str, dict[str, Any]] = {
    "no algorithm": {"alg": "none"},
    "a shared secret": {"alg": "HS256"},
    "another curve's algorithm": {"alg": "ES384"},
    "a list as algorithm": {"alg": ["ES256"]},
    "another type": {"typ": "dbsc+jwt"},
    "a plain token": {"typ": "JWT"},
    "no key": {"jwk": None},
    "a private key": {"jwk": {**KEY.jwk, "d": KEY.jwk["x"]}},
    "a symmetric key": {"jwk": {"kty": "oct", "k": KEY.jwk["x"]}},
    "another curve": {"jwk": {**KEY.jwk, "crv": "P-384"}},
    "no point of the curve": {"jwk": {**KEY.jwk, "y": KEY.jwk["x"]}},
    "a short coordinate": {"jwk": {**KEY.jwk, "x": KEY.jwk["x"][:-2]}},
    "a long coordinate": {"jwk": {**KEY.jwk, "x": encoded(bytes(1) + decoded(KEY.jwk["x"]))}},
    "a number as coordinate": {"jwk": {**KEY.jwk, "x": 7}},
    "a certificate beside it": {"jwk": {**KEY.jwk, "x5c": []}},
    "an address of keys": {"jku": "https://evil.example"},
    "a critical extension": {"crit": ["b64"], "b64": False},
    "a name of a key": {"kid": "1"},
}


@pytest.mark.parametrize("how", WRONG_HEADS)
def test_a_wrong_header_is_refused(how: str) -> None:
    refused(KEY.sign(HEAD | WRONG_HEADS[how], CLAIMS))


WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "another method": {"htm": "POST"},
    "the method in small letters": {"htm": "get"},
    "another address": {"htu": "https://evil.example/v1/me"},
    "no text as address": {"htu": ["https://troth.example.org/v1/me"]},
    "too old": {"iat": NOW // 1000 - 61},
    "of the future": {"iat": NOW // 1000 + 61},
    "a truth value as time": {"iat": True},
    "a time in words": {"iat": str(NOW // 1000)},
    "a fraction": {"iat": NOW / 1000},
    "another token": {"ath": token_hash(TOKEN + "b")},
    "the token itself": {"ath": TOKEN},
    "an empty id": {"jti": ""},
    "a long id": {"jti": "a" * 129},
    "no text as id": {"jti": 5},
}


@pytest.mark.parametrize("how", WRONG_CLAIMS)
def test_a_wrong_claim_is_refused(how: str) -> None:
    refused(KEY.sign(HEAD, CLAIMS | WRONG_CLAIMS[how]))


@pytest.mark.parametrize("name", CLAIMS)
def test_a_missing_claim_is_refused(name: str) -> None:
    refused(KEY.sign(HEAD, {one: value for one, value in CLAIMS.items() if one != name}))


@pytest.mark.parametrize("name", HEAD)
def test_a_missing_member_of_the_header_is_refused(name: str) -> None:
    refused(KEY.sign({one: value for one, value in HEAD.items() if one != name}, CLAIMS))


def test_a_signature_of_another_key_or_shape_is_refused() -> None:
    honest = KEY.sign(HEAD, CLAIMS)
    head, body, signature = honest.split(".")
    refused(DeviceKey().sign(HEAD, CLAIMS))
    refused(f"{head}.{body}.{encoded(decoded(signature)[:-1])}")
    refused(f"{head}.{body}.{encoded(bytes(64))}")
    refused(f"{head}.{body}.{signature}=")
    refused(f"{head}.{body}.")
    refused(f"{head}.{body}")
    refused(f"{honest}.{body}")
    refused("")


def raw(head: bytes, body: bytes) -> str:
    """A proof of any bytes with a right signature."""
    private = ec.generate_private_key(ec.SECP256R1())
    jwk = json.dumps(DeviceKey(private).jwk).encode()
    text = f"{encoded(head.replace(b'KEY', jwk))}.{encoded(body)}"
    r, s = decode_dss_signature(private.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


RAW_HEAD, RAW_BODY = b'{"alg": "ES256", "typ": "dpop+jwt", "jwk": KEY}', json.dumps(CLAIMS).encode()
ODD_BODIES = (
    b'{"jti": "two", ' + RAW_BODY[1:],
    b"[" * 2000,
    b"{",
    b"[]",
    b"null",
    b"\xff",
    RAW_BODY[:-1] + b', "a": NaN}',
)


@pytest.mark.parametrize("body", ODD_BODIES)
def test_what_is_no_plain_object_is_refused(body: bytes) -> None:
    assert verified(raw(RAW_HEAD, RAW_BODY))
    refused(raw(RAW_HEAD, body))


def test_a_name_that_stands_twice_in_the_header_is_refused() -> None:
    refused(raw(RAW_HEAD.replace(b"{", b'{"alg": "none", ', 1), RAW_BODY))


def test_a_long_proof_is_refused_unread() -> None:
    head = HEAD | {"jwk": {**KEY.jwk, "kid": "a" * MOST_PROOF}}
    refused(KEY.sign(head, CLAIMS))
    assert verified(KEY.sign(HEAD | {"jwk": {**KEY.jwk, "kid": "a"}}, CLAIMS)).jwk == KEY.jwk


def test_a_proof_without_a_token_names_none() -> None:
    refused(KEY.proof("GET", URL, now=NOW, token=TOKEN), token=None)


def test_a_challenge_comes_back() -> None:
    asked = KEY.proof("GET", URL, now=NOW, token=TOKEN, nonce="now")
    assert verified(asked, challenge="now").jti
    refused(asked, challenge="then")
    refused(KEY.proof("GET", URL, now=NOW, token=TOKEN), challenge="now")


def test_each_kind_stands_for_itself() -> None:
    portal, native = KEY.answer("now", "GET", URL), KEY.native("now")
    assert verified(portal, kind=Kind.PORTAL, token=None, challenge="now").issued_at is None
    assert verified(native, kind=Kind.DBSC, token=None, challenge="now").jti == "now"
    for jws, kind in ((portal, Kind.DBSC), (native, Kind.PORTAL), (portal, Kind.DPOP)):
        refused(jws, kind=kind, token=None, challenge="now")
    refused(portal, kind=Kind.PORTAL, token=None, challenge="then")
    refused(portal, kind=Kind.PORTAL, token=None, challenge=None)
    refused(KEY.answer("now", "POST", URL), kind=Kind.PORTAL, token=None, challenge="now")
    refused(KEY.answer("now", "GET", "https://evil.example"), kind=Kind.PORTAL, token=None, challenge="now")


def test_a_known_key_need_not_be_carried_and_no_other_is_taken() -> None:
    asked: dict[str, Any] = {"kind": Kind.DBSC, "token": None, "challenge": "now"}
    assert verified(KEY.native("now", carried=False), key=KEY.jwk, **asked).thumbprint == KEY.thumbprint
    assert verified(KEY.native("now"), key=KEY.jwk, **asked)
    refused(KEY.native("now", carried=False), **asked)
    other = {"alg": "ES256", "typ": "dbsc+jwt", "jwk": DeviceKey().jwk}
    refused(KEY.sign(other, {"jti": "now"}), key=KEY.jwk, **asked)
    for carried in (True, False):
        refused(DeviceKey().native("now", carried=carried), key=KEY.jwk, **asked)


def test_a_key_comes_back_from_its_file() -> None:
    assert DeviceKey.from_pem(KEY.pem()).thumbprint == KEY.thumbprint
