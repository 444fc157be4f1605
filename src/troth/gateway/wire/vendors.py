"""/v1/vendors: what the operator says about a vendor."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from troth.gateway.vendors.paper_file import LARGEST
from troth.gateway.vendors.papers import Code, Milliseconds
from troth.gateway.vendors.record import DueDiligence, VendorRecord
from troth.gateway.wire.fields import Answer, Wire
from troth.kernel.reasons import Why


class ListVendors(Wire):
    """All vendors on file."""


class VendorById(Wire):
    """One vendor."""

    vendor_id: Code


class DecideVendor(VendorById):
    """A decision about one vendor, and why."""

    reason: Why


class AddVendor(Wire):
    """A vendor with the answers of its review so far. `credential` is its API key; it is sealed and never shown."""

    vendor_id: Code
    facts: DueDiligence
    credential: Annotated[str, Field(min_length=1, max_length=4096)] | None = Field(default=None, repr=False)


class Vendors(Answer):
    """Records by id, shipped ones first."""

    vendors: list[VendorRecord]


class TestContact(VendorById):
    """A test of the vendor's contact for incidents, and whether somebody answered."""

    answered: bool


class PapersOf(VendorById):
    """A vendor's papers in YAML. `credential` is its API key; without one the stored one stays."""

    papers: Annotated[str, Field(min_length=1, max_length=LARGEST)]
    credential: Annotated[str, Field(min_length=1, max_length=4096)] | None = Field(default=None, repr=False)


class ShowExposure(VendorById):
    """A window of time, `since` in and `until` out, in milliseconds since the epoch."""

    since: Milliseconds
    until: Milliseconds


class ExposedRequest(Answer):
    """One request that the vendor was sent; a number behind the id stands for a vendor that stepped in."""

    request: str
    model: str
    sent_at: int
    outcome: str
    receipt: str


class ExposedTenant(Answer):
    """What the vendor was sent for one tenant."""

    tenant: str
    requests: list[ExposedRequest]


class Exposure(Answer):
    """Tenants and requests of the window. `more_from`: where to go on when there are more; None when there are none."""

    vendor: str
    since: int
    until: int
    requests: int
    tenants: list[ExposedTenant]
    more_from: int | None


class NextLapse(Answer):
    """One paper of a vendor. `state`: stopped, overdue, soon or later; `stops` is when the vendor gets nothing."""

    vendor: str
    what: str
    due: int
    stops: int
    state: str


class NextLapses(Answer):
    """Of all vendors that are not suspended, the next first."""

    lapses: list[NextLapse]
