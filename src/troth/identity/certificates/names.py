"""Names of workloads: `spiffe://<trust domain>/tenant/<id>/device/<id>` (SPIFFE-ID and X509-SVID standards)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from troth.kernel.errors import Invalid

KINDS = frozenset({"device", "service"})
_FOREIGN = re.compile(r"[^a-z0-9._-]")  # to a trust domain, SPIFFE-ID section 2.1
_NAME = re.compile(r"spiffe://([a-z0-9._-]{1,253})/tenant/([A-Za-z0-9_-]{1,64})/([a-z]{1,16})/([A-Za-z0-9_-]{1,64})\Z")


@dataclass(frozen=True, slots=True)
class SpiffeName:
    """Whose certificate it is: `kind` is device or service, `id` names it within its tenant."""

    trust_domain: str
    tenant: str
    kind: str
    id: str

    @property
    def uri(self) -> str:
        """As it stands in a certificate."""
        return f"spiffe://{self.trust_domain}/tenant/{self.tenant}/{self.kind}/{self.id}"


def trust_domain(host: str) -> str:
    """The trust domain of an installation by that name; what does not fit one becomes a dash."""
    return _FOREIGN.sub("-", host.lower())[:253]


def read_name(uri: str) -> SpiffeName:
    """The name in a URI, of exactly our shape: no query, escape, dot segment or other path. Raises `Invalid`."""
    found = _NAME.match(uri)
    if found is None or found[3] not in KINDS:
        raise Invalid("This is not the SPIFFE name of a device or service.", code="bad-spiffe-name")
    return SpiffeName(*found.groups())
