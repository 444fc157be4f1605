"""The installation's own authority: made on first use, followed by the next before it ends, given up when exposed.

Its key lies in the database, sealed in the key tree (so under the roots of every key domain, be they files, OpenBao or
a token), and is used in this process's memory: providers of roots seal and open and do not sign, so the class of its
use is A0 whatever the roots are. docs/decisions/0088-device-certificates.md
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError as Duplicate

from troth.identity.certificates.issuing import (
    LEAF_LIFE,
    PublicKey,
    authority_certificate,
    fresh_key,
    leaf_certificate,
    pem_of,
)
from troth.identity.certificates.names import SpiffeName
from troth.identity.certificates.store import authorities
from troth.identity.store import OPERATORS
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import IntegrityError, Unavailable
from troth.kernel.personal import PersonalFields
from troth.kernel.scope import as_system
from troth.storage.database import Database, is_unique_violation

SEALED_FOR = OPERATORS, "svc_certificates"  # tenant and subject of the unit that the keys are sealed under
KEY = "authority-key"
ASSURANCE = "A0"
OVERLAP = timedelta(days=30)  # the next one is there, and trusted, so long before the last ends
ANNOUNCED = timedelta(hours=1)  # every listener has learnt of the next one before it signs


@dataclass(frozen=True, slots=True)
class Authority:
    """One authority. Times in epoch milliseconds; `identifier` is what its certificates name."""

    number: int
    identifier: str
    certificate: str
    signs_from: int
    ends_at: int
    distrusted_at: int | None


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate and the authority that signed it (PEM). `ends_at` in epoch milliseconds."""

    holder: str
    certificate: str
    authority: str
    serial: str
    ends_at: int


_COLUMNS = [authorities.c[name] for name in Authority.__dataclass_fields__]


class Authorities:
    """All of them; several processes may use one database."""

    def __init__(self, database: Database, fields: PersonalFields, clock: Clock, domain: str) -> None:
        self._database = database
        self._fields = fields
        self._clock = clock
        self.domain = domain
        self._keys: dict[int, ec.EllipticCurvePrivateKey] = {}

    @as_system
    def trusted(self) -> Sequence[Authority]:
        """Those whose certificates count now, newest last; there is always one. Raises `Unavailable`."""
        found = self._trusted()
        if not found:
            self._make(self._now())
            found = self._trusted()
        return found

    @as_system
    def all(self) -> Sequence[Authority]:
        """Every one there was, oldest first."""
        with self._database.read() as sql:
            return [Authority(*row) for row in sql.execute(select(*_COLUMNS).order_by(authorities.c.number))]

    @as_system
    def upkeep(self) -> bool:
        """Make the next authority when the newest ends within 30 days; True when it did."""
        found = self._trusted()
        due = bool(found) and found[-1].ends_at - self._now() < OVERLAP // timedelta(milliseconds=1)
        if due:
            self._make(self._now() + ANNOUNCED // timedelta(milliseconds=1))
        return due

    @as_system
    def rotate(self, *, distrust: bool) -> Authority:
        """A fresh authority. With `distrust` it signs at once, and no certificate of any older one counts any more."""
        now = self._now()
        if distrust:
            with self._database.write() as sql:
                older = update(authorities).where(authorities.c.distrusted_at.is_(None))
                sql.execute(older.values(distrusted_at=now))
            self._keys.clear()
        self._make(now if distrust else now + ANNOUNCED // timedelta(milliseconds=1))
        return self._trusted()[-1]

    @as_system
    def certify(self, tenant: str, kind: str, holder: str, key: PublicKey) -> Certified:
        """A certificate of one hour. Raises `Unavailable` when no authority's key can be used."""
        last = self._now() + LEAF_LIFE // timedelta(milliseconds=1)
        signing = [one for one in self.trusted() if one.signs_from <= self._now() and one.ends_at > last]
        if not signing:
            raise Unavailable("No authority can sign now; try again within the hour.", code="no-authority")
        authority = signing[-1]
        issuer = x509.load_pem_x509_certificate(authority.certificate.encode())
        name = SpiffeName(self.domain, tenant, kind, holder)
        made = leaf_certificate(name, key, issuer, self._key(authority), self._clock.now())
        serial, ends_at = f"{made.serial_number:x}", epoch_ms(made.not_valid_after_utc)
        return Certified(holder, pem_of(made), authority.certificate, serial, ends_at)

    def _trusted(self) -> Sequence[Authority]:
        counts = authorities.c.distrusted_at.is_(None), authorities.c.ends_at > self._now()
        with self._database.read() as sql:
            rows = sql.execute(select(*_COLUMNS).where(*counts).order_by(authorities.c.number))
            return [Authority(*row) for row in rows]

    def _make(self, signs_from: int) -> None:
        """A fresh one; another process may be first, and then its one counts."""
        key, at = fresh_key(), self._clock.now()
        certificate = authority_certificate(key, self.domain, at)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest.hex()
        row = {
            "identifier": identifier,
            "certificate": pem_of(certificate),
            "key": self._fields.seal(*SEALED_FOR, KEY, _bytes_of(key)),
            "signs_from": signs_from,
            "ends_at": epoch_ms(certificate.not_valid_after_utc),
        }
        newest = select(func.coalesce(func.max(authorities.c.number), 0))
        try:
            with self._database.write() as sql:
                sql.execute(insert(authorities), {"number": sql.execute(newest).scalar_one() + 1, **row})
        except Duplicate as error:
            if not is_unique_violation(error):
                raise

    def _key(self, authority: Authority) -> ec.EllipticCurvePrivateKey:
        if authority.number not in self._keys:
            with self._database.read() as sql:
                mine = select(authorities.c.key).where(authorities.c.number == authority.number)
                sealed = sql.execute(mine).scalar_one()
            key = serialization.load_der_private_key(self._fields.open(*SEALED_FOR, KEY, sealed), None)
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise IntegrityError("An authority's key is of another kind; rotate the authority.", code="bad-key")
            self._keys[authority.number] = key
        return self._keys[authority.number]

    def _now(self) -> int:
        return epoch_ms(self._clock.now())


def _bytes_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())
