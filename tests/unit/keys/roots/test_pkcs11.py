"""Roots on a token: what tokens do wrong, and what is a hardware token at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pkcs11
import pytest

from root_world import PIN, Provider, initialise, library, new_token, secret
from troth.kernel.errors import Conflict, Gone, Unavailable
from troth.keys.roots import module, module_errors
from troth.keys.roots import pkcs11 as tokens
from troth.keys.roots.binding import Binding
from troth.keys.roots.module import TokenPlace
from troth.keys.roots.pkcs11 import Pkcs11Root

NAME, OTHER = "eu-00000001-0011223344556677", "eu-00000002-0011223344556677"


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return Provider("pkcs11", tmp_path / "provider")


def on(provider: Provider, place: TokenPlace) -> Pkcs11Root:
    return Pkcs11Root(place, Binding(provider.folder / "bound" / "x.mark"), provider.domain)


def refused(act: Any) -> str:
    with pytest.raises(Unavailable) as caught:
        act()
    assert PIN not in repr(caught.value)
    return caught.value.code


def test_a_wrong_pin_is_refused_and_never_tried_twice(provider: Provider) -> None:
    root = on(provider, provider.place)
    secret(provider.place.pin_file, "00000000")
    assert {refused(root.present) for _ in range(20)} == {"hsm-pin"}  # tokens lock after a few
    secret(provider.place.pin_file, PIN)
    assert root.present() == []


@pytest.mark.parametrize(("text", "mode"), [(PIN, 0o644), ("", 0o600), ("1\n2", 0o600), ("x" * 5000, 0o600)])
def test_a_pin_file_that_is_open_empty_or_no_pin_is_refused(provider: Provider, text: str, mode: int) -> None:
    secret(provider.place.pin_file, text).chmod(mode)
    assert refused(on(provider, provider.place).present).startswith("root-credential")


def test_what_is_not_there_is_named(provider: Provider, tmp_path: Path) -> None:
    (tmp_path / "no-module.so").write_bytes(b"\x7fELF, but no more")
    place = provider.place
    assert refused(on(provider, replace(place, label="another")).present) == "hsm-token"
    assert refused(on(provider, replace(place, library=Path("/nowhere.so"))).present) == "hsm-library"
    assert refused(on(provider, replace(place, library=tmp_path / "no-module.so")).present) == "hsm-library"
    assert refused(on(provider, replace(place, pin_file=Path("/nowhere"))).present) == "root-credential"
    assert refused(lambda: on(provider, replace(place, label="another")).assurance) == "hsm-token"


def test_two_tokens_of_one_label_are_refused(provider: Provider) -> None:
    initialise(provider.domain)
    assert refused(provider.root().present) == "hsm-token-ambiguous"


def test_a_token_that_was_initialised_anew_is_not_the_old_one(provider: Provider) -> None:
    root = provider.root()
    root.create(NAME)
    slot = next(
        one.slot.slot_id for one in pkcs11.lib(str(library().resolve())).get_tokens(token_label=provider.domain)
    )
    initialise(provider.domain, slot=f"--slot {slot}")
    for act in (
        lambda: root.seal(NAME, b"key", b""),
        lambda: root.destroy(NAME),
        root.present,
        lambda: root.create(OTHER),
    ):
        assert refused(act) == "root-provider-changed"
    assert refused(provider.root().present) == "root-provider-changed"


def test_a_token_that_was_exchanged_is_not_the_old_one(provider: Provider, tmp_path: Path) -> None:
    provider.root().create(NAME)
    (provider.folder / "tokens").rename(tmp_path / "drawer")
    new_token(provider.folder, provider.domain)
    root = provider.root()
    assert refused(lambda: root.destroy(NAME)) == "root-provider-changed"
    shutil.rmtree(provider.folder / "tokens")
    (tmp_path / "drawer").rename(provider.folder / "tokens")
    assert root.present() == [NAME]


def test_a_binding_that_was_lost_is_taken_from_the_token(provider: Provider) -> None:
    provider.root().create(NAME)
    shutil.rmtree(provider.folder / "bound")
    assert provider.root().present() == [NAME]


def test_keys_are_made_so_that_the_token_never_gives_them_out(provider: Provider) -> None:
    root = provider.root()
    root.create(NAME)
    found = subprocess.run(
        ["grep", "-r", "-c", provider.domain, provider.folder / "tokens"], capture_output=True, text=True, check=False
    )
    assert found.returncode in (0, 1)
    assert not root.gives_out(NAME)
    with pytest.raises(Gone):
        root.gives_out(OTHER)


def test_domains_on_one_token_do_not_see_each_other(provider: Provider) -> None:
    one = provider.root()
    other = Pkcs11Root(provider.place, Binding(provider.folder / "bound" / "other.mark"), "other")
    one.create(NAME)
    assert other.present() == []
    with pytest.raises(Gone):
        other.seal(NAME, b"key", b"")


def test_a_module_that_hangs_is_refused_and_does_not_hold_the_caller(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = provider.root()
    root.present()
    monkeypatch.setattr(module, "CALL_SECONDS", 0.05)
    worker = module.Worker.of(library())
    assert refused(lambda: worker.run(provider.place, lambda _: time.sleep(1))) == "hsm-late"
    assert refused(root.present) == "hsm-late"
    monkeypatch.setattr(module, "CALL_SECONDS", 30.0)
    while worker._since is not None:
        time.sleep(0.05)
    assert root.present() == []


def test_every_error_of_the_binding_has_a_refusal() -> None:
    kinds = [one for one in vars(pkcs11.exceptions).values() if isinstance(one, type) and issubclass(one, Exception)]
    assert len(kinds) > 70
    for kind in kinds:
        refusal = module_errors.refusal(kind("CKR_SOMETHING at /usr/lib/x.so"))
        assert refusal.code.startswith("hsm-")
        assert not any(inner in refusal.advice for inner in ("CKR_", "/usr"))


def _token(flags: pkcs11.SlotFlag, manufacturer: str, model: str) -> Any:
    slot = SimpleNamespace(flags=flags, manufacturer_id=manufacturer, slot_description="slot 1")
    return SimpleNamespace(manufacturer_id=manufacturer, model=model, slot=slot)


HARDWARE = pkcs11.SlotFlag.HW_SLOT | pkcs11.SlotFlag.TOKEN_PRESENT


@pytest.mark.parametrize(
    ("flags", "manufacturer", "model", "expected"),
    [
        (HARDWARE, "Yubico", "YubiHSM", "A2"),
        (HARDWARE, "nCipher Corp. Ltd", "", "A2"),
        (HARDWARE, "Microsoft", "PCI module", "A2"),
        (pkcs11.SlotFlag.TOKEN_PRESENT, "Yubico", "YubiHSM", "A0"),  # it does not say that it is hardware
        (HARDWARE, "SoftHSM project", "SoftHSM v2", "A0"),  # it says so, and is not
        (HARDWARE, "Utimaco", "HSM Simulator", "A0"),
        (HARDWARE, "Kryoptic", "token", "A0"),
    ],
)
def test_only_hardware_is_a2(flags: Any, manufacturer: str, model: str, expected: str) -> None:
    assert tokens.class_of(_token(flags, manufacturer, model)) == expected


def test_a_name_that_two_processes_take_at_once_is_nobodys(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    root = on(provider, provider.place)
    root.present()
    generate = root._generate
    monkeypatch.setattr(root, "_generate", lambda name: (generate(name), generate(name))[0])
    with pytest.raises(Conflict):
        root.create(NAME)
    monkeypatch.undo()
    root.destroy(NAME)
    assert root.present() == []


def test_a_token_that_would_give_keys_out_gets_none(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    root = on(provider, provider.place)
    monkeypatch.setattr(tokens, "gives_out", lambda _key: True)
    assert refused(lambda: root.create(NAME)) == "hsm-unfit"
    assert root.present() == []


def test_a_key_that_stays_is_not_called_destroyed(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    root = on(provider, provider.place)
    root.create(NAME)
    monkeypatch.setattr(root, "_found", lambda _name: [SimpleNamespace(destroy=lambda: None)])
    assert refused(lambda: root.destroy(NAME)) == "key-not-destroyed"


def test_a_login_of_the_process_serves_a_new_session(provider: Provider) -> None:
    root = provider.root()
    root.create(NAME)
    worker = module.Worker.of(library())
    held = dict(worker._sessions)
    worker._sessions.clear()
    assert root.present() == [NAME]
    assert held


def test_a_forked_process_and_a_stuck_module_are_refused_at_once(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, worker = provider.root(), module.Worker.of(library())
    monkeypatch.setattr(worker, "_process", -1)
    assert refused(root.present) == "hsm-after-fork"
    monkeypatch.undo()
    monkeypatch.setattr(worker, "_since", time.monotonic() - 2 * module.CALL_SECONDS)
    assert refused(root.present) == "hsm-late"


def test_a_provider_that_shows_nothing_is_not_the_one(tmp_path: Path) -> None:
    binding = Binding(tmp_path / "bound" / "x.mark")
    assert refused(lambda: binding.require([])) == "root-provider-changed"
    assert not binding.made
    assert binding.require(["b", "a"]) in ("a", "b")


class Counting:
    """The module as it is, with a count of how often a PIN was tried."""

    def __init__(self) -> None:
        self.tried = 0

    def lib(self, path: str) -> Any:
        real = pkcs11.lib(path)
        return SimpleNamespace(get_token=lambda **named: self._token(real.get_token(**named)), finalize=real.finalize)

    def _token(self, real: Any) -> Any:
        def opened(**named: Any) -> Any:
            self.tried += "user_pin" in named
            return real.open(**named)

        return SimpleNamespace(flags=real.flags, open=opened)


def test_a_wrong_pin_is_tried_once_however_often_the_service_starts(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = replace(provider.place, refused=tmp_path / "memory" / "x.pin-refused")
    worker, counting = module.Worker.of(library()), Counting()
    monkeypatch.setattr(module, "pkcs11", counting)
    secret(place.pin_file, "11112222")
    for _ in range(5):
        worker._restart()
        worker._refused.clear()  # a process that starts now
        assert refused(on(provider, place).present) == "hsm-pin"
    assert counting.tried == 1
    assert b"11112222" not in (tmp_path / "memory" / "x.pin-refused").read_bytes()
    secret(place.pin_file, PIN)
    assert on(provider, place).present() == []
    assert counting.tried == 2
    assert not (tmp_path / "memory" / "x.pin-refused").exists()


def test_the_last_try_of_a_token_is_not_spent(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = module.Worker.of(library())
    worker._restart()
    opened: list[object] = []
    flags = pkcs11.TokenFlag.USER_PIN_COUNT_LOW | pkcs11.TokenFlag.USER_PIN_FINAL_TRY
    token = SimpleNamespace(flags=flags, open=lambda **named: opened.append(named))
    monkeypatch.setattr(
        module, "pkcs11", SimpleNamespace(lib=lambda _: SimpleNamespace(get_token=lambda **_named: token))
    )
    assert refused(on(provider, provider.place).present) == "hsm-pin-last-try"
    assert opened == []


def test_keys_of_others_on_the_token_may_have_any_label(provider: Provider, tmp_path: Path) -> None:
    provider.root().create(NAME)
    (tmp_path / "theirs").write_bytes(os.urandom(32))
    theirs = ["softhsm2-util", "--import", tmp_path / "theirs", "--aes", "--token", provider.domain, "--id", "00"]
    subprocess.run([*theirs, "--pin", PIN, "--label", b"caf\xe9"], check=True, capture_output=True)
    module.Worker.of(library())._restart()
    root = provider.root()
    assert root.present() == [NAME]
    assert root.destroy(NAME)
    assert root.present() == []
