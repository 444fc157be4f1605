"""An auditor fetches the whole log over HTTP and checks it with the offline verifier."""

from __future__ import annotations

from pathlib import Path

import pytest

from house import House, Person
from troth.audit.export import export_log
from troth.audit.verify import LogBroken, verify_log


@pytest.fixture(scope="module")
def owner(home: House) -> Person:
    return home.tenant("kappa")


def _fetched(home: House, headers: dict[str, str], folder: Path) -> None:
    home.system.base.sequencer.flush()
    export_log(lambda path: home.call("GET", f"/v1/log/{path}", headers).content, folder)


def _key(home: House, log: str) -> str:
    return str(home.system.base.sequencer.origins.key(log))


def test_the_fetched_log_holds_and_a_changed_byte_does_not(home: House, owner: Person, tmp_path: Path) -> None:
    _fetched(home, owner.headers, tmp_path / "log")
    assert verify_log(tmp_path / "log", _key(home, owner.tenant)).size > 5
    bundle = next(path for path in (tmp_path / "log" / "tile" / "entries").rglob("*") if path.is_file())
    content = bytearray(bundle.read_bytes())
    content[40] ^= 1
    bundle.write_bytes(content)
    with pytest.raises(LogBroken):
        verify_log(tmp_path / "log", _key(home, owner.tenant))


def test_an_operator_fetches_the_operators_log(home: House, tmp_path: Path) -> None:
    _fetched(home, home.operator, tmp_path / "log")
    assert verify_log(tmp_path / "log", _key(home, "operator")).size > 0


@pytest.mark.parametrize("path", ["../troth.db", "tile/../../x", "etc/passwd", "tile/9/000", "checkpoint/x"])
def test_nothing_else_is_served(home: House, owner: Person, path: str) -> None:
    assert home.call("GET", f"/v1/log/{path}", owner.headers).status_code in (404, 422)


def test_a_member_and_a_key_do_not_read_the_log(home: House, owner: Person) -> None:
    member = home.member(owner, "m@kappa.example.org")
    assert home.call("GET", "/v1/log/checkpoint", member.headers).status_code == 403
    assert home.call("GET", "/v1/log/checkpoint", home.key_headers(owner, "generate")).status_code == 403
