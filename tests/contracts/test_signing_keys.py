"""One suite for every holder of signing keys: files, a PKCS#11 token (SoftHSM), a key service (OpenBao).

The second half signs real pictures by them: a holder that is away, or another one, delivers nothing.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from PIL import Image

from root_world import KINDS, Provider, bao
from troth.gateway.provenance import Credentials
from troth.gateway.provenance.authority import Authority, assurance_of, held_name
from troth.gateway.provenance.credentials import Earlier
from troth.kernel.clock import SystemClock
from troth.kernel.errors import Conflict, Gone, Invalid, Unavailable
from troth.keys.signers.local import LocalSigningKeys
from troth.keys.signers.openbao import OpenBaoSigningKeys
from troth.keys.signers.pkcs11 import Pkcs11SigningKeys
from troth.keys.signers.port import SigningKeys

MESSAGE = b"what is signed"
CLASSES = {"local": "A0", "pkcs11": "A0", "openbao": "A1"}  # SoftHSM keeps its keys in files


@pytest.fixture(scope="module", params=KINDS)
def provider(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Provider:
    return Provider(request.param, tmp_path_factory.mktemp("provider"))


def holder(provider: Provider, folder: Path, prefix: str) -> SigningKeys:
    if provider.kind == "pkcs11":
        provider.root()  # its configuration is the process's now
        return Pkcs11SigningKeys(provider.place, f"troth/{prefix}")
    return OpenBaoSigningKeys(provider.place, f"troth-{prefix}") if provider.kind == "openbao" else _local(folder)


def _local(folder: Path) -> SigningKeys:
    folder.mkdir(exist_ok=True)
    return LocalSigningKeys(folder)


@pytest.fixture
def keys(provider: Provider, tmp_path: Path) -> SigningKeys:
    return holder(provider, tmp_path / "keys", secrets.token_hex(4))


def verify(public: bytes, signature: bytes, message: bytes) -> None:
    key = load_der_public_key(public)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    pair = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    key.verify(pair, message, ec.ECDSA(hashes.SHA256()))


def test_signatures_hold_under_the_public_key(keys: SigningKeys) -> None:
    keys.create("leaf")
    for length in (0, 1, 5000):
        signature = keys.sign("leaf", b"m" * length)
        assert len(signature) == 64
        verify(keys.public_key("leaf"), signature, b"m" * length)
    with pytest.raises(InvalidSignature):
        verify(keys.public_key("leaf"), keys.sign("leaf", MESSAGE), MESSAGE + b"!")


def test_names_are_keys_of_their_own(keys: SigningKeys) -> None:
    keys.create("root")
    keys.create("leaf")
    assert keys.public_key("root") != keys.public_key("leaf")
    with pytest.raises(Conflict) as refusal:
        keys.create("leaf")
    assert refusal.value.code == "signer-exists"


def test_what_is_not_there_is_gone(keys: SigningKeys) -> None:
    for act in (lambda: keys.sign("leaf", MESSAGE), lambda: keys.public_key("leaf")):
        with pytest.raises(Gone) as refusal:
            act()
        assert refusal.value.code == "signer-gone"


def test_a_key_that_the_service_rotated_signs_as_before_and_is_refused_at_the_next_look(tmp_path: Path) -> None:
    """Whoever knows the public key has the certificate of the first version: a newer one would fit nothing."""
    provider, prefix = Provider("openbao", tmp_path / "provider"), secrets.token_hex(4)
    keys = holder(provider, tmp_path, prefix)
    keys.create("leaf")
    public = keys.public_key("leaf")
    assert bao().ask("POST", f"transit/keys/troth-{prefix}-leaf/rotate") is not None
    verify(public, keys.sign("leaf", MESSAGE), MESSAGE)
    with pytest.raises(Unavailable) as refusal:
        keys.public_key("leaf")
    assert refusal.value.code == "signer-unfit"


@pytest.mark.parametrize("name", ["", "../leaf", "Leaf", "a b", "x" * 65])
def test_names_are_plain(keys: SigningKeys, name: str) -> None:
    for act in (lambda: keys.create(name), lambda: keys.sign(name, MESSAGE), lambda: keys.public_key(name)):
        with pytest.raises(Invalid):
            act()


def test_the_class_is_that_of_the_place(provider: Provider, keys: SigningKeys) -> None:
    assert keys.kind == provider.kind
    assert keys.assurance == CLASSES[provider.kind]


def picture() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((48, 48)).convert("RGB").save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def keys_of(provider: Provider) -> Callable[[Path], SigningKeys]:
    return lambda folder: holder(provider, folder, f"credentials-{held_name(folder)}")


def signing(folder: Path, keys_of: Callable[[Path], SigningKeys], *earlier: Earlier) -> Credentials:
    """As a process that starts now has it."""
    return Credentials(folder, signer=Authority(folder, SystemClock(), keys_of), earlier=earlier)


def test_pictures_are_signed_by_it_and_say_its_class(
    provider: Provider, keys_of: Callable[[Path], SigningKeys], tmp_path: Path
) -> None:
    folder = tmp_path / "credentials"
    signed = signing(folder, keys_of).sign(picture(), "image/png", source="algorithmicMedia")
    found = signing(folder, keys_of).verify(signed, "image/png")
    assert found.signer_class == CLASSES[provider.kind]
    held = {path.name for path in folder.iterdir()}
    assert held & {"root.key", "leaf.key"} == ({"root.key", "leaf.key"} if provider.kind == "local" else set())


def test_a_renewed_certificate_signs_and_what_was_signed_stays_ours(
    keys_of: Callable[[Path], SigningKeys], tmp_path: Path
) -> None:
    folder = tmp_path / "credentials"
    before = signing(folder, keys_of).sign(picture(), "image/png", source="algorithmicMedia")
    Authority(folder, SystemClock(), keys_of).renew()
    renewed = signing(folder, keys_of)
    after = renewed.sign(picture(), "image/png", source="algorithmicMedia")
    assert [renewed.verify(one, "image/png").state for one in (before, after)] == ["trusted", "trusted"]
    assert Authority(folder, SystemClock(), keys_of).chain.count("BEGIN") == 2
    assert (folder / "leaf-2.pem").exists()


def test_what_a_holder_of_before_signed_stays_ours_with_its_class(
    keys_of: Callable[[Path], SigningKeys], provider: Provider, tmp_path: Path
) -> None:
    folder, files = tmp_path / "credentials", tmp_path / "files"
    first = signing(folder, keys_of)
    signed = first.sign(picture(), "image/png", source="algorithmicMedia")
    other = Credentials(files, earlier=[Earlier(first.anchor, assurance_of(folder))])
    assert other.verify(signed, "image/png").signer_class == CLASSES[provider.kind]
    assert Credentials(files).read(signed, "image/png").state == "valid"


def test_without_its_keys_nothing_is_signed(
    keys_of: Callable[[Path], SigningKeys], provider: Provider, tmp_path: Path
) -> None:
    """Another token, an emptied service, a folder without its keys."""
    folder = tmp_path / "credentials"
    signing(folder, keys_of)
    (folder / "name").write_text("another")
    if provider.kind == "local":
        (folder / "leaf.key").unlink()
    with pytest.raises(Unavailable) as refusal:
        signing(folder, keys_of).sign(picture(), "image/png", source="algorithmicMedia")
    assert refusal.value.code == "credentials-unusable"


@pytest.mark.parametrize("kind", ["pkcs11", "openbao"])
def test_while_it_is_away_the_server_starts_and_delivers_nothing(kind: str, tmp_path: Path) -> None:
    away = Provider(kind, tmp_path / "provider")
    folder = tmp_path / "credentials"

    def keys_of(folder: Path) -> SigningKeys:
        return holder(away, folder, f"credentials-{held_name(folder)}")

    running = signing(folder, keys_of)
    signed = running.sign(picture(), "image/png", source="algorithmicMedia")
    away.away()
    try:
        for credentials in (running, signing(folder, keys_of)):
            assert credentials.verify(signed, "image/png").valid  # reading needs no key
            with pytest.raises(Unavailable) as refusal:
                credentials.sign(picture(), "image/png", source="algorithmicMedia")
            assert refusal.value.code.startswith(("hsm-", "openbao-", "credentials-unusable", "root-provider"))
            assert refusal.value.code != "credentials-failed"
    finally:
        away.back()
    assert running.verify(running.sign(picture(), "image/png", source="algorithmicMedia"), "image/png").valid
