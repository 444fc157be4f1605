"""A key domain serves one jurisdiction."""

from __future__ import annotations

from pathlib import Path

import pytest

from troth.kernel.errors import Unavailable
from troth.keys.domains import Domain
from troth.keys.residency import claim_domains, roots_by_jurisdiction
from troth.keys.roots.local import LocalRoot
from troth.storage.blobs import LocalBlobs


def _domain(folder: Path) -> Domain:
    return Domain(LocalRoot(folder / "roots"), LocalBlobs(folder / "copies"))


def test_a_domain_is_claimed_and_asked(tmp_path: Path) -> None:
    claim_domains([_domain(tmp_path)], "eu")
    claim_domains([_domain(tmp_path)], "eu")
    with pytest.raises(Unavailable) as refusal:
        claim_domains([_domain(tmp_path)], "us")
    assert refusal.value.code == "wrong-placement"


def test_a_root_of_elsewhere_is_refused(tmp_path: Path) -> None:
    domain = _domain(tmp_path)
    domain.root.create("eu-00000001-0123456789abcdef")
    claim_domains([domain], "eu")
    domain.root.create("us-00000001-0123456789abcdef")
    assert roots_by_jurisdiction(domain) == {"eu": 1, "us": 1}
    with pytest.raises(Unavailable, match="holds roots of us") as refusal:
        claim_domains([domain], "eu")
    assert refusal.value.code == "wrong-placement"
