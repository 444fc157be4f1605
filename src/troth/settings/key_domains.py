"""The section of the key domains: where epoch roots are made, used and destroyed, and what may not be combined."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from itertools import combinations, permutations
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from troth.kernel.errors import Invalid
from troth.settings.sections import Data, Section

FIRST = "local"  # the domain without a setting; its folders have names of their own
_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]


class CopiesBucket(Section):
    """A bucket that speaks S3, for a domain's copies of the key pages.

    It must answer at the start and for every erasure; reading does not need it.
    """

    bucket: str = Field(min_length=3, max_length=63)
    """Name of the bucket; best without an object lock: superseded pages are deleted."""
    prefix: str = Field(default="", max_length=256)
    """The part of the bucket to use; each domain and each installation has its own."""
    endpoint: str = Field(max_length=512)
    """https address of the service (http only on this machine)."""
    region: str = Field(max_length=64)
    """Region of the bucket, for signing."""
    credentials: Path = Field(repr=False)
    """TOML file of mode 0600 with access_key_id and secret_access_key."""


class _Domain(Section):
    name: _Name
    """As certificates show it: small letters, digits, dashes. It never changes and is never used again."""
    copies: Path | None = None
    """Folder for this domain's copies of the key pages; best on another disk. Default: `key-pages-NAME` in the data."""
    copies_bucket: CopiesBucket | None = None
    """A bucket for these copies instead of a folder."""


class LocalDomain(_Domain):
    """Roots in a folder. Assurance A0."""

    kind: Literal["local"] = "local"
    """`local`: roots in a folder, assurance A0."""
    name: _Name = FIRST
    """As certificates show it."""
    folder: Path | None = None
    """Folder of the roots, mode 0700, in no backup. Default: `roots-NAME` below `data.keys`."""


class Pkcs11Domain(_Domain):
    """Roots on a PKCS#11 token. Assurance A2 in hardware, A0 on a software token such as SoftHSM."""

    kind: Literal["pkcs11"]
    """`pkcs11`: roots on a token, assurance A2 in hardware, A0 in software."""
    library: Path
    """The module's library, from the maker of the HSM."""
    token: str = Field(min_length=1, max_length=32)
    """The token's label."""
    pin_file: Path = Field(repr=False)
    """File of mode 0600 with the user PIN on one line."""


class OpenBaoDomain(_Domain):
    """Roots in the transit engine of OpenBao. Assurance A1."""

    kind: Literal["openbao"]
    """`openbao`: roots in a key service, assurance A1."""
    address: str = Field(max_length=512)
    """https://host:port of the active server; http only on this machine."""
    mount: str = Field(default="transit", pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")
    """Mount of the transit engine; use one for Troth alone."""
    token_file: Path = Field(repr=False)
    """File of mode 0600 with the access token; read at each use, so an agent may renew it."""
    authority: Path | None = None
    """PEM file of the authority that signed the server's certificate; the system's when left out."""
    namespace: str | None = Field(default=None, max_length=256)
    """Namespace, where the service has them."""
    timeout_seconds: float = Field(default=5.0, gt=0, le=60)
    """How long the service may take to connect, and to answer."""

    @field_validator("address")
    @classmethod
    def _safe(cls, address: str) -> str:
        parts = urlsplit(address)
        plain = parts.username or parts.query or parts.fragment or parts.path not in ("", "/")
        if parts.scheme not in ("https", "http") or not parts.hostname or plain:
            raise ValueError("an address is https://host:port and nothing more")
        if parts.scheme == "http" and not _loopback(parts.hostname):
            raise ValueError("http is for this machine only; use https")
        return address.rstrip("/")


KeyDomain = Annotated[LocalDomain | Pkcs11Domain | OpenBaoDomain, Field(discriminator="kind")]


class Keys(Section):
    """Where the roots of all keys lie."""

    domains: tuple[KeyDomain, ...] = Field(default=(LocalDomain(),), min_length=1, max_length=4)
    """The key domains, as JSON or as TOML tables `[[keys.domains]]`; each is the others' backup, so have two or more.
    How to: docs/how-to/keys-in-an-hsm.md and keys-in-openbao.md."""
    split: bool = False
    """Every domain holds a share of the root only: destroying one suffices, and all must answer (decision 0021)."""
    root_days: int = Field(default=30, ge=1, le=365)
    """Cryptoperiod of the roots: they are replaced at the latest after so many days."""
    unit_days: int = Field(default=365, ge=1, le=730)
    """Cryptoperiod of keys of periods and accounts (SP 800-57: at most two years); older ones only open."""


def roots_folder(domain: LocalDomain, data: Data) -> Path:
    """Where a local domain keeps its roots."""
    return domain.folder or data.keys / ("roots" if domain.name == FIRST else f"roots-{domain.name}")


def copies_folder(domain: KeyDomain, data: Data) -> Path:
    """Where a domain keeps its copies of the key pages."""
    return domain.copies or data.folder / ("key-pages" if domain.name == FIRST else f"key-pages-{domain.name}")


_SHARES = 2


def require_apart(keys: Keys, data: Data) -> None:
    """Raises `Invalid` for domains that are not each other's backup, or whose secrets would be in one of the data."""
    domains = keys.domains
    if keys.split and len(domains) < _SHARES:
        raise _refused("A root can be split over two key domains or more.")
    if len({one.name for one in domains}) != len(domains):
        raise _refused("Key domains need different names.")
    for one, other in combinations(domains, 2):
        if _provider(one, data) == _provider(other, data):
            raise _refused("Two key domains use the same folder, token or mount: then neither is the other's backup.")
    _require_buckets(domains)
    copies = [copies_folder(one, data).resolve() for one in domains if not one.copies_bucket]
    if any(_nested(one, other) for one, other in combinations(copies, 2)):
        raise _refused("Each key domain needs a folder of its own for its copies of the key pages.")
    if any(_nested(one, secret) for one in copies for secret in (data.keys.resolve(), *_roots(domains, data))):
        raise _refused("Copies of key pages must not lie with the keys, nor the keys with them.")
    if any(path.resolve().is_relative_to(data.folder.resolve()) for path in _secrets(domains, data)):
        raise _refused("Roots, PIN files and token files must not lie in the data folder: its backups would hold them.")


def _require_buckets(domains: Sequence[KeyDomain]) -> None:
    if any(one.copies and one.copies_bucket for one in domains):
        raise _refused("Copies of key pages lie in a folder or in a bucket, not in both.")
    buckets = [_bucket(one.copies_bucket) for one in domains if one.copies_bucket]
    if any(_within(one, other) for one, other in permutations(buckets, 2)):
        raise _refused("Each key domain needs a bucket or prefix of its own for its copies of the key pages.")


def _bucket(place: CopiesBucket) -> tuple[str, ...]:
    return (place.endpoint.lower().rstrip("/"), place.bucket, *filter(None, place.prefix.split("/")))


def _within(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return one[: len(other)] == other


def _provider(domain: KeyDomain, data: Data) -> tuple[object, ...]:
    if isinstance(domain, LocalDomain):
        return (roots_folder(domain, data).resolve(),)
    if isinstance(domain, Pkcs11Domain):
        return domain.library.resolve(), domain.token
    return domain.address.lower(), domain.mount, domain.namespace


def _roots(domains: Sequence[KeyDomain], data: Data) -> list[Path]:
    return [roots_folder(one, data).resolve() for one in domains if isinstance(one, LocalDomain)]


def _secrets(domains: Sequence[KeyDomain], data: Data) -> list[Path]:
    files = [one.pin_file for one in domains if isinstance(one, Pkcs11Domain)]
    files += [one.copies_bucket.credentials for one in domains if one.copies_bucket]
    return _roots(domains, data) + files + [one.token_file for one in domains if isinstance(one, OpenBaoDomain)]


def _nested(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refused(advice: str) -> Invalid:
    return Invalid(advice, code="bad-setting")
