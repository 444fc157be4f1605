"""How a session's token came to us, and which device answers for it."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from troth.identity.devices.proof import Kind, Proof, refusal, required, verify_proof
from troth.identity.devices.spent import READING, SpentProofs
from troth.kernel.caller import Device
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Unauthenticated

DPOP, WEBCRYPTO, DBSC = "dpop", "webcrypto", "dbsc"  # `Device.bound`
_UNBOUND = Device()
_HTTPS = ":443"


class Scheme(StrEnum):
    """By which way a token came."""

    BEARER = "bearer"
    DPOP = "dpop"
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a request shows beside its token. `path` is decoded, without a query; `cookie` the bound one."""

    scheme: Scheme = Scheme.BEARER
    proof: str | None = None
    method: str = ""
    path: str = ""
    cookie: str | None = None

    @property
    def spends(self) -> bool:
        """True when to judge the proof means to write."""
        return self.proof is not None and self.method not in READING


PLAIN = Shown()


@dataclass(frozen=True, slots=True)
class Binding:
    """The columns of a session that say which key answers for it."""

    bound: str | None
    thumbprint: str | None
    bound_at: int | None
    cookie: bytes | None
    cookie_until: int | None
    cookie_before: bytes | None
    cookie_before_until: int | None

    def device(self, now: int) -> Device:
        """The device, once its key has answered."""
        return Device(self.bound, self.thumbprint, (now - (self.bound_at or now)) // 1000)

    def renewed_lately(self, cookie: str | None, now: int) -> bool:
        """Whether this is the cookie that the key's holder got last, or the one before it within its last moments."""
        if cookie is None:
            return False
        shown = secret_digest(cookie)
        kept = ((self.cookie, self.cookie_until), (self.cookie_before, self.cookie_before_until))
        return any(hmac.compare_digest(shown, one or b"") and now < (until or 0) for one, until in kept)


class Devices:
    """Judges what requests show. `origins` are our own addresses, as browsers and programs see them."""

    def __init__(self, spent: SpentProofs, clock: Clock, origins: tuple[str, ...] = ()) -> None:
        self._spent = spent
        self._clock = clock
        self._origins = frozenset(_plain(one) for one in origins)

    def of(self, binding: Binding, token: str, shown: Shown, now: int) -> Device:
        """The device behind a session's token. One that was bound, and not confirmed lately, is none, but known by its
        thumbprint.

        Raises `Unauthenticated`: `proof-required` for the token of a bound session alone, `proof-invalid`.
        """
        if binding.bound is None:
            if shown.scheme is Scheme.DPOP:
                raise refusal()
            return _UNBOUND
        if binding.bound == DPOP:
            if shown.proof is None or shown.scheme is Scheme.BEARER:
                raise required()
            self.spent_by(binding.thumbprint, token, shown, now)
            return binding.device(now)
        if shown.scheme is not Scheme.COOKIE:
            raise _a_browsers()
        answered = binding.renewed_lately(shown.cookie, now)
        return binding.device(now) if answered else Device(None, binding.thumbprint)

    def spent_by(self, thumbprint: str | None, token: str, shown: Shown, now: int) -> Proof:
        """A proof of the key with this thumbprint, for this token and request, used up. Raises as `of`."""
        proof = self._verified(shown, now, token)
        if proof.thumbprint != thumbprint:
            raise refusal()
        self._spent.spend(proof, shown.method)
        return proof

    def newcomer(self, shown: Shown) -> Device:
        """Whose key a stranger shows, so that the session they may open is bound to it from the start.

        Not used up: what opens a session is not good twice anyway, and the session that comes of it needs the key.
        Raises `Unauthenticated` (`proof-invalid`).
        """
        if shown.proof is None:
            return _UNBOUND
        proof = self._verified(shown, epoch_ms(self._clock.now()), None)
        return Device(DPOP, proof.thumbprint)

    def ours(self, url: str, path: str) -> bool:
        """Whether an address is ours and has this path, without query or fragment. Raises ValueError for no address."""
        place = urlsplit(url)
        bare = not place.query and not place.fragment and "?" not in url and "#" not in url
        return bare and _plain(f"{place.scheme}://{place.netloc}") in self._origins and unquote(place.path) == path

    def _verified(self, shown: Shown, now: int, token: str | None) -> Proof:
        return verify_proof(
            shown.proof or "",
            kind=Kind.DPOP,
            method=shown.method,
            url_ok=lambda url: self.ours(url, shown.path),
            now=now,
            token=token,
            challenge=None,
        )


def secret_digest(secret: str) -> bytes:
    """What is kept of a token or a cookie, each of 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()


def _plain(origin: str) -> str:
    return origin.lower().removesuffix(_HTTPS).rstrip("/")


def _a_browsers() -> Unauthenticated:
    return Unauthenticated(
        "This session belongs to a browser and its device; sign in anew for a program.", code="proof-required"
    )
