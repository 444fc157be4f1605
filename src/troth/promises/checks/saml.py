"""SAML promise: a provider in software signs somebody in, and fails in every way that must be refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from troth.identity.sso.saml.names import SAML
from troth.identity.sso.saml.parsing import parse
from troth.identity.sso.saml.refusal import SamlRefused
from troth.identity.sso.saml.response import Expected, judge
from troth.promises.check import Check, Facts, counted
from troth.promises.identity_provider import Provider
from troth.promises.probe import refused
from troth.promises.system import System

Judge = Callable[[bytes, Expected], str]


def _strict(document: bytes, expected: Expected) -> str:
    return judge(document, expected).name_id


def _credulous(document: bytes, expected: Expected) -> str:
    """The known-bad door: it reads the first name that it finds."""
    del expected
    return str(parse(document).findtext(f".//{SAML}NameID"))


def _saml(system: System, judging: Judge) -> Facts:
    return counted([*_tried(Provider.fresh(system.base.clock.now()), judging)])


def _tried(provider: Provider, judging: Judge) -> Iterator[bool]:
    """True for the honest answer that is taken and for each false one that is refused."""

    def fails(inside: str, expected: Expected = provider.expected) -> bool:
        return refused(lambda: judging(provider.response(inside), expected), SamlRefused)

    honest, evil = provider.signed(provider.assertion("ada")), provider.assertion("eve")
    yield judging(provider.response(honest), provider.expected) == "ada"
    yield fails(evil)
    yield fails(honest.replace(">ada<", ">eve<"))
    yield fails(evil.replace('ID="_a0"', 'ID="_evil"') + honest)
    yield fails(evil.replace("</saml:Assertion>", f"{honest}</saml:Assertion>").replace('ID="_a0"', 'ID="_evil"', 1))
    yield fails(honest.replace(">ada<", ">ada<!-- -->.eve<"))
    yield fails(provider.signed(provider.assertion("ada", audience="https://other.example")))
    yield fails(provider.signed(provider.assertion("ada", age=900)))
    yield fails(honest, replace(provider.expected, request="_another"))
    yield fails(honest, replace(provider.expected, provider="https://other.example"))
    yield fails(Provider.fresh(provider.now).signed(provider.assertion("ada")))


CHECKS = (
    Check(
        "saml",
        ("IDN-05",),
        "A provider in software with a key of its own: its honest answer must be taken; unsigned, changed, wrapped, "
        "with a comment in the name, for another audience, request or issuer, old, or signed by another key must not. "
        "An answer that comes twice is not looked at here.",
        lambda system: _saml(system, _strict),
        lambda system: _saml(system, _credulous),
        every=6 * 3600,
        scope="the judge of SAML answers, with a synthetic provider",
        population="SAML answers, honest and false",
    ),
)
