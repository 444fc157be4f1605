"""Key domains from settings."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from root_world import new_token
from troth.kernel.errors import Unavailable
from troth.keys.domain_choice import domains_of
from troth.settings.key_domains import Keys
from troth.settings.sections import Data

NAME = "eu-00000001-00112233aabbccdd"
SERVICE = {"kind": "openbao", "name": "bao", "address": "http://127.0.0.1:1", "token_file": "/nowhere"}


def chosen(tmp_path: Path, *domains: dict[str, Any]) -> list[Any]:
    data = Data(folder=tmp_path / "data", keys=tmp_path / "keys")
    return domains_of(Keys.model_validate({"domains": domains}), data)


def test_the_order_is_that_of_the_settings_and_nothing_is_contacted(tmp_path: Path) -> None:
    token = {"kind": "pkcs11", "name": "hsm", "library": "/nowhere.so", "token": "t", "pin_file": "/nowhere"}
    found = chosen(tmp_path, token, SERVICE, {"kind": "local"})
    assert [(one.name, one.root.kind) for one in found] == [("hsm", "pkcs11"), ("bao", "openbao"), ("local", "local")]
    for one in found[:2]:
        with pytest.raises(Unavailable):
            one.root.present()


def test_a_token_from_settings_works_and_is_remembered(tmp_path: Path) -> None:
    place = new_token(tmp_path / "hsm", "chosen")
    token = {"kind": "pkcs11", "name": "hsm", "library": place.library, "token": "chosen", "pin_file": place.pin_file}
    (domain,) = chosen(tmp_path, token)
    domain.root.create(NAME)
    assert domain.root.present() == [NAME]
    assert (tmp_path / "keys" / "domains" / "hsm.mark").exists()


@pytest.mark.parametrize(("library", "domain"), [("pkcs11", {"kind": "pkcs11"}), ("hvac", {"kind": "openbao"})])
def test_a_missing_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, domain: dict[str, str]
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name.startswith(("troth.keys.roots.module", "troth.keys.roots.transit")):
            raise ImportError(library)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    token = {"kind": "pkcs11", "name": "hsm", "library": "/nowhere.so", "token": "t", "pin_file": "/nowhere"}
    with pytest.raises(Unavailable) as refused:
        chosen(tmp_path, token if domain["kind"] == "pkcs11" else SERVICE)
    assert refused.value.code == "extra-missing"
