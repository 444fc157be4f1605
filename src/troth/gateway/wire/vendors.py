"""/v1/vendors: what the operator says about a vendor."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from troth.gateway.vendors.record import Code, DueDiligence, VendorRecord
from troth.gateway.wire.fields import Answer, Wire


class ListVendors(Wire):
    """All vendors on file."""


class VendorById(Wire):
    """One vendor."""

    vendor_id: Code


class AddVendor(Wire):
    """A vendor with the answers of its review so far. `credential` is its API key; it is sealed and never shown."""

    vendor_id: Code
    facts: DueDiligence
    credential: Annotated[str, Field(min_length=1, max_length=4096)] | None = Field(default=None, repr=False)


class Vendors(Answer):
    """Records by id, shipped ones first."""

    data: list[VendorRecord]
