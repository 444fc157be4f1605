"""Rules for cards, accounts and wallets."""

# ruff: noqa: E501  a pattern is read as one line
from __future__ import annotations

from troth.redact.detect import checks, wallets
from troth.redact.detect.rule import NUMBER, Rule, whole

# Between the groups of a number that a check digit protects.
_GAP = r"(?:[ \t]{1,3}|[ \t]?[.\-/_+\xb7][ \t]?)"
_ODD = r"(?:\t|[ \t]{2,3}|[ \t]?[./_+\xb7][ \t]?|[ \t]-[ \t]?)"  # what the rule of plain cards does not take

RULES: tuple[Rule, ...] = (
    Rule(
        kind="payment_card",
        pattern=r"[2-6]\d{3}[ \-]?\d{4}(?:[ \-]?\d){4,11}",
        gate=NUMBER,
        score=0.95,
        check=checks.card,
        against="tracking|order|serial|isbn|imei|timestamp|siret|siren",
        left=r"(?<![A-Za-z0-9+])(?<!\d[.\-])",
        right=r"(?![A-Za-z0-9])(?!-\d)",
    ),
    Rule(  # in the groups of a card, whatever stands between them: 4111.1111.1111.1111
        kind="payment_card",
        pattern=rf"[2-6]\d{{3}}{_ODD}\d{{4}}(?:{_GAP}\d{{4}}){{2}}(?:{_GAP}\d{{3}})?|3\d{{3}}{_ODD}\d{{6}}{_GAP}\d{{4,5}}",
        gate=NUMBER,
        score=0.9,
        check=checks.card,
        against="tracking|order|serial|isbn|imei|timestamp|siret|siren",
        left=r"(?<![A-Za-z0-9])(?<!\d[.\-/])",
        right=r"(?![A-Za-z0-9])(?![.\-/]\d)",
    ),
    Rule(
        kind="card_code",
        pattern=r"\d{3,4}",
        score=0.2,
        context=r"cvv2?|cvc2?|card (?:security|verification) code|security code|prüfziffer",
        left=r"(?<![A-Za-z0-9.,$])",
        right=r"(?![A-Za-z0-9])(?![.,]\d)",
    ),
    Rule(
        kind="iban",
        family="token",
        pattern=rf"[A-Za-z]{{2}}\d{{2}}(?:{_GAP}?[A-Za-z0-9]{{4}}){{2,7}}(?:{_GAP}?[A-Za-z0-9]{{1,4}})?",
        score=0.98,
        gate=rf"[A-Za-z]{{2}}\d\d{_GAP}?[A-Za-z0-9]{{4}}",
        check=checks.iban,
        right=r"(?![A-Za-z0-9])",
    ),
    Rule(
        kind="bic",
        family="sign",
        pattern=r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?",
        score=0.2,
        check=checks.stdnum("bic"),
        context="bic|swift|swift code|bank identifier",
    ),
    Rule(
        kind="bank_account",
        pattern=r"\d(?:[ \-]?\d){5,16}",
        score=0.15,
        context=r"account(?: ?(?:no|number|nr|num|id))?\.?|acct(?: ?no)?|a/c|kontonummer|konto(?:-?nr)?|numéro de compte|"
        r"compte|cuenta|conto|bank ?account",
        against=r"order|ticket|tracking|call|phone|tel",
        left=r"(?<![A-Za-z0-9.,$+])",
        right=r"(?![A-Za-z0-9%])(?![.,\-]\d)",
    ),
    Rule(
        kind="uk_sort_code",
        pattern=r"\d{2}[\- ]?\d{2}[\- ]?\d{2}",
        score=0.35,
        context=r"sort[ \-_]?code|bank code|bsb",
        right=r"(?![A-Za-z0-9])(?![.,\-]\d)",
    ),
    Rule(
        kind="uk_sort_code",  # Australia's bank-state-branch number
        pattern=r"\d{3}[\- ]?\d{3}",
        score=0.15,
        context=r"bsb(?: ?(?:no|number))?",
        right=r"(?![A-Za-z0-9])(?![.,\-]\d)",
    ),
    Rule(
        kind="us_routing",
        pattern=r"\d{9}",
        score=0.2,
        check=checks.checked_digits(checks.routing_us),
        context=r"routing(?: ?(?:no|number))?|aba|rtn",
    ),
    Rule(
        kind="btc_address",
        family="token",
        pattern=r"\b[13][1-9A-HJ-NP-Za-km-z]{25,34}",
        gate=r"[13][1-9A-HJ-NP-Za-km-z]{9}",
        score=0.95,
        check=whole(wallets.base58check),
    ),
    Rule(
        kind="btc_address",
        family="token",
        pattern=r"bc1[qpzry9x8gf2tvdw0s3jn54khce6mua7l]{11,71}|BC1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{11,71}",
        score=0.95,
        gate="(?i)bc1",
        check=whole(wallets.bech32),
    ),
    Rule(
        kind="eth_address",
        family="token",
        pattern=r"0x[0-9a-fA-F]{40}",
        gate="0x[0-9a-fA-F]{8}",
        score=0.9,
        check=whole(wallets.ethereum),
    ),
)
