"""How the holder of a key shows that it still has it: a fresh certificate request (PKCS#10, RFC 2986) that it signs.

Its common name is the holder's id and the time. Within five minutes such a request may come again, from whoever saw
it; what that gives is one more certificate for the same key, of no use without it.
"""

from __future__ import annotations

import re

from cryptography import x509
from cryptography.x509.oid import NameOID

from troth.identity.certificates.issuing import PublicKey, read_request, supported_key
from troth.kernel.caller import Connection
from troth.kernel.errors import Invalid, Unauthenticated

PROOF_MS = 5 * 60 * 1000  # how far the clock of a device may be off
_PROOF = re.compile(r"((?:dev|svc)_[a-z2-7]{26}) ([0-9]{13})\Z")


def renewal_name(holder: str, now: int) -> str:
    """The common name of a request for the next certificate; `now` in epoch milliseconds."""
    return f"{holder} {now}"


def proven(request: str, now: int) -> tuple[str, PublicKey]:
    """Whom a request names, and the key that signed it. Raises `Invalid`, `Unauthenticated` (`renewal-stale`)."""
    read = read_request(request)
    names = [str(one.value) for one in read.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    said = _PROOF.match(names[0]) if len(names) == 1 else None
    if said is None:
        advice = "The request's common name must be the holder's id and the time in epoch milliseconds."
        raise Invalid(advice, code="bad-certificate-request", field="request")
    if abs(now - int(said[2])) > PROOF_MS:
        advice = "This request is old, or the clock of its maker is off; make a fresh one."
        raise Unauthenticated(advice, code="renewal-stale")
    return said[1], supported_key(read.public_key())


def require_shown(connection: Connection) -> PublicKey:
    """The key of the connection's certificate. Raises `Unauthenticated` (`certificate-required`)."""
    if not connection.certificate:
        raise Unauthenticated(
            "Renew over the port for certificates with the present one, or send a request that its key signed.",
            code="certificate-required",
        )
    return supported_key(x509.load_pem_x509_certificate(connection.certificate.encode()).public_key())
