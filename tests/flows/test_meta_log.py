"""Strangers mirror the meta log, and a tenant's proof leads to it."""

from __future__ import annotations

from pathlib import Path

from house import House
from troth.audit.export import export_log
from troth.audit.meta import META, key_of, leaf_of
from troth.audit.note import VerifierKey
from troth.audit.proof_text import JointProof
from troth.audit.verify import verify_log, verify_proof


def test_a_stranger_mirrors_the_meta_log_and_a_tenant_finds_itself_in_it(home: House, tmp_path: Path) -> None:
    owner = home.tenant("mu")
    home.system.base.sequencer.flush()
    export_log(lambda path: home.call("GET", f"/v1/meta-log/{path}").content, tmp_path / "meta")
    answer = home.ok("GET", "/v1/activity/0/proof", owner.headers)
    key = VerifierKey.parse(answer["key"])
    joint = JointProof.parse(answer["proof"])
    assert joint.meta is not None
    leaf = leaf_of(joint.entry.checkpoint, key)
    assert verify_proof(str(joint.meta), leaf, str(key_of(key))) == joint.meta.index
    assert verify_log(tmp_path / "meta", str(key_of(key))).size > joint.meta.index
    held = b"".join(path.read_bytes() for path in (tmp_path / "meta").rglob("*") if path.is_file())
    assert owner.tenant.encode() not in held
    assert home.system.base.sequencer.origins.origin(META) == key_of(key).name


def test_tiles_may_be_kept_for_ever_and_the_checkpoint_may_not(home: House) -> None:
    home.tenant("nu")
    home.system.base.sequencer.flush()
    tile = home.call("GET", "/v1/meta-log/tile/0/000.p/1")
    assert (tile.status_code, tile.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    checkpoint = home.call("GET", "/v1/meta-log/checkpoint")
    assert checkpoint.headers["cache-control"] == "public, max-age=1"
    assert checkpoint.headers["content-type"] == "text/plain; charset=utf-8"
    nothing = home.call("GET", "/v1/meta-log/tile/0/001")
    assert (nothing.status_code, nothing.headers["cache-control"]) == (404, "no-store")
