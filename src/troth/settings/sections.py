"""One frozen section per capability. The docstring under each field is its manual (docs/reference/settings.md)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Jurisdiction = Literal["us", "eu", "au"]


class Section(BaseModel):
    """Frozen; an unknown name is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Data(Section):
    """Where things lie."""

    folder: Path = Path("var/troth")
    """Everything Troth keeps but the keys: database, sealed objects, log tiles. Created with mode 0700."""
    keys: Path = Path("var/troth-keys")
    """Root keys and signing keys of the local domain (assurance A0). Keep it out of every backup of `folder`."""
    database_url: str | None = Field(default=None, repr=False)
    """SQLAlchemy URL of a PostgreSQL database (postgresql+psycopg://…); the default is SQLite inside `folder`."""
    database_owner_url: str | None = Field(default=None, repr=False)
    """SQLAlchemy URL of the same database as the role that owns the tables; used at the start only, for the schema."""
    database_single_role: bool = False
    """Run on PostgreSQL with one role that owns the tables: tenants are then kept apart by Troth's queries only."""
    jurisdiction: Jurisdiction = "eu"
    """Where this installation stands; tenants of another jurisdiction are refused."""


class Server(Section):
    """The HTTPS listener."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=8443, ge=0, le=65535)
    """Port to listen on; 0 takes a free one."""
    name: str = "localhost"
    """DNS name in the certificate, in links and in the log's origin line."""
    certificate: Path | None = None
    """PEM certificate chain; without it Troth makes a local authority and a certificate below `data.keys`."""
    private_key: Path | None = None
    """PEM private key that belongs to `certificate`."""
    security_contact: str = "mailto:security@localhost.test"
    """Contact in /.well-known/security.txt (RFC 9116): a mailto: or https: address."""
    max_body_bytes: int = Field(default=32 << 20, ge=1 << 10, le=1 << 30)
    """Largest request body of any route; single routes have smaller limits."""
    requests_per_minute: int = Field(default=1200, ge=1)
    """Limit for one credential; passing it answers 429."""
    anonymous_per_minute: int = Field(default=240, ge=1)
    """Limit for one network address (IPv6: one /64) that shows no credential, or one that does not hold."""
    connections_per_address: int = Field(default=64, ge=1, le=512)
    """Open connections of one network address (IPv6: one /64); more are closed. Raise it behind a TCP load balancer."""


class Identity(Section):
    """Sign-in."""

    session_hours: int = Field(default=12, ge=1, le=24)
    """Absolute life of a session (SP 800-63B-4 allows at most 24 h at AAL2)."""
    idle_minutes: int = Field(default=30, ge=1, le=60)
    """A session unused this long ends."""
    key_days: int = Field(default=365, ge=1, le=365)
    """Longest life of an API key."""


class Retention(Section):
    """How long each class of data is kept; a tenant may only shorten it."""

    user_generated_days: int = Field(default=30, ge=1, le=30)
    """Prompts, uploads, outputs and receipts; 30 days at most whatever stands here."""
    transient_minutes: int = Field(default=60, ge=1, le=1440)
    """Ceiling for what only passes through, whatever its class; it is erased by key when it is over."""


class Erasure(Section):
    """Erasures that officers and operators ask for; what a person asks about themselves is done at once."""

    approval_above: int = Field(default=10, ge=0, le=10_000)
    """People whom one officer may have erased within a day alone; beyond it a second officer approves."""
    delay_minutes: int = Field(default=0, ge=0, le=1440)
    """How long an officer's erasure of a person is closed and can be called off before keys are destroyed."""
    bulk_delay_minutes: int = Field(default=15, ge=0, le=1440)
    """The same for what a second officer approved, whole tenants among it."""


class Audit(Section):
    """The transparency log."""

    checkpoint_seconds: float = Field(default=1.0, gt=0, le=60)
    """Longest time between an entry and the signed checkpoint that covers it."""


class Gateway(Section):
    """Calls to vendors."""

    vendor_timeout_seconds: float = Field(default=120.0, gt=0, le=600)
    """How long a vendor may take for one answer."""
    allow_plain_loopback_vendors: bool = False
    """Permit http:// vendors on 127.0.0.1, for tests and local models."""


class Rights(Section):
    """Requests of people about their data."""

    holidays: tuple[date, ...] = ()
    """Public holidays (YYYY-MM-DD) on which nobody works, beside weekends. None is on the safe side."""


class Mail(Section):
    """The e-mail desk (extra `mail`): takes requests over LMTP from your mail server and sends notices by a relay."""

    listen: str | None = Field(default=None, max_length=200)
    """Where to listen for LMTP: `127.0.0.1:2424` (loopback only) or `unix:/run/troth/lmtp.sock`; no desk without it."""
    domain: str = Field(default="localhost.test", max_length=200, pattern=r"^[a-z0-9.-]+$")
    """Domain of the desk's addresses: `privacy+<tenant id>@<domain>`."""
    max_bytes: int = Field(default=256 << 10, ge=1 << 12, le=8 << 20)
    """Largest message; its attachments are never kept."""
    relay_host: str | None = Field(default=None, max_length=200)
    """SMTP server that takes notices; without it an officer sends them by hand."""
    relay_port: int = Field(default=587, ge=1, le=65535)
    """Port of the relay: usually 587 for STARTTLS and 465 for implicit TLS."""
    relay_tls: Literal["starttls", "implicit"] = "starttls"
    """How TLS begins; there is no way without it."""
    relay_authority: Path | None = None
    """PEM authority that signed the relay's certificate; the system's by default."""
    relay_user: str | None = Field(default=None, max_length=200)
    """User name at the relay."""
    relay_password: str | None = Field(default=None, max_length=1024, repr=False)
    """Password at the relay."""


class Promises(Section):
    """The checks of the promises in the background."""

    first_after_seconds: float = Field(default=3.0, ge=0, le=86_400)
    """Time from the start to the first run of all checks; longer for a measurement that they would disturb."""
    every_seconds: float = Field(default=3600.0, ge=60, le=86_400)
    """Time between runs of all checks; a promise without a fresh run counts as unknown."""


class BackupLocation(Section):
    """One place for backups: a folder, or a bucket that speaks S3."""

    jurisdiction: Jurisdiction
    """Where the place stands, as its owner states it; another than the installation's is refused."""
    folder: Path | None = None
    """A folder of its own, best on another disk; made with mode 0700."""
    bucket: str | None = None
    """A bucket, with `endpoint`, `region` and `credentials`."""
    prefix: str = ""
    """The part of the bucket to use."""
    endpoint: str | None = None
    """https address of the service (http only on this machine)."""
    region: str | None = None
    """Region of the bucket, for signing."""
    credentials: Path | None = None
    """TOML file of mode 0600 with access_key_id and secret_access_key."""


class Backup(Section):
    """Copies for the day when the installation is lost."""

    locations: tuple[BackupLocation, ...] = ()
    """At least two places, as JSON or TOML tables; without any, two folders beside the data folder (one disk, and so
    one failure domain: set your own)."""
    every_minutes: int = Field(default=60, ge=1, le=24 * 60)
    """Time between backups; what is written after the newest one is lost with the installation (the RPO)."""
    first_after_seconds: float = Field(default=120.0, ge=0, le=86_400)
    """Time from the start to the first backup."""
    keep_days: int = Field(default=30, ge=1, le=3650)
    """How long backups are kept; the newest two stay in any case. A bucket's object lock may not be longer."""
    drill_days: int = Field(default=7, ge=1, le=365)
    """Time between restore drills."""
