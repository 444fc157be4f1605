from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import av
import c2pa
import cbor2
import encypher_c2pa
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from PIL import Image

from troth.gateway.intake import admit_image
from troth.gateway.provenance import Credentials
from troth.gateway.provenance.authority import Authority
from troth.kernel.clock import SystemClock
from troth.kernel.errors import IntegrityError, Malformed, Unavailable, UnsupportedMedia
from unit.gateway.intake import pictures

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9" fill="#a33"/></svg>'


def _plain(name: str) -> bytes:
    out = io.BytesIO()
    pictures.photo().save(out, name)
    return out.getvalue()


def _video() -> bytes:
    """A quarter of a second in H.264."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width = stream.height = 64
        frame = av.VideoFrame.from_image(pictures.photo().convert("RGB").resize((64, 64)))
        for packet in [one for _ in range(6) for one in stream.encode(frame)] + stream.encode():
            container.mux(packet)
    return out.getvalue()


PICTURES = {
    "image/png": _plain("PNG"),
    "image/jpeg": _plain("JPEG"),
    "image/webp": _plain("WEBP"),
    "image/svg+xml": SVG,
    "image/gif": _plain("GIF"),
    "application/pdf": _plain("PDF"),
    "video/mp4": _video(),
}
EVERY = pytest.mark.parametrize(("media_type", "content"), PICTURES.items())


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return Credentials(tmp_path_factory.mktemp("keys") / "credentials")


@pytest.fixture
def independent(credentials: Credentials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The second reader: another implementation, offline, with our root as its only trust anchor."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    def read(content: bytes, media_type: str) -> dict[str, Any]:
        return dict(
            encypher_c2pa.verify(
                content,
                media_type,
                telemetry=False,
                online=False,
                no_default_trust=True,
                trust_pem=credentials.anchor,
            )
        )

    return read


def _boxes(content: bytes, label: str = "") -> Iterator[tuple[str, bytes]]:
    """JUMBF (ISO 19566-5): the labels of superboxes with the content box that follows each description."""
    at = 0
    while at < len(content):
        size, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        inside = content[at + 8 : at + size]
        if kind == b"jumb":
            yield from _boxes(inside, label)
        elif kind == b"jumd":
            label = inside[17:].partition(b"\0")[0].decode()
        else:
            yield label, inside
        at += size


def test_the_signature_holds_by_cose_and_x509_alone(credentials: Credentials) -> None:
    """No library of C2PA: RFC 9052 (COSE_Sign1, detached), RFC 9360 (x5chain), RFC 8949 (CBOR)."""
    signed = credentials.sign(PICTURES["image/png"], "image/png", source="algorithmicMedia")
    at = signed.index(b"caBX")
    found = dict(_boxes(signed[at + 4 : at + 4 + int.from_bytes(signed[at - 4 : at], "big")]))
    protected, unprotected, payload, signature = cbor2.loads(found["c2pa.signature"]).value
    header = cbor2.loads(protected)
    assert header[1] == -7  # ES256
    assert payload is None
    chain = [x509.load_der_x509_certificate(one) for one in header.get(33) or unprotected[33]]
    root = x509.load_pem_x509_certificate(credentials.anchor.encode())
    chain[0].verify_directly_issued_by(root)
    key = chain[0].public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    pair = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    claim = found.get("c2pa.claim.v2") or found["c2pa.claim"]
    key.verify(pair, cbor2.dumps(["Signature1", protected, b"", claim]), ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        key.verify(pair, cbor2.dumps(["Signature1", protected, b"", claim + b"!"]), ec.ECDSA(hashes.SHA256()))


@EVERY
def test_signed_picture_is_read_back(credentials: Credentials, media_type: str, content: bytes) -> None:
    signed = credentials.sign(content, media_type, source="algorithmicMedia")
    found = credentials.verify(signed, media_type)
    assert (found.state, found.valid, found.source) == ("trusted", True, "algorithmicMedia")
    assert (found.issuer, found.generator, found.actions) == ("Troth", "Troth", ("c2pa.created",))
    assert (found.ingredients, found.problems) == (0, ())
    assert len(signed) - len(content) < 20_000


@EVERY
def test_independent_reader_accepts(
    credentials: Credentials, independent: Any, media_type: str, content: bytes
) -> None:
    signed = credentials.sign(content, media_type, source="trainedAlgorithmicMedia")
    report = independent(signed, media_type)
    assert (report["integrity"], report["signature"], report["hard_binding"]) == ("valid", "valid", "match")
    assert report["validation_state"] == "Trusted"
    assert report["validation_results"]["failure"] == []


@EVERY
def test_both_readers_see_tampering(
    credentials: Credentials, independent: Any, media_type: str, content: bytes
) -> None:
    signed = bytearray(credentials.sign(content, media_type, source="algorithmicMedia"))
    marks = {"video/mp4": b"mdat", "image/svg+xml": b"#a33"}
    middle = content.index(marks[media_type]) if media_type in marks else len(content) // 2
    signed[signed.index(content[middle : middle + 4]) + (40 if media_type == "video/mp4" else 3)] ^= 1
    assert credentials.read(bytes(signed), media_type).state == "invalid"
    report = independent(bytes(signed), media_type)
    assert report["hard_binding"] == "mismatch"
    assert report["validation_state"] == "Invalid"


@pytest.mark.parametrize(("media_type", "place"), [("image/png", -40), ("image/jpeg", -40), ("image/webp", 40)])
def test_tampering_is_invalid(credentials: Credentials, media_type: str, place: int) -> None:
    signed = bytearray(credentials.sign(PICTURES[media_type], media_type, source="algorithmicMedia"))
    signed[place] ^= 1
    found = credentials.read(bytes(signed), media_type)
    assert (found.state, found.valid) == ("invalid", False)
    assert "assertion.dataHash.mismatch" in found.problems
    with pytest.raises(IntegrityError) as refusal:
        credentials.verify(bytes(signed), media_type)
    assert refusal.value.code == "credentials-invalid"


def test_unsigned_picture_has_none(credentials: Credentials) -> None:
    found = credentials.read(PICTURES["image/png"], "image/png")
    assert (found.state, found.source, found.actions) == ("none", None, ())
    with pytest.raises(IntegrityError) as refusal:
        credentials.verify(PICTURES["image/png"], "image/png")
    assert refusal.value.code == "credentials-none"


def test_another_deployment_is_valid_but_not_trusted(credentials: Credentials, tmp_path: Path) -> None:
    signed = Credentials(tmp_path / "other").sign(PICTURES["image/png"], "image/png", source="algorithmicMedia")
    assert credentials.read(signed, "image/png").state == "valid"
    with pytest.raises(IntegrityError):
        credentials.verify(signed, "image/png")


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg", "image/webp"])
def test_edit_names_its_parent_without_copying_it(credentials: Credentials, media_type: str) -> None:
    parent = pictures.SAMPLE.read_bytes()
    edited = PICTURES[media_type]
    signed = credentials.sign(edited, media_type, source="compositeWithTrainedAlgorithmicMedia", parent=parent)
    found = credentials.verify(signed, media_type)
    assert (found.actions, found.ingredients) == (("c2pa.opened", "c2pa.edited"), 1)
    assert found.source == "compositeWithTrainedAlgorithmicMedia"
    assert len(signed) - len(edited) < 20_000  # a thumbnail of the original would be more
    added = signed.replace(edited[-2000:], b"")
    assert b"\xff\xd8\xff" not in added[4:]
    assert pictures.NEEDLE.encode() not in signed
    assert b"thumbnail" not in signed


def test_edit_of_a_signed_picture_keeps_the_chain(credentials: Credentials, independent: Any) -> None:
    first = credentials.sign(PICTURES["image/png"], "image/png", source="algorithmicMedia")
    second = credentials.sign(PICTURES["image/jpeg"], "image/jpeg", source="algorithmicMedia", parent=first)
    assert credentials.verify(second, "image/jpeg").ingredients == 1
    assert len(independent(second, "image/jpeg")["manifest_report"]["manifests"]) == 2


def test_mark_of_a_vendor_becomes_the_parent(credentials: Credentials, tmp_path: Path) -> None:
    vendor = Credentials(tmp_path / "vendor").sign(
        PICTURES["image/webp"], "image/webp", source="trainedAlgorithmicMedia"
    )
    found = credentials.verify(credentials.sign(vendor, "image/webp", source="trainedAlgorithmicMedia"), "image/webp")
    assert (found.actions, found.ingredients) == (("c2pa.opened", "c2pa.published"), 1)


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg", "image/webp"])
def test_intake_keeps_credentials(credentials: Credentials, media_type: str) -> None:
    signed = credentials.sign(PICTURES[media_type], media_type, source="algorithmicMedia")
    admitted = admit_image(signed, media_type)
    assert admitted.kept == ("c2pa",)
    assert credentials.verify(admitted.content, media_type).valid
    assert pictures.pixels(signed) == pictures.pixels(PICTURES[media_type])


def test_broken_manifest_is_invalid_not_absent(credentials: Credentials) -> None:
    signed = credentials.sign(PICTURES["image/jpeg"], "image/jpeg", source="algorithmicMedia")
    broken = signed.replace(b"jumdc2cl", b"jumdXXXX")  # the box that holds the claim
    assert broken != signed
    assert credentials.read(broken, "image/jpeg").state == "invalid"


def test_wrong_types_are_refused(credentials: Credentials) -> None:
    with pytest.raises(UnsupportedMedia):
        credentials.sign(b"BM1234", "image/bmp", source="algorithmicMedia")
    with pytest.raises(Malformed):
        credentials.sign(PICTURES["image/png"], "image/jpeg", source="algorithmicMedia")
    with pytest.raises(Malformed):
        credentials.read(b"hello", "image/svg+xml")


def test_picture_that_cannot_hold_a_manifest_is_withheld(
    credentials: Credentials, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    with pytest.raises(Unavailable) as refusal:
        credentials.sign(b"\x89PNG\r\n\x1a\n" + bytes(20), "image/png", source="algorithmicMedia")
    assert refusal.value.code == "credentials-failed"


def test_many_threads_can_sign(credentials: Credentials) -> None:
    content = PICTURES["image/png"]
    with ThreadPoolExecutor(8) as pool:
        signed = list(pool.map(lambda _: credentials.sign(content, "image/png", source="algorithmicMedia"), range(40)))
    assert {credentials.read(one, "image/png").state for one in signed} == {"trusted"}


class Absent:
    """A holder of the key that is away, each time for another reason."""

    assurance = "A2"

    def __init__(self, authority: Authority, meeting: Barrier) -> None:
        self.anchor, self.chain = authority.anchor, authority.chain
        self.meeting, self.codes = meeting, iter(["signer-one", "signer-two"])

    def sign(self, message: bytes) -> bytes:
        code = next(self.codes)
        raise Unavailable("Wait for it.", code=code)


def test_each_thread_hears_why_its_own_picture_was_not_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = Absent(Authority(tmp_path / "ca", SystemClock()), Barrier(2))
    credentials = Credentials(tmp_path / "unused", signer=absent)

    class Together(c2pa.Builder):
        """Neither thread goes on before both holders were asked."""

        def sign(self, *given: Any) -> Any:
            try:
                return super().sign(*given)
            finally:
                absent.meeting.wait(60)

    monkeypatch.setattr(c2pa, "Builder", Together)

    def told(_: int) -> str:
        with pytest.raises(Unavailable) as refusal:
            credentials.sign(PICTURES["image/png"], "image/png", source="algorithmicMedia")
        return refusal.value.code

    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(told, range(2))) == {"signer-one", "signer-two"}


def test_keys_survive_a_restart(tmp_path: Path) -> None:
    signed = Credentials(tmp_path / "keys").sign(PICTURES["image/png"], "image/png", source="algorithmicMedia")
    assert Credentials(tmp_path / "keys").verify(signed, "image/png").valid


def test_missing_library_is_named_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(Unavailable, match=r"troth\[studio\]") as refusal:
        Credentials(tmp_path / "keys")
    assert refusal.value.code == "studio-missing"


def test_library_that_cannot_be_loaded_withholds_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = Credentials(tmp_path / "keys")
    monkeypatch.setitem(sys.modules, "c2pa", None)
    for _ in range(2):  # nothing half made is kept
        with pytest.raises(Unavailable) as refusal:
            credentials.sign(PICTURES["image/png"], "image/png", source="algorithmicMedia")
        assert refusal.value.code == "studio-missing"
    monkeypatch.undo()
    assert credentials.sign(PICTURES["image/png"], "image/png", source="algorithmicMedia")


def test_first_pictures_may_come_together(tmp_path: Path) -> None:
    credentials, together = Credentials(tmp_path / "keys"), Barrier(4)

    def signed(_: int) -> bytes:
        together.wait(60)
        return credentials.sign(PICTURES["image/png"], "image/png", source="algorithmicMedia")

    with ThreadPoolExecutor(4) as pool:
        assert all(credentials.verify(one, "image/png").valid for one in pool.map(signed, range(4)))


def test_picture_is_not_resaved(credentials: Credentials) -> None:
    signed = credentials.sign(PICTURES["image/jpeg"], "image/jpeg", source="algorithmicMedia")
    with Image.open(io.BytesIO(signed)) as image:
        assert (image.format, image.size) == ("JPEG", (64, 48))
