"""Manifests and their index: what does not lead to the signed root is refused."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from log_world import TestKey
from troth.backup import manifest
from troth.backup.manifest import Index, Manifest, Part
from troth.kernel.errors import IntegrityError

KEY = TestKey()
KEYS = {KEY.name: KEY.public_key}
PARTS = [manifest.part(f"objects/{at:04d}", b"%d" % at) for at in range(3000)]


def _manifest(**members: object) -> Manifest:
    values: dict[str, object] = {
        "id": "bak_" + "a" * 26,
        "made_at": 1_795_328_427_090,
        "tool": "troth test",
        "installation": KEY.name,
        "jurisdiction": "eu",
        "previous": None,
        "schema_revision": "0001",
        "tables": [],
        "logs": [],
        "checkpoint": "",
        "epoch": 1,
        "key_manifest": "",
        "index": Index(parts=0, root=manifest.root_of([]), pieces=[]),
        "objects": 0,
        "bytes": 0,
    }
    return Manifest(**(values | members))  # type: ignore[arg-type]


def test_a_signed_manifest_is_read_back() -> None:
    one = _manifest()
    envelope = manifest.sign(one, KEY)
    assert manifest.read(envelope, one.file, KEYS) == one
    assert manifest.named(one.file) == (one.made_at, one.id)


def test_another_name_signer_or_shape_is_refused() -> None:
    one, envelope = _manifest(), manifest.sign(_manifest(), KEY)
    newer = _manifest(made_at=one.made_at + 1)
    stranger = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    for content, file, keys in (
        (envelope, newer.file, KEYS),
        (envelope, one.file, {KEY.name: stranger}),
        (envelope, one.file, {}),
        (envelope[:-10], one.file, KEYS),
        (b"{}", one.file, KEYS),
    ):
        with pytest.raises(IntegrityError):
            manifest.read(content, file, keys)


def test_names_sort_by_age() -> None:
    files = [_manifest(made_at=at).file for at in (9, 10, 999_999_999_999, 1_795_328_427_090)]
    assert files == sorted(files)


def test_the_index_leads_to_its_root_or_is_refused() -> None:
    pieces = manifest.index_pieces(PARTS)
    index = Index(parts=len(PARTS), root=manifest.root_of(PARTS), pieces=[])
    assert len(pieces) == 3
    assert manifest.read_index(index, pieces) == PARTS
    changed = pieces[0].replace(b" 1 ", b" 2 ", 1)
    for wrong in ([*pieces[:2]], [pieces[1], pieces[0], pieces[2]], [changed, *pieces[1:]], [b"nonsense"], []):
        with pytest.raises(IntegrityError):
            manifest.read_index(index, wrong)


def test_a_part_without_a_size_is_no_part() -> None:
    with pytest.raises(ValueError, match="size"):
        Part(name="x", size=-1, sha256="0" * 64)
