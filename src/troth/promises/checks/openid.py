"""OpenID Connect promise: a provider in software signs somebody in, and lies in every way that must be refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from troth.identity.sso.tokens import Expected, require_id_token, verified_claims
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Unauthenticated
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import refused
from troth.promises.system import System

Judge = Callable[[str, Sequence[Mapping[str, Any]], Expected], str]
_PINNED = ("ES256",)


@dataclass(frozen=True, slots=True)
class _Provider:
    """A key of its own and what it would honestly say."""

    key: Any
    now: int

    @property
    def expected(self) -> Expected:
        shown = "of this answer"
        return Expected(issuer="https://idp.example", client_id="troth", nonce="n", now=self.now, access_token=shown)

    def token(self, *, by: Any = None, alg: str = "ES256", **changes: Any) -> str:
        from joserfc import jws  # noqa: PLC0415

        honest = {"iss": "https://idp.example", "aud": "troth", "sub": "ada", "nonce": "n", "iat": self.now}
        said = {**honest, "exp": self.now + 300, **changes}
        header, key = {"alg": alg, "kid": "k"}, by or self.key
        return jws.serialize_compact(header, json.dumps(said).encode(), key, algorithms=[alg])


def _strict(token: str, keys: Sequence[Mapping[str, Any]], expected: Expected) -> str:
    algorithm, claims = verified_claims(token, keys, _PINNED, (None, "jwt"))
    return require_id_token(claims, algorithm, expected)


def _credulous(token: str, keys: Sequence[Mapping[str, Any]], expected: Expected) -> str:
    """The known-bad door: a good signature is all it wants."""
    del expected
    return str(verified_claims(token, keys, _PINNED, (None, "jwt"))[1].get("sub"))


def _openid(system: System, judging: Judge) -> Facts:
    from joserfc.jwk import ECKey  # noqa: PLC0415

    provider = _Provider(ECKey.generate_key("P-256"), epoch_ms(system.base.clock.now()) // 1000)
    return counted([*_tried(provider, ECKey.generate_key("P-256"), judging)])


def _tried(provider: _Provider, stranger: Any, judging: Judge) -> Iterator[bool]:
    """True for the honest token that is taken and for each false one that is refused."""
    keys = [{**provider.key.as_dict(private=False), "kid": "k"}]

    def fails(token: str) -> bool:
        return refused(lambda: judging(token, keys, provider.expected), Unauthenticated)

    honest, now = provider.token(), provider.now
    yield judging(honest, keys, provider.expected) == "ada"
    yield fails(provider.token(by=stranger))
    yield fails(honest.rpartition(".")[0] + ".")
    for changes in (
        {"iss": "https://other.example"},
        {"aud": "other"},
        {"aud": "other", "azp": "troth"},
        {"aud": ["troth", "other"], "azp": "troth"},
        {"azp": "other"},
        {"nonce": "other"},
        {"exp": now - 60},
        {"iat": now + 120},
        {"nbf": now + 120},
        {"at_hash": "A" * 22},
        {"sub": None},
    ):
        yield fails(provider.token(**changes))


CHECKS = (
    Check(
        "openid",
        ("IDN-04",),
        "A provider in software with a key of its own: its honest ID token must be taken; one that is unsigned, by "
        "another key, for another audience, party or nonce, of another issuer, expired, early or with a wrong at_hash "
        "must not. The exchange of the code is not looked at.",
        lambda system: _openid(system, _strict),
        lambda system: _openid(system, _credulous),
        every=6 * 3600,
        scope="the judge of ID tokens, with a synthetic provider",
        population="ID tokens, honest and false",
    ),
)
