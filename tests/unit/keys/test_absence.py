"""Which refusals mean that a domain is away."""

from __future__ import annotations

from pathlib import Path

import pytest

from root_world import PIN, Provider, secret, tree_over
from troth.kernel.errors import Unavailable
from troth.keys.absence import AWAY, Attendance
from troth.keys.domains import Domain
from troth.storage.blobs import LocalBlobs

ROOT = "eu-00000001-00112233aabbccdd"


class Refusing:
    """A root whose provider is refused with a code while it has one."""

    def __init__(self, inner: object, code: str) -> None:
        self._inner, self.code = inner, code

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def present(self) -> list[str]:
        if self.code:
            raise Unavailable("refused", code=self.code)
        return self._inner.present()  # type: ignore[attr-defined, no-any-return]


def attended(tmp_path: Path, code: str) -> tuple[Attendance, Refusing, str]:
    provider = Provider("local", tmp_path / "local")
    root = Refusing(provider.root(), code)
    return Attendance([Domain(root, LocalBlobs(tmp_path / "copies"))], "eu"), root, provider.domain  # type: ignore[arg-type]


@pytest.mark.parametrize("code", sorted(AWAY))
def test_one_that_is_away_is_noted_and_back_when_it_answers(tmp_path: Path, code: str) -> None:
    attendance, root, name = attended(tmp_path, code)
    assert attendance.present() == {}
    assert attendance.away == {name: code}
    with pytest.raises(Unavailable) as refused, attendance.required():
        raise AssertionError("the block must not run")
    assert refused.value.code == "seal-pending"
    root.code = ""
    root.create(ROOT)  # type: ignore[operator]
    with attendance.required():
        assert attendance.away == {}
    assert attendance.present() == {name: {ROOT}}


@pytest.mark.parametrize("code", ["root-provider-changed", "hsm-unfit", "key-folder-open", "key-file-open"])
def test_one_that_is_another_or_gives_keys_away_is_not_away(tmp_path: Path, code: str) -> None:
    attendance, _, _ = attended(tmp_path, code)
    with pytest.raises(Unavailable) as refused:
        attendance.present()
    assert refused.value.code == code


def test_one_that_comes_back_with_roots_of_elsewhere_stays_out(tmp_path: Path) -> None:
    attendance, root, name = attended(tmp_path, "hsm-offline")
    attendance.present()
    root.code = ""
    root.create(ROOT.replace("eu", "us"))  # type: ignore[operator]
    for _ in range(2):
        with pytest.raises(Unavailable) as refused:
            attendance.present()
        assert refused.value.code == "wrong-placement"
        assert attendance.away == {name: "wrong-placement"}


def test_a_block_that_fails_for_another_reason_says_so(tmp_path: Path) -> None:
    attendance, _, _ = attended(tmp_path, "")
    with pytest.raises(Unavailable) as refused, attendance.required():
        raise Unavailable("full", code="hsm-full")
    assert refused.value.code == "hsm-full"
    with pytest.raises(Unavailable) as refused, attendance.required():
        raise Unavailable("just now", code="openbao-offline")
    assert refused.value.code == "seal-pending"


def test_a_new_tree_needs_every_domain_and_says_what_is_wrong(tmp_path: Path) -> None:
    """What starts without a domain has met it before: a first start with a typing error is refused by its name."""
    providers = [Provider(kind, tmp_path / kind) for kind in ("local", "pkcs11")]
    secret(providers[1].place.pin_file, "11112222")
    with pytest.raises(Unavailable) as refused:
        tree_over(tmp_path, [one.root() for one in providers]).resume()
    assert refused.value.code == "hsm-pin"
    assert providers[0].root().present() == []
    secret(providers[1].place.pin_file, PIN)
    assert tree_over(tmp_path, [one.root() for one in providers]).resume()
