"""Care for vendors on file: what lapses next, contact tests, looks at their TLS, papers as YAML, who was exposed."""

from __future__ import annotations

from troth.gateway.exposure import Exposures
from troth.gateway.vendors.lapses import lapses
from troth.gateway.vendors.paper_file import exported, imported
from troth.gateway.vendors.record import State, VendorRecord
from troth.gateway.vendors.registry import Vendors
from troth.gateway.vendors.tls_probe import probe
from troth.gateway.wire import vendors as wire
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.operation import Binary, Call, Group, Route, operation


class VendorCareOperations:
    """For operators."""

    def __init__(self, vendors: Vendors, exposures: Exposures, clock: Clock) -> None:
        self._vendors = vendors
        self._exposures = exposures
        self._clock = clock

    @operation("vendor.lapses", group=Group.OPERATE, request=wire.ListVendors, command=("vendor", "lapses"),
               route=Route("GET", "/v1/vendor-lapses", body="none"))  # fmt: skip
    def lapses(self, call: Call, request: wire.ListVendors) -> wire.NextLapses:  # noqa: ARG002
        """List what of the vendors' papers lapses next."""
        now = epoch_ms(self._clock.now())
        found = [
            wire.NextLapse(vendor=record.id, what=one.what, due=one.due, stops=one.stops, state=one.state(now))
            for record in self._vendors.all()
            if record.state is not State.SUSPENDED
            for one in lapses(record)
        ]
        return wire.NextLapses(lapses=sorted(found, key=lambda one: (one.due, one.vendor, one.what)))

    @operation("vendor.contact", group=Group.OPERATE, request=wire.TestContact, command=("vendor", "contact"),
               route=Route("POST", "/v1/vendors/{vendor_id}/contact-tests"))  # fmt: skip
    def contact(self, call: Call, request: wire.TestContact) -> VendorRecord:
        """Note a test of a vendor's contact for incidents, and whether somebody answered."""
        record = self._vendors.contacted(request.vendor_id, request.answered, call.caller.actor)
        call.note(vendor=request.vendor_id, verdict="answered" if request.answered else "unanswered")
        return record

    @operation("vendor.probe", group=Group.OPERATE, request=wire.VendorById, command=("vendor", "probe"),
               route=Route("POST", "/v1/vendors/{vendor_id}/tls-probe", body="none"))  # fmt: skip
    def probe(self, call: Call, request: wire.VendorById) -> VendorRecord:
        """Look at which TLS a vendor's address offers; without 1.3 it needs an approved exception."""
        found = probe(self._vendors.get(request.vendor_id).facts, epoch_ms(self._clock.now()))
        record = self._vendors.probed(request.vendor_id, found, call.caller.actor)
        call.note(vendor=request.vendor_id, version=found.version)
        return record

    @operation("vendor.export", group=Group.OPERATE, request=wire.VendorById, command=("vendor", "export"),
               route=Route("GET", "/v1/vendors/{vendor_id}/papers", body="none"))  # fmt: skip
    def export(self, call: Call, request: wire.VendorById) -> Binary:
        """Give a vendor's papers as YAML, without its credential."""
        text = exported(self._vendors.get(request.vendor_id).facts)
        call.note(vendor=request.vendor_id)
        return Binary(text.encode(), "application/yaml", f"{request.vendor_id}.yaml")

    @operation("vendor.import", group=Group.OPERATE, request=wire.PapersOf, command=("vendor", "import"),
               route=Route("PUT", "/v1/vendors/{vendor_id}/papers"))  # fmt: skip
    def import_(self, call: Call, request: wire.PapersOf) -> VendorRecord:
        """Put a vendor's papers on file from YAML; the vendor is a draft until somebody else approves it."""
        facts, actor = imported(request.papers), call.caller.actor
        known = any(one.id == request.vendor_id for one in self._vendors.all())
        put = self._vendors.amend if known else self._vendors.add
        record = put(request.vendor_id, facts, request.credential, actor)
        call.note(vendor=request.vendor_id, state="draft")
        return record

    @operation("vendor.exposure", group=Group.OPERATE, request=wire.ShowExposure, command=("vendor", "exposure"),
               route=Route("GET", "/v1/vendors/{vendor_id}/exposure", body="none"))  # fmt: skip
    def exposure(self, call: Call, request: wire.ShowExposure) -> wire.Exposure:
        """List the tenants and requests that used a vendor in a window, when it had an incident."""
        found = self._exposures.of(request.vendor_id, request.since, request.until)
        call.note(vendor=request.vendor_id, since=request.since, until=request.until, count=found.requests)
        return found
