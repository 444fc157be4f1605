"""What an answer of a time stamp authority must be (RFC 3161, RFC 5816), beside what the library of credentials checks.

Pure. The signature over the stamp, its chain and the validity of certificates are the library's; here is what it lets
pass: whose key may stamp, that the certificate is the one that was meant, the time, and that nothing follows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

FROM_NOW: Final = timedelta(minutes=5)
"""A stamp of another time is wrong, or one of the two clocks is: it would vouch for a time that was not."""

_SEQUENCE, _SET, _INTEGER, _OCTETS, _OID, _TIME, _CONTEXT = 0x30, 0x31, 0x02, 0x04, 0x06, 0x18, 0xA0
_SIGNED_DATA: Final = bytes.fromhex("2a864886f70d010702")
_TST_INFO: Final = bytes.fromhex("2a864886f70d0109100104")
_CONTENT_TYPE: Final = bytes.fromhex("2a864886f70d010903")
_CERTIFICATE: Final = bytes.fromhex("2a864886f70d010910020c")  # RFC 2634: by SHA-1
_CERTIFICATE_2: Final = bytes.fromhex("2a864886f70d010910022f")  # RFC 5035: by SHA-256 unless it says otherwise
_DIGESTS: Final = {bytes.fromhex(f"60864801650304020{n}"): name for n, name in ((1, "sha256"), (2, "sha384"),
                                                                               (3, "sha512"))}  # fmt: skip
_GRANTED: Final = (b"\0", b"\1")  # granted, and granted with modifications (2.4.2)
_MOST_CERTIFICATES: Final = 16


class Element(NamedTuple):
    """One element of DER (X.690): its tag, its content, and both as they came."""

    tag: int
    content: bytes
    whole: bytes


def check(reply: bytes, query: bytes, now: datetime) -> None:
    """Raises ValueError with the reason unless `reply` (TimeStampResp) answers `query` (TimeStampReq) as it must."""
    (response,) = _elements(reply)
    parts = _inside(response)
    if _inside(parts[0], 1)[0].content not in _GRANTED or len(parts) != 2:
        raise ValueError("no stamp was granted")
    kind, held = _inside(parts[1], 2)
    if kind.content != _SIGNED_DATA:
        raise ValueError("no signed data")
    signed = _inside(_inside(held, 1, _CONTEXT)[0], 4)
    _check_info(_inside(signed[2], 2), _inside(next(_elements(query))), now)
    certificates = [one.content for one in signed if one.tag == _CONTEXT]
    if len(certificates) != 1 or signed[-1].tag != _SET:
        raise ValueError("no certificates")
    (signer,) = _elements(signed[-1].content)
    _check_signer(_inside(signer, 5), list(_elements(certificates[0])))


def _check_info(encapsulated: list[Element], query: list[Element], now: datetime) -> None:
    """2.4.2: version 1, the imprint and the nonce that were asked about, and about now."""
    if encapsulated[0].content != _TST_INFO:
        raise ValueError("no stamp inside")
    (octets,) = _inside(encapsulated[1], 1, _CONTEXT)
    (stamp,) = _elements(octets.content)
    told = _inside(stamp, 5)
    if octets.tag != _OCTETS or told[0].content != b"\1" or told[4].tag != _TIME:
        raise ValueError("no stamp of version 1")
    if told[2].whole != query[1].whole:
        raise ValueError("another imprint")
    nonces = [one.whole for one in query[2:] if one.tag == _INTEGER]
    if nonces != [one.whole for one in told[5:] if one.tag == _INTEGER]:
        raise ValueError("another nonce")
    if abs(_time(told[4].content) - now) > FROM_NOW:
        raise ValueError("another time")


def _check_signer(signer: list[Element], held: list[Element]) -> None:
    """2.3 and 2.4.2: the certificate that the signed attributes name is the signer's, for time stamps and no more."""
    attributes = {}
    for one in _elements(next(part.content for part in signer if part.tag == _CONTEXT)):
        name, values = _inside(one, 2)
        attributes[name.content] = values.content
    if [one.content for one in _elements(attributes.get(_CONTENT_TYPE, b""))] != [_TST_INFO]:
        raise ValueError("signed as something else")
    if len(held) > _MOST_CERTIFICATES:
        raise ValueError("too many certificates")
    meant = [one.whole for one in held if _is_named(one.whole, attributes)]
    if not meant:
        raise ValueError("another certificate than the one that was meant")
    leaf = x509.load_der_x509_certificate(meant[0])
    if not _is_of(leaf, signer[1]):
        raise ValueError("another signer than the certificate's")
    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound as error:
        raise ValueError("a key that is not for time stamps") from error
    if not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise ValueError("a key that is not for time stamps alone")


def _is_named(certificate: bytes, attributes: Mapping[bytes, bytes]) -> bool:
    """Whether the first of ESSCertID (RFC 5816) is this one."""
    for name, usual in ((_CERTIFICATE_2, "sha256"), (_CERTIFICATE, "sha1")):
        if name in attributes:
            (listed,) = _elements(attributes[name])
            named = _inside(_inside(_inside(listed, 1)[0], 1)[0], 1)
            said = named[0].tag == _SEQUENCE
            way = _DIGESTS.get(_inside(named[0], 1)[0].content, "") if said else usual
            digest = next(one.content for one in named if one.tag == _OCTETS)
            return bool(way) and hashlib.new(way, certificate, usedforsecurity=False).digest() == digest
    return False


def _is_of(leaf: x509.Certificate, identifier: Element) -> bool:
    """Whether SignerIdentifier (RFC 5652, 5.3) is this certificate's."""
    if identifier.tag != _SEQUENCE:
        keys = [one.value.digest for one in leaf.extensions if isinstance(one.value, x509.SubjectKeyIdentifier)]
        return [identifier.content] == keys
    issuer, serial = _inside(identifier, 2)
    return issuer.whole == leaf.issuer.public_bytes() and int.from_bytes(serial.content, "big") == leaf.serial_number


def _time(content: bytes) -> datetime:
    """GeneralizedTime in UTC, with fractions of a second or without. Raises ValueError."""
    text = content.decode("ascii")
    if not text.endswith("Z"):
        raise ValueError("a time without a zone")
    whole, _, fraction = text[:-1].partition(".")
    if fraction and not fraction.isdigit():
        raise ValueError("a time of another form")
    return datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def _inside(element: Element, least: int = 0, tag: int = _SEQUENCE) -> list[Element]:
    found = list(_elements(element.content))
    if element.tag != tag or len(found) < least:
        raise ValueError("another form")
    return found


def _elements(content: bytes) -> Iterator[Element]:
    """The elements that fill `content`, one after the other. Raises ValueError for anything else."""
    at = 0
    while at < len(content):
        start, tag = at, content[at]
        size, at = (content[at + 1], at + 2) if at + 1 < len(content) else (0x80, at)
        if size >= 0x80:
            wide = size & 0x7F
            if not 1 <= wide <= 4 or at + wide > len(content):
                raise ValueError("a length of another form")
            size, at = int.from_bytes(content[at : at + wide], "big"), at + wide
        if tag & 0x1F == 0x1F or at + size > len(content):
            raise ValueError("a cut element")
        at += size
        yield Element(tag, content[at - size : at], content[start:at])
