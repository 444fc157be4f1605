"""An authority of time stamps by hand (RFC 3161), which answers wrongly as it is told."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from asn1crypto import cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

STAMPING = ExtendedKeyUsageOID.TIME_STAMPING
Key = ec.EllipticCurvePrivateKey


def new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def certificate(
    key: Key,
    above: tuple[x509.Certificate, Key] | None = None,
    *,
    purposes: Sequence[ObjectIdentifier] = (STAMPING,),
    critical: bool = True,
) -> x509.Certificate:
    """A leaf for stamps below `above`, or a root."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Stamper" if above else "Root of stamps")])
    issuer, signer = above if above else (None, key)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=800))
        .add_extension(x509.BasicConstraints(issuer is None, None), True)
        .add_extension(_usage(authority=issuer is None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)
    )
    if issuer is not None and purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(purposes)), critical)
    return builder.sign(signer, hashes.SHA256())


def _usage(*, authority: bool) -> x509.KeyUsage:
    none = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
         "decipher_only"), False)  # fmt: skip
    return x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **none)


@dataclass
class StampAuthority:
    """`how`: what is wrong with its answers (see `reply`)."""

    root_key: Key = field(default_factory=new_key)
    key: Key = field(default_factory=new_key)
    how: dict[str, Any] = field(default_factory=dict)
    url: str = ""
    sent: int = 0

    def __post_init__(self) -> None:
        self.root = certificate(self.root_key)
        self.leaf = certificate(self.key, (self.root, self.root_key))

    def below(self, **wrong: Any) -> x509.Certificate:
        """Another leaf of the same key."""
        return certificate(self.key, (self.root, self.root_key), **wrong)

    def reply(self, query: bytes) -> bytes:
        """A TimeStampResp to a TimeStampReq."""
        asked, how = tsp.TimeStampReq.load(query), self.how
        leaf, key = how.get("leaf", self.leaf), how.get("key", self.key)
        time = how.get("time", datetime.now(UTC)).replace(microsecond=0)
        info = {"version": "v1", "policy": "1.2.3.4.1", "message_imprint": asked["message_imprint"].copy(),
                "serial_number": 7, "gen_time": time, "nonce": asked["nonce"].native}  # fmt: skip
        if "imprint" in how:
            info["message_imprint"] = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": how["imprint"]}
        if "nonce" in how:
            info["nonce"] = how["nonce"]
        content = tsp.TSTInfo({name: value for name, value in info.items() if value is not None}).dump()
        named = how.get("named", hashlib.sha256(der(leaf)).digest())
        meant = {"certs": [{"hash_algorithm": {"algorithm": "sha256"}, "cert_hash": named}]}
        attributes = cms.CMSAttributes([
            {"type": "content_type", "values": [how.get("signed_as", "tst_info")]},
            {"type": "message_digest", "values": [hashlib.sha256(content).digest()]},
            {"type": "signing_certificate_v2", "values": [tsp.SigningCertificateV2(meant)]},
        ])  # fmt: skip
        whose = asn1_x509.Certificate.load(der(how.get("whose", leaf)))
        identifier = {"issuer_and_serial_number": {"issuer": whose.issuer, "serial_number": whose.serial_number}}
        signer = {
            "version": "v1",
            "sid": cms.SignerIdentifier(identifier),
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            "signature": key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256())),
        }
        held = [asn1_x509.Certificate.load(der(one)) for one in (leaf, self.root)]
        token = cms.SignedData({
            "version": "v3",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": how.get("inside", "tst_info"),
                                   "content": core.ParsableOctetString(content)},
            "certificates": how.get("held", held),
            "signer_infos": [signer] * how.get("signers", 1),
        })  # fmt: skip
        signed = cms.ContentInfo({"content_type": "signed_data", "content": token})
        made = tsp.TimeStampResp({"status": {"status": how.get("status", "granted")}, "time_stamp_token": signed})
        return bytes(how.get("mangled", bytes)(made.dump()))


@contextmanager
def answering(authority: StampAuthority) -> Iterator[StampAuthority]:
    """The same behind a door. `how` may say `http` (a status), `media_type`, and `flood` (bytes without an end)."""

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made, how = authority.reply(self.rfile.read(int(self.headers["content-length"]))), authority.how
            self.send_response(how.get("http", 200))
            self.send_header("content-type", how.get("media_type", "application/timestamp-reply"))
            self.send_header("location", "/elsewhere")
            if "flood" not in how:
                self.send_header("content-length", str(len(made)))
            self.end_headers()
            self.wfile.write(made)
            try:
                while authority.sent < how.get("flood", 0):
                    self.wfile.write(bytes(1 << 16))
                    authority.sent += 1 << 16
            except OSError:
                return  # nobody reads any more

        def log_message(self, *_words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        authority.url = f"http://127.0.0.1:{server.server_port}/stamp?x=1"
        yield authority
        server.shutdown()
