"""The manifest of an epoch: which root page, sealed under which epoch roots. Canonical JSON (RFC 8785). No I/O."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass

import rfc8785

from troth.kernel.errors import IntegrityError

_TYPES = {1: "troth/key-manifest/v1", 2: "troth/key-manifest/v2"}
_VERSIONS = {name: version for version, name in _TYPES.items()}
NEWEST = _SPLIT_SINCE = 2
CANARY_BYTES = 32


@dataclass(frozen=True, slots=True)
class DomainSeal:
    """What one key domain holds of an epoch, sealed under its root: the root page's key or share, and a canary."""

    domain: str
    root: str
    assurance: str
    key: bytes
    canary: bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """One epoch of one jurisdiction's tree.

    `previous` is the SHA-256 (hex) of the manifest before ("" for the first); `pages` the SHA-256 over ids and digests
    of the pages that this epoch re-keyed; `created` in epoch milliseconds; `split`: every domain holds a share only.
    `version` is that of the format (1 knew no split).
    """

    jurisdiction: str
    epoch: int
    previous: str
    root_page: str
    pages: str
    created: int
    domains: tuple[DomainSeal, ...]
    split: bool = False
    version: int = NEWEST

    def encoded(self) -> bytes:
        """Its bytes; the manifest's digest is their SHA-256."""
        seals = [
            {"domain": one.domain, "root": one.root, "assurance": one.assurance, "key": _text(one.key)}
            | {"canary": _text(one.canary)}
            for one in self.domains
        ]
        return rfc8785.dumps({"type": _TYPES[self.version], **_bound(self), "created": self.created, "domains": seals})

    @property
    def digest(self) -> str:
        """SHA-256 of the encoded manifest, hex."""
        return hashlib.sha256(self.encoded()).hexdigest()

    def aad(self, purpose: str, domain: str) -> bytes:
        """What a sealed value is bound to; `purpose` is "root-page-key", "root-page-share" or "canary"."""
        return rfc8785.dumps({"purpose": f"{_TYPES[self.version]}/{purpose}", "domain": domain, **_bound(self)})


def decode(body: bytes) -> Manifest:
    """The inverse of `Manifest.encoded`. Raises `IntegrityError` when the bytes are not a manifest."""
    try:
        members = json.loads(body)
        version = _VERSIONS[members.pop("type")]
        if (version >= _SPLIT_SINCE) is not isinstance(members.get("split"), bool):
            raise _broken()
        seals = tuple(
            DomainSeal(one["domain"], one["root"], one["assurance"], _raw(one["key"]), _raw(one["canary"]))
            for one in members.pop("domains")
        )
        return Manifest(**members, domains=seals, version=version)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise _broken() from error


def _bound(manifest: Manifest) -> dict[str, str | int]:
    since = {"split": manifest.split} if manifest.version >= _SPLIT_SINCE else {}
    return {
        "jurisdiction": manifest.jurisdiction,
        "epoch": manifest.epoch,
        "previous": manifest.previous,
        "root_page": manifest.root_page,
        "pages": manifest.pages,
        **since,
    }


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _raw(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _broken() -> IntegrityError:
    return IntegrityError("The key tree's manifest cannot be read; restore the key tables.", code="key-manifest")
