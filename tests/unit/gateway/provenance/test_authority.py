from __future__ import annotations

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from troth.gateway.provenance.authority import C2PA_CLAIM_SIGNING, LEAF_DAYS, RENEW_DAYS, ROOT_DAYS, Authority
from troth.kernel.clock import SystemClock
from troth.kernel.errors import Unavailable
from troth.keys.signers.local import LocalSigningKeys


class At:
    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_only_the_owner_reads_the_keys(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "keys"
    Authority(folder, SystemClock())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        "root.pem": 0o600,
        "root.key": 0o600,
        "leaf.pem": 0o600,
        "leaf.key": 0o600,
    }
    assert [path.name for path in folder.parent.iterdir()] == ["keys"]


def test_leaf_has_what_c2pa_asks_of_it(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "keys", At(NOW))
    leaf, root = x509.load_pem_x509_certificates(authority.chain.encode())
    leaf.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [C2PA_CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION]
    assert leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert leaf.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
    assert root.public_bytes(Encoding.PEM).decode() == authority.anchor


def test_signature_holds_under_the_leaf(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "keys", At(NOW))
    signature = authority.sign(b"message")
    assert len(signature) == 64
    leaf = x509.load_pem_x509_certificates(authority.chain.encode())[0]
    public = leaf.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    public.verify(der, b"message", ec.ECDSA(hashes.SHA256()))


def test_two_first_starts_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        anchors = set(pool.map(lambda _: Authority(tmp_path / "keys", At(NOW)).anchor, range(8)))
    assert len(anchors) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


@pytest.mark.parametrize("name", ["root.pem", "leaf.pem", "leaf.key"])
@pytest.mark.parametrize("damage", [None, b"", b"-----BEGIN nothing"])
def test_damaged_folder_is_not_replaced(tmp_path: Path, name: str, damage: bytes | None) -> None:
    folder = tmp_path / "keys"
    Authority(folder, At(NOW))
    if damage is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(damage)
    with pytest.raises(Unavailable) as refusal:
        Authority(folder, At(NOW))
    assert refusal.value.code == "credentials-unusable"


def test_key_of_another_leaf_is_refused(tmp_path: Path) -> None:
    Authority(tmp_path / "one", At(NOW))
    Authority(tmp_path / "two", At(NOW))
    (tmp_path / "one" / "leaf.key").write_bytes((tmp_path / "two" / "leaf.key").read_bytes())
    with pytest.raises(Unavailable):
        Authority(tmp_path / "one", At(NOW))


def test_a_leaf_is_followed_by_another_before_it_ends(tmp_path: Path) -> None:
    first = Authority(tmp_path / "keys", At(NOW))
    early = At(NOW + timedelta(days=LEAF_DAYS - RENEW_DAYS - 1))
    assert Authority(tmp_path / "keys", early).chain == first.chain
    later = At(NOW + timedelta(days=LEAF_DAYS - RENEW_DAYS + 1))
    second = Authority(tmp_path / "keys", later)
    assert second.anchor == first.anchor
    old, new = (x509.load_pem_x509_certificates(one.chain.encode())[0] for one in (first, second))
    assert old.public_key() != new.public_key()
    assert new.not_valid_after_utc > old.not_valid_after_utc
    new.verify_directly_issued_by(x509.load_pem_x509_certificate(first.anchor.encode()))
    assert Authority(tmp_path / "keys", later).chain == second.chain
    assert Authority(tmp_path / "keys", At(NOW + timedelta(days=LEAF_DAYS + 1))).chain == second.chain


def test_no_renewal_takes_place_unrecorded(tmp_path: Path) -> None:
    """At a start in the last days of a leaf: something stands around it, and when that fails, nothing is made."""
    told: list[str] = []

    @contextmanager
    def recording() -> Iterator[None]:
        told.append("before" if not (tmp_path / "keys" / "leaf-2.key").exists() else "late")
        yield
        told.append("after")

    @contextmanager
    def failing() -> Iterator[None]:
        raise Unavailable("no log", code="log-full")
        yield

    first = Authority(tmp_path / "keys", At(NOW), recording=recording)
    later = At(NOW + timedelta(days=LEAF_DAYS - RENEW_DAYS + 1))
    assert Authority(tmp_path / "keys", later, recording=failing).chain == first.chain
    assert not list((tmp_path / "keys").glob("leaf-2*"))
    assert told == []
    assert Authority(tmp_path / "keys", later, recording=recording).renewed
    assert told == ["before", "after"]
    assert not Authority(tmp_path / "keys", later, recording=recording).renewed


def test_a_leaf_that_ends_with_its_root_is_followed_by_none(tmp_path: Path) -> None:
    for days in (0, LEAF_DAYS - 1, ROOT_DAYS - RENEW_DAYS - 30, ROOT_DAYS - RENEW_DAYS + 1, ROOT_DAYS - 1):
        authority = Authority(tmp_path / "keys", At(NOW + timedelta(days=days)))
    assert not authority.renewed
    assert len(list((tmp_path / "keys").glob("leaf*.key"))) == 3
    assert len(authority.sign(b"message")) == 64


def test_a_renewal_that_was_cut_off_is_taken_up(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "keys", At(NOW))
    LocalSigningKeys(tmp_path / "keys").create("leaf-2")
    authority.renew()
    assert sorted(path.name for path in (tmp_path / "keys").glob("leaf*")) == [
        "leaf-2.key",
        "leaf-2.pem",
        "leaf.key",
        "leaf.pem",
    ]
    assert len(authority.sign(b"message")) == 64


def test_what_can_no_longer_be_renewed_is_refused(tmp_path: Path) -> None:
    Authority(tmp_path / "keys", At(NOW))
    with pytest.raises(Unavailable) as refusal:
        Authority(tmp_path / "keys", At(NOW + timedelta(days=ROOT_DAYS + 1)))
    assert refusal.value.code == "credentials-expired"
