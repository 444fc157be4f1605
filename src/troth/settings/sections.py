"""One frozen section per capability. The docstring under each field is its manual (docs/reference/settings.md)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Jurisdiction = Literal["us", "eu", "au"]


class Section(BaseModel):
    """Frozen; an unknown name is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    mtls_port: int | None = Field(default=None, ge=0, le=65535)
    """Second port, for devices with a certificate of this installation; no other client completes the handshake there.
    None without it, 0 takes a free one."""
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
    bodies_in_memory: int = Field(default=256 << 20, ge=32 << 20, le=1 << 40)
    """Bytes of the bodies of all requests at one moment; a request beyond it is answered 503. Working on a body takes
    up to three times as much. One network address (IPv6: one /64) has half of it, at least one body of the largest."""
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
    bound_seconds: int = Field(default=300, ge=4, le=300)
    """How long a browser's cookies work once they left the device whose key answers for its session."""
    key_days: int = Field(default=90, ge=1, le=365)
    """Longest life of an API key; 30 days, or this if it is less, when nobody says."""
    key_idle_days: int = Field(default=90, ge=1, le=365)
    """An API key that nobody uses for so many days lapses."""
    passkey_grace_days: int = Field(default=14, ge=0, le=365)
    """How long a role that administers, judges or operates works without a passkey; afterwards it asks for one."""
    passkey_domain: str | None = Field(default=None, min_length=1, max_length=253)
    """Domain that passkeys are bound to (WebAuthn's RP ID); the default is `server.name`. Another one makes every
    passkey that exists useless."""
    passkey_origins: tuple[str, ...] = ()
    """Addresses of the portal as browsers see it, such as https://troth.example.org; the default is `server.name` with
    `server.port`. Set it when another front stands before Troth. Identity providers send people back to the first."""
    sso_private_networks: tuple[str, ...] = Field(default=(), max_length=16)
    """Private networks in which identity providers of tenants may stand, such as 10.1.0.0/16; without any, addresses
    that are not public are refused."""
    sso_plain_loopback: bool = False
    """Permit http:// to identity providers on this machine, whose network must also be named: for tests only."""
    sso_authority: Path | None = None
    """PEM file of certificate authorities that identity providers' certificates may also come from."""


class Retention(Section):
    """How long each class of data is kept; a tenant may only shorten it."""

    user_generated_days: int = Field(default=30, ge=1, le=30)
    """Prompts, uploads, outputs and receipts; 30 days at most whatever stands here."""
    transient_minutes: int = Field(default=60, ge=1, le=1440)
    """Ceiling for what only passes through, whatever its class; it is erased by key when it is over."""


class Governance(Section):
    """Registers of what people must do and prove."""

    registers: Path | None = None
    """Folder with forms of your own (NAME.yaml); one of the name of a shipped form stands in its place."""
    data_map: Path | None = None
    """YAML file with processing activities of your own, which the statement and the record of processing show beside
    those of Troth."""
    suspend_overdue: bool = True
    """Who is behind with a training or a policy administers, reviews, reads the log and operates nothing until it is
    done."""
    webhook_private_networks: tuple[str, ...] = Field(default=(), max_length=16)
    """Private networks in which webhooks of tenants may stand, such as 10.1.0.0/16; without any, addresses that are not
    public are refused. Those of identity providers open none for webhooks."""
    webhook_plain_loopback: bool = False
    """Permit http:// to webhooks on this machine, whose network must also be named: for tests only."""
    webhook_authority: Path | None = None
    """PEM file of certificate authorities that webhooks' certificates may also come from."""


class Erasure(Section):
    """Erasures that officers and operators ask for; what a person asks about themselves is done at once."""

    approval_above: int = Field(default=10, ge=0, le=10_000)
    """People whom one officer may have erased, or one operator's wishes give fresh keys, within a day alone; beyond it
    a second one approves."""
    delay_minutes: int = Field(default=0, ge=0, le=1440)
    """How long an officer's erasure of a person is closed and can be called off before keys are destroyed."""
    bulk_delay_minutes: int = Field(default=15, ge=0, le=1440)
    """The same for what a second officer approved, whole tenants among it."""


class BackupLocation(Section):
    """One place for backups or for a mirror of the logs: a folder, or a bucket that speaks S3."""

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


class Clocks(Section):
    """The time of this machine, compared with network time."""

    servers: tuple[str, ...] = Field(default=(), max_length=8)
    """Time servers (SNTP), as `host` or `host:port`, best those of your own network; without any nothing is asked."""
    limit_ms: int = Field(default=500, ge=1, le=60_000)
    """Most that this machine's clock may be off; over it the log's entries say so, and a check is red."""


class Scrub(Section):
    """Stored objects are read again in the background, and every byte is checked."""

    megabytes_per_minute: int = Field(default=64, ge=1, le=10_000)
    """Most that is read in a minute; 64 are some 90 GB a day."""
    days: int = Field(default=7, ge=1, le=90)
    """Time between the beginnings of two rounds; a round that takes longer is followed by the next at once."""


class Audit(Section):
    """The transparency log."""

    checkpoint_seconds: float = Field(default=1.0, gt=0, le=60)
    """Longest time between an entry and the signed checkpoint that covers it."""
    keep_days: int | None = Field(default=None, ge=400)
    """Age at which `troth log prune` drops entries, published in /.well-known/troth.json; longer than backups are kept.
    Without it they are kept for ever."""
    details_days: int = Field(default=365, ge=1, le=3650)
    """Age at which the personal details beside the log (address, program, reason) are dropped; the entries stay."""
    mirror: BackupLocation | None = None
    """A second mirror of the logs in another region: a folder or a bucket, as JSON or a TOML table like a backup
    location. It has every tile and bundle before a checkpoint is signed; while it is away nothing is signed."""
    witness_policy: Path | None = None
    """Witnesses of the log, a C2SP tlog-policy file with the addresses of the witnesses. With it, nothing is
    administered or destroyed before a quorum of them cosigned the record of it."""
    witness_authority: Path | None = None
    """PEM authority that signed the witnesses' certificates, beside the system's."""
    witness_seconds: float = Field(default=10.0, gt=0, le=120)
    """How long what administers or destroys waits for a quorum of witnesses before it is refused."""
    most_waiting: int = Field(default=1_000_000, ge=10_000, le=100_000_000)
    """Entries that may wait for their place in the log, some 400 bytes of disk each; when so many do, operations are
    refused (`log-backlog`). `/readyz` says no long before."""


class Reviews(Section):
    """Reviews of what administrators did, by somebody else."""

    every_days: int = Field(default=7, ge=1, le=31)
    """Period of the reviews: an act belongs to one that begins at most so many days after it."""
    due_days: int = Field(default=7, ge=1, le=31)
    """Days after its period within which a review must be closed; after that it is overdue, and the log says so."""
    sample: int = Field(default=20, ge=1, le=500)
    """Changes that a review draws from its range, beside every act of the highest weight and a quarter of readings."""
    follow_up_days: int = Field(default=14, ge=1, le=90)
    """Days within which what was found questionable or wrong must be cleared up."""
    owner: str | None = Field(default=None, max_length=64, pattern=r"^usr_[a-z2-7]+$")
    """Id of the operator who owes the reviews of the operators' log; any operator may still do them."""


class Access(Section):
    """Reviews of access: who has which role, and whether they still need it."""

    every_days: int = Field(default=91, ge=1, le=366)
    """Time between the beginnings of two reviews of a tenant's access, and of the operators'."""
    due_days: int = Field(default=14, ge=1, le=90)
    """Days within which each role must be kept by a reviewer; what nobody kept lapses then."""


class Gateway(Section):
    """Calls to vendors."""

    vendor_timeout_seconds: float = Field(default=120.0, gt=0, le=600)
    """How long a vendor may take for one answer."""
    allow_plain_loopback_vendors: bool = False
    """Permit http:// vendors on 127.0.0.1, for tests and local models."""
    notice_days: int = Field(default=30, ge=1, le=365)
    """Days between the announcement of a new vendor, place or sub-processor and the first request that goes there."""
    clamd: str | None = Field(
        default=None, max_length=200, pattern=r"^(unix:/.{1,100}|(127\.0\.0\.1|\[::1\]|localhost):[0-9]{1,5})$"
    )
    """A ClamAV daemon that sees every upload too: `unix:/run/clamav/clamd.ctl` or `127.0.0.1:3310` (loopback only: it
    speaks no TLS). While it does not answer, no upload is taken."""
    moderation_policy: Path | None = None
    """What is refused, reviewed and flagged, a YAML file in place of the shipped one; no tenant prohibits less."""
    redaction_policy: Path | None = None
    """Policy for prompts, a YAML file, in place of the shipped one (`vendor`); no tenant takes out less."""
    redaction_tier: Literal["rules", "fast", "accurate", "cascade"] = "fast"
    """What reads prompts. `rules` alone does without the extra `model` and does not find names in free text."""
    tenants_may_keep: bool = False
    """Let the policy of a tenant keep kinds and values that this service takes out of prompts."""
    videos_at_once: int = Field(default=4, ge=1, le=64)
    """How many videos of one tenant may wait or be made at the same time."""
    video_minutes: int = Field(default=30, ge=1, le=1440)
    """Time within which a video is finished; after it the job fails (`video-timeout`)."""
    unmarkable: Literal["flag", "refuse"] = "flag"
    """What becomes of output that cannot carry a watermark (drawings, pictures under 192 pixels, plain ones): `flag`
    says so in the log and delivers it with its content credentials, `refuse` withholds it."""
    fingerprints: Literal["anybody", "members", "nobody"] = "anybody"
    """Who may ask whether a picture looks like one made here (PDQ), when its marks are gone: anybody, who is not told
    whose it is; members, about pictures of their own tenant; or nobody, and no fingerprints are kept."""
    credentials_domain: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9-]{0,30}$")
    """Name of the key domain (`pkcs11` or `openbao`) whose token or service makes and keeps the key of content
    credentials; a file of `data.keys` without one. What was signed before a change stays ours."""
    timestamp_url: str | None = Field(default=None, max_length=500, pattern=r"^https?://[!-~]+$")
    """Time stamp authority (RFC 3161) for content credentials; it is sent a digest of each signature, nothing else."""
    timestamp_authority: Path | None = None
    """PEM root of that authority; without it the stamps count as those of a stranger."""
    timestamp_required: bool = True
    """Withhold what the authority does not stamp; otherwise it is delivered with credentials that have no stamp."""


class Rights(Section):
    """Requests of people about their data."""

    holidays: tuple[date, ...] = ()
    """Public holidays (YYYY-MM-DD) on which nobody works, beside weekends. None is on the safe side."""
    sole_officer: bool = False
    """Permit an officer to handle their own request while their tenant has no other officer; the log then says so."""


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
    """Time from the start to the first run of what is due; longer for a measurement that checks would disturb."""
    every_seconds: float = Field(default=3600.0, ge=60, le=86_400)
    """Time between two runs of a check that names none of its own. It stands in the schedule that the log has, so
    another value counts once an operator confirms it."""
    paper_notice_days: int = Field(default=30, ge=1, le=365)
    """How long a version of the paper that takes something away is announced before it takes effect."""


class Backup(Section):
    """Copies for the day when the installation is lost."""

    locations: tuple[BackupLocation, ...] = ()
    """At least two places, as JSON or TOML tables; without any, two folders beside the data folder (one disk, and so
    one failure domain: set your own)."""
    every_minutes: int = Field(default=60, ge=1, le=24 * 60)
    """Time between backups; what is written after the newest one is lost with the installation (the RPO)."""
    first_after_seconds: float = Field(default=120.0, ge=0, le=86_400)
    """Time from the start to the first backup."""
    tail_seconds: float = Field(default=60.0, ge=1, le=3600)
    """Time between copies of the newest log entries and of the erasure ledger into every place, between backups; after
    an erasure is certified they go at once. What is younger is lost with the data folder (the RPO of the log)."""
    keep_days: int = Field(default=30, ge=1, le=3650)
    """How long backups are kept; the newest two stay in any case. A bucket's object lock may not be longer."""
    drill_days: int = Field(default=7, ge=1, le=365)
    """Time between restore drills."""


class Telemetry(Section):
    """What operators see of a running server. Nothing of it holds content or personal data."""

    access_log: bool = False
    """Write a line for each request: route template, status, milliseconds, request id; no address, query or path."""
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """Port for metrics and the detailed readiness, plain HTTP; none without it, 0 takes a free one."""
    metrics_host: str = Field(default="127.0.0.1", max_length=64)
    """Address of that listener; another than a loopback address needs `metrics_beyond_loopback`."""
    metrics_beyond_loopback: bool = False
    """Permit metrics on an address that other machines reach; put a firewall in front, for nobody signs in there."""
    traces_endpoint: str | None = Field(default=None, max_length=200)
    """Where traces go (extra `traces`): the https address of an OTLP collector, http on this machine only."""
    traces_share: float = Field(default=0.05, ge=0, le=1)
    """Share of the requests that is traced."""
    probe_seconds: int = Field(default=60, ge=0, le=3600)
    """Time between looks at the server's own door for the page /status; 0 takes no samples."""
    objective_percent: float = Field(default=99.5, ge=50, lt=100)
    """Share of looks that shall find the service available: what the error budget on /status is counted from."""
    least_disk_mb: int = Field(default=100, ge=1, le=1 << 20)
    """With less free space than this where data or keys lie, the server says that it is not ready."""
