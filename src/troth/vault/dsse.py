"""DSSE v1.0 envelopes (secure-systems-lab/dsse protocol.md) over canonical JSON (RFC 8785), signed with Ed25519."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from troth.kernel.errors import IntegrityError
from troth.kernel.signer import Signer

IN_TOTO = "application/vnd.in-toto+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"  # media type of the envelope itself
MAX_ENVELOPE = 16 << 20  # a certificate lists at most some thousand ids; anything larger is not one of ours


def sign_envelope(payload: Any, payload_type: str, signer: Signer) -> bytes:
    """The envelope, itself canonical JSON. The payload is plain JSON data."""
    return envelope(payload, payload_type, signer.name, signature_over(payload, payload_type, signer))


def signature_over(payload: Any, payload_type: str, signer: Signer) -> bytes:
    """The 64 bytes that sign a payload; with it, `envelope` makes the same envelope again from the payload."""
    return signer.sign(_encoded(payload_type, rfc8785.dumps(payload)))


def envelope(payload: Any, payload_type: str, name: str, signature: bytes) -> bytes:
    """The envelope of a payload that the key `name` signed. Whether it did, `verify_envelope` says."""
    return rfc8785.dumps(
        {
            "payload": base64.b64encode(rfc8785.dumps(payload)).decode(),
            "payloadType": payload_type,
            "signatures": [{"keyid": name, "sig": base64.b64encode(signature).decode()}],
        }
    )


def verify_envelope(envelope: bytes, payload_type: str, keys: Mapping[str, bytes]) -> Any:
    """The payload, signed by at least one of `keys` (name -> 32 raw bytes).

    Raises `IntegrityError` naming what fails: its shape, its type, an unknown signer, the signature, or JSON that is
    not canonical (two readers could then disagree about what was signed).
    """
    body, found_type, signatures = _parts(envelope)
    if found_type != payload_type:
        raise IntegrityError("The envelope carries another type of payload.", code="envelope-type")
    known = [(keys[name], signature) for name, signature in signatures if name in keys]
    if not known:
        raise IntegrityError("The envelope is not signed by a key you trust.", code="envelope-signer")
    for key, signature in known:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, _encoded(payload_type, body))
        except (InvalidSignature, ValueError) as error:
            raise IntegrityError("The signature of the envelope does not hold.", code="envelope-signature") from error
    return _canonical(body)


def _canonical(body: bytes) -> Any:
    try:
        payload = json.loads(body)
        canonical = rfc8785.dumps(payload)
    except (ValueError, RecursionError) as error:
        raise IntegrityError("The signed payload is not JSON.", code="envelope-payload") from error
    if canonical != body:
        raise IntegrityError("The signed payload is not canonical JSON (RFC 8785).", code="envelope-payload")
    return payload


def _parts(envelope: bytes) -> tuple[bytes, str, list[tuple[str, bytes]]]:
    try:
        if len(envelope) > MAX_ENVELOPE:
            raise ValueError
        read = json.loads(envelope)
        signatures = [(str(one["keyid"]), base64.b64decode(one["sig"], validate=True)) for one in read["signatures"]]
        return base64.b64decode(read["payload"], validate=True), str(read["payloadType"]), signatures
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IntegrityError("The file is not a DSSE envelope.", code="envelope-shape") from error


def _encoded(payload_type: str, body: bytes) -> bytes:
    """The pre-authentication encoding that is signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)
