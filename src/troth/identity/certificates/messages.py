"""What the operations on devices and their authority take and give. All times are epoch milliseconds."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from troth.identity.certificates.issuing import MAX_REQUEST
from troth.identity.messages import Identifier, Label

CertificateRequest = Annotated[str, StringConstraints(min_length=1, max_length=MAX_REQUEST)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class DeviceEnrol(_Message):
    """How you call the device, and a request by its key."""

    name: Label
    request: CertificateRequest = Field(description="PEM of a certificate request (PKCS#10, P-256 or Ed25519).")


class DeviceRenew(_Message):
    """Nothing over a connection with the present certificate; else a fresh request by the device's key."""

    request: CertificateRequest | None = Field(
        None, description="PEM of a request whose common name is the device's id and the time in epoch milliseconds."
    )


class Certified(_Message):
    """A certificate of one hour (PEM) for a device or service, and the authority that signed it."""

    holder: str
    certificate: str
    authority: str
    ends_at: int


class DeviceNamed(_Message):
    """One device."""

    device_id: Identifier


class DeviceShown(_Message):
    """A device. `posture` is managed while an administrator answers for it."""

    id: str
    user: str
    name: str
    posture: str
    enrolled_at: int
    renewed_at: int
    confirmed_at: int | None
    revoked_at: int | None


class DeviceList(_Message):
    """Devices, newest first."""

    devices: tuple[DeviceShown, ...]


class DeviceRevoked(_Message):
    """The device is out, and so many sessions that were bound to it ended."""

    sessions: int


class ServiceCertify(_Message):
    """A service account that comes with a certificate, and a request by its key."""

    service_id: Identifier
    request: CertificateRequest = Field(description="PEM of a certificate request (PKCS#10, P-256 or Ed25519).")


class ServiceRenew(DeviceRenew):
    """The same for a service."""


class AuthorityShown(_Message):
    """An authority of devices. `assurance`: the class of the place where its key is used."""

    number: int
    certificate: str
    signs_from: int
    ends_at: int
    distrusted_at: int | None
    assurance: str


class AuthorityList(_Message):
    """Every authority there was, oldest first; a certificate of one with `distrusted_at` counts no more."""

    trust_domain: str
    authorities: tuple[AuthorityShown, ...]


class AuthorityRotate(_Message):
    """A fresh authority; with `distrust`, whatever the older ones signed counts no more."""

    distrust: bool = Field(False, description="The key may be exposed: no older certificate counts from now on.")
