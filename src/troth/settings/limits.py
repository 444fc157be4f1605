"""Limits of what may be asked of the gateway."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from pydantic import Field

from troth.settings.sections import Section


class Limits(Section):
    """What each tenant, person and API key may ask of the gateway. A limit is called `requests`, `tokens`, `images`,
    `seconds` (of video), `bytes` or `money`, then `-per-minute`, `-per-hour`, `-per-day` or `-per-month`; or
    `concurrent`."""

    tenant: dict[str, Decimal] = Field(default_factory=dict, max_length=32)
    """Limits of each tenant, as JSON or a TOML table: `{"requests-per-minute": 600, "money-per-month": 250.00}`."""
    user: dict[str, Decimal] = Field(default_factory=dict, max_length=32)
    """Limits of each person, by session and by all their keys together."""
    key: dict[str, Decimal] = Field(default_factory=dict, max_length=32)
    """Limits of each API key and service account."""
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    """Currency of the limits of money; with one, a model without a price in it is refused (`price-missing`)."""
    usage_days: int = Field(default=90, ge=62, le=730)
    """Days that a row of what each request used is kept; then it goes into a sum of its day, without person and key."""
    valkey_url: str | None = Field(default=None, max_length=500, repr=False)
    """Valkey or Redis server that several instances count in (extra `valkey`): `valkeys://host:6379/0`, `valkey://` on
    this machine only, or `unix://` and a path. While it is away nothing is admitted. Without it, each process counts
    for itself, and a restart begins minutes, hours and days anew."""
    valkey_password: str | None = Field(default=None, max_length=1024, repr=False)
    """Password at that server."""
    valkey_authority: Path | None = None
    """PEM authority that signed its certificate; the system's by default."""
