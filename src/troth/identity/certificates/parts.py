"""The parts of certificates, for whoever looks at a running installation."""

from __future__ import annotations

from dataclasses import dataclass

from troth.identity.certificates.authorities import Authorities
from troth.identity.certificates.devices import Devices
from troth.identity.certificates.enrolment import Enrolments
from troth.identity.certificates.holding import Holding
from troth.identity.certificates.services import ServiceCertificates


@dataclass(frozen=True, slots=True)
class Certificates:
    """Devices, who signs for them, and who judges what they show."""

    devices: Devices
    authorities: Authorities
    holding: Holding
    enrolments: Enrolments
    services: ServiceCertificates

    def bundle(self) -> str:
        """The authorities to trust in a handshake, as one PEM text. Raises `Unavailable`."""
        return "".join(one.certificate for one in self.authorities.trusted())

    def sweep(self) -> None:
        """Make the next authority in time, and forget what hung on sessions that are over."""
        self.authorities.upkeep()
        self.devices.sweep()
