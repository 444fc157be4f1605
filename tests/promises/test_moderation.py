"""Content rules and the road to vendors."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import pytest

from promise_world import Broken, named, shown
from troth.gateway.moderation import Moderator
from troth.gateway.vendors import channel
from troth.gateway.vendors.channel import Channel
from troth.promises.check import Check, Result
from troth.promises.checks import moderation
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize("check", moderation.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


def test_a_moderator_that_is_never_asked_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Moderator, "check", lambda _self, _text: None)
    assert shown(named(moderation.CHECKS, "moderation"), system) is Result.FAIL


def test_a_channel_that_trusts_anybody_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def trusting() -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    monkeypatch.setattr(channel, "ssl", Broken(ssl, create_default_context=trusting))
    assert shown(named(moderation.CHECKS, "outbound-tls"), system) is Result.FAIL


def test_a_channel_that_offers_the_old_version_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Channel.__init__
    monkeypatch.setattr(Channel, "__init__", lambda self, *given, **_: real(self, *given, tls12=True))
    assert shown(named(moderation.CHECKS, "outbound-tls"), system) is Result.FAIL
