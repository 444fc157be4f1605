"""Builds what says where outputs come from: content credentials, the watermark, and the public question about both."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from pathlib import Path

from troth.gateway.provenance import Credentials, TimeStamps
from troth.gateway.provenance.authority import Authority, Recording, assurance_of, held_name
from troth.gateway.provenance.credentials import Earlier
from troth.gateway.provenance.fingerprints import Fingerprints
from troth.gateway.provenance.verifying import ProvenanceOperations, Verifier
from troth.gateway.provenance.watermark import Watermark
from troth.kernel.clock import Clock, SystemClock
from troth.kernel.errors import Invalid, Unavailable
from troth.keys.domain_choice import signing_keys_of
from troth.keys.signers.port import SigningKeys
from troth.promises.system import Base
from troth.settings.load import Settings
from troth.storage.database import Database
from troth.storage.isolation import settle
from troth.storage.outbox import Outbox
from troth.wiring.beside import recorded

_CREATED, _RENEWED = "credentials.created", "credentials.renewed"


def build_credentials(base: Base) -> Credentials:
    """The signer of this installation. Raises `Invalid` (timestamp-authority, signer-domain), `Unavailable`.

    Its first keys are in the log, and a renewal whose time has come like one by command; without an entry there are
    none, or the leaf of before stays.
    """
    founding, renewing = (partial(recorded, base.outbox, base.clock, one) for one in (_CREATED, _RENEWED))
    folder, authority = _authority(base.settings, base.clock, renewing, founding)
    return Credentials(folder, base.clock, signer=authority, earlier=_earlier(folder), stamps=_stamps(base))


def renew(settings: Settings) -> None:
    """A new key and certificate for content credentials, which the next start takes; the log says so.

    Raises `Invalid`, `Unavailable`: the one of before then stays.
    """
    database = Database(settings.data.database_url or f"sqlite:///{settings.data.folder / 'troth.db'}")
    outbox, clock = Outbox(database), SystemClock()
    try:
        settle(database, owner_url=settings.data.database_owner_url, single_role=settings.data.database_single_role)
        with recorded(outbox, clock, _RENEWED):
            _, authority = _authority(settings, clock, nullcontext, partial(recorded, outbox, clock, _CREATED))
            if not authority.renewed:  # its time had come: one key is enough
                authority.renew()
    finally:
        outbox.close()
        database.close()


def _authority(settings: Settings, clock: Clock, recording: Recording, founding: Recording) -> tuple[Path, Authority]:
    keys, name = settings.data.keys, settings.gateway.credentials_domain
    if name is None:
        return keys / "credentials", Authority(keys / "credentials", clock, recording=recording, founding=founding)
    named = [one for one in settings.keys.domains if one.name == name]
    if not named:
        raise Invalid("TROTH_GATEWAY__CREDENTIALS_DOMAIN names no key domain of this installation.",
                      code="signer-domain")  # fmt: skip
    folder = keys / f"credentials-{name}"

    def keys_of(folder: Path) -> SigningKeys:
        return signing_keys_of(named[0], settings.data, f"credentials/{held_name(folder)}")

    return folder, Authority(folder, clock, keys_of, recording, founding)


def _earlier(current: Path) -> list[Earlier]:
    """Who signed here before: whoever left a root beside the folder that is in use. Raises `Unavailable`."""
    beside = [one for one in sorted(current.parent.glob("credentials*/root.pem")) if one.parent != current]
    try:
        return [Earlier(one.read_text("ascii"), assurance_of(one.parent)) for one in beside]
    except (OSError, ValueError) as error:
        raise Unavailable(
            "A root of earlier content credentials cannot be read: check the folders `credentials*` of the keys.",
            code="credentials-unusable",
        ) from error


def build_watermark(base: Base) -> Watermark:
    """The mark of this installation."""
    return Watermark(base.secrets.named("watermark"))


def build_fingerprints(base: Base) -> Fingerprints:
    """The index of how outputs look."""
    audience = base.settings.gateway.fingerprints
    return Fingerprints(base.database, base.secrets.named("fingerprints"), base.clock, audience)


def build_provenance(
    credentials: Credentials, watermark: Watermark, fingerprints: Fingerprints
) -> ProvenanceOperations:
    """The operation for strangers."""
    return ProvenanceOperations(Verifier(credentials, watermark, fingerprints))


def _stamps(base: Base) -> TimeStamps | None:
    settings = base.settings.gateway
    if settings.timestamp_url is None:
        return None
    try:
        anchor = settings.timestamp_authority.read_text("ascii") if settings.timestamp_authority else ""
    except (OSError, ValueError) as error:
        raise Invalid(
            "The root of the time stamp authority cannot be read: TROTH_GATEWAY__TIMESTAMP_AUTHORITY names a PEM file.",
            code="timestamp-authority",
        ) from error
    return TimeStamps(settings.timestamp_url, anchor, settings.timestamp_required)
