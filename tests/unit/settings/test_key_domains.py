"""Which key domains may stand beside each other, and what is refused at the start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from troth.kernel.errors import Invalid
from troth.settings.key_domains import LocalDomain, copies_folder, roots_folder
from troth.settings.load import Settings, load

TOKEN: dict[str, Any] = {
    "kind": "pkcs11",
    "name": "hsm",
    "library": "/usr/lib/hsm.so",
    "token": "troth",
    "pin_file": "/etc/troth/pin",
}
SERVICE: dict[str, Any] = {
    "kind": "openbao",
    "name": "bao",
    "address": "https://bao.example:8200",
    "token_file": "/etc/troth/token",
}
LOCAL: dict[str, Any] = {"kind": "local"}


def loaded(tmp_path: Path, *domains: dict[str, Any]) -> Settings:
    data = {"folder": tmp_path / "data", "keys": tmp_path / "keys"}
    return load(data=data, keys={"domains": domains})


def test_the_default_is_one_local_domain_where_it_always_was() -> None:
    settings = load()
    (domain,) = settings.keys.domains
    assert isinstance(domain, LocalDomain)
    assert domain.name == "local"
    assert roots_folder(domain, settings.data) == settings.data.keys / "roots"
    assert copies_folder(domain, settings.data) == settings.data.folder / "key-pages"


def test_domains_of_three_kinds(tmp_path: Path) -> None:
    settings = loaded(tmp_path, LOCAL, LOCAL | {"name": "second"}, TOKEN, SERVICE)
    places = [copies_folder(one, settings.data).name for one in settings.keys.domains]
    assert places == ["key-pages", "key-pages-second", "key-pages-hsm", "key-pages-bao"]
    assert [one.kind for one in settings.keys.domains] == ["local", "local", "pkcs11", "openbao"]


def test_the_environment_and_the_file_give_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROTH_KEYS__DOMAINS", json.dumps([LOCAL, TOKEN]))
    assert [one.name for one in load().keys.domains] == ["local", "hsm"]
    monkeypatch.delenv("TROTH_KEYS__DOMAINS")
    (tmp_path / "t.toml").write_text(
        '[[keys.domains]]\nkind = "openbao"\nname = "bao"\naddress = "http://127.0.0.1:8200"\ntoken_file = "/t"\n'
    )
    monkeypatch.setenv("TROTH_CONFIG", str(tmp_path / "t.toml"))
    assert [one.kind for one in load().keys.domains] == ["openbao"]


def test_what_is_no_json_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROTH_KEYS__DOMAINS", "[{")
    with pytest.raises(Invalid, match="not valid JSON"):
        load()


def test_credentials_are_in_no_repr(tmp_path: Path) -> None:
    text = repr(loaded(tmp_path, TOKEN, SERVICE))
    assert "/etc/troth" not in text


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        [LOCAL, LOCAL],
        [LOCAL, LOCAL | {"name": "two", "folder": "KEYS/roots"}],
        [TOKEN, TOKEN | {"name": "again"}],
        [SERVICE, SERVICE | {"name": "again"}],
        [SERVICE, SERVICE | {"name": "again", "address": "https://BAO.example:8200/"}],
        [LOCAL, TOKEN | {"copies": "DATA/key-pages"}],
        [LOCAL, TOKEN | {"copies": "DATA/key-pages/inside"}],
        [LOCAL | {"folder": "DATA/roots"}],
        [LOCAL | {"copies": "KEYS/copies"}],
        [TOKEN | {"pin_file": "DATA/pin"}],
        [SERVICE | {"token_file": "DATA/token"}],
        [SERVICE | {"address": "http://bao.example:8200"}],
        [SERVICE | {"address": "ftp://bao.example"}],
        [SERVICE | {"address": "https://user:secret@bao.example"}],
        [SERVICE | {"address": "https://bao.example/v1"}],
        [SERVICE | {"mount": "../sys"}],
        [LOCAL | {"name": "Two Words"}],
        [LOCAL | {"token": "x"}],
        [{"kind": "vault", "name": "v"}],
        [LOCAL | {"name": f"n{at}"} for at in range(5)],
    ],
)
def test_what_cannot_be_right_is_refused(tmp_path: Path, wrong: list[dict[str, Any]]) -> None:
    text = json.dumps(wrong).replace("DATA", str(tmp_path / "data")).replace("KEYS", str(tmp_path / "keys"))
    with pytest.raises(Invalid) as refused:
        loaded(tmp_path, *json.loads(text))
    assert refused.value.code == "bad-setting"
    assert "secret" not in refused.value.advice


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://a.b/"])
def test_plain_http_is_for_this_machine(tmp_path: Path, address: str) -> None:
    loaded(tmp_path, SERVICE | {"address": address})


def test_a_root_is_split_over_two_or_more(tmp_path: Path) -> None:
    data = {"folder": tmp_path / "data", "keys": tmp_path / "keys"}
    with pytest.raises(Invalid, match="two key domains"):
        load(data=data, keys={"domains": [LOCAL], "split": True})
    assert load(data=data, keys={"domains": [LOCAL, TOKEN], "split": True}).keys.split
