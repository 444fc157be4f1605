"""The manifest of an epoch: which root page, sealed under which epoch roots. Canonical JSON (RFC 8785). No I/O."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass

import rfc8785

from troth.kernel.errors import IntegrityError

_TYPE = "troth/key-manifest/v1"
CANARY_BYTES = 32


@dataclass(frozen=True, slots=True)
class DomainSeal:
    """What one key domain holds of an epoch: the root page's key and a canary, both sealed under the epoch root."""

    domain: str
    root: str
    assurance: str
    key: bytes
    canary: bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """One epoch of one jurisdiction's tree.

    `previous` is the SHA-256 (hex) of the manifest before ("" for the first); `pages` the SHA-256 over ids and digests
    of the pages that this epoch re-keyed; `created` in epoch milliseconds.
    """

    jurisdiction: str
    epoch: int
    previous: str
    root_page: str
    pages: str
    created: int
    domains: tuple[DomainSeal, ...]

    def encoded(self) -> bytes:
        """Its bytes; the manifest's digest is their SHA-256."""
        seals = [
            {"domain": one.domain, "root": one.root, "assurance": one.assurance, "key": _text(one.key)}
            | {"canary": _text(one.canary)}
            for one in self.domains
        ]
        return rfc8785.dumps({"type": _TYPE, **_bound(self), "created": self.created, "domains": seals})

    @property
    def digest(self) -> str:
        """SHA-256 of the encoded manifest, hex."""
        return hashlib.sha256(self.encoded()).hexdigest()

    def aad(self, purpose: str, domain: str) -> bytes:
        """What a sealed value of this manifest is bound to; `purpose` is "root-page-key" or "canary"."""
        return rfc8785.dumps({"purpose": f"{_TYPE}/{purpose}", "domain": domain, **_bound(self)})


def decode(body: bytes) -> Manifest:
    """The inverse of `Manifest.encoded`. Raises `IntegrityError` when the bytes are not a manifest."""
    try:
        members = json.loads(body)
        if members.pop("type") != _TYPE:
            raise _broken()
        seals = tuple(
            DomainSeal(one["domain"], one["root"], one["assurance"], _raw(one["key"]), _raw(one["canary"]))
            for one in members.pop("domains")
        )
        return Manifest(**members, domains=seals)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise _broken() from error


def _bound(manifest: Manifest) -> dict[str, str | int]:
    return {
        "jurisdiction": manifest.jurisdiction,
        "epoch": manifest.epoch,
        "previous": manifest.previous,
        "root_page": manifest.root_page,
        "pages": manifest.pages,
    }


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _raw(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _broken() -> IntegrityError:
    return IntegrityError("The key tree's manifest cannot be read; restore the key tables.", code="key-manifest")
