"""Check digits and shapes, against published examples and their neighbours."""

from __future__ import annotations

import pytest

from troth.redact.detect import checks


@pytest.mark.parametrize("number", ["4111111111111111", "378282246310005", "6011111111111117", "30569309025904"])
def test_cards(number: str) -> None:
    assert checks.card(number) == len(number)
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert checks.card(wrong) == 0


def test_card_is_cut_before_what_follows() -> None:
    assert checks.card("4111 1111 1111 1111 07") == len("4111 1111 1111 1111")


def test_no_card_without_an_issuer() -> None:
    assert checks.card("1111111111111117") == 0


def test_iban_by_country_length() -> None:
    assert checks.iban("DE89370400440532013000") == 22
    assert checks.iban("DE89 3704 0044 0532 0130 00 then") == len("DE89 3704 0044 0532 0130 00")
    assert checks.iban("DE88370400440532013000") == 0
    assert checks.iban("XX89370400440532013000") == 0


@pytest.mark.parametrize("value", ["::1", "::", "12:30:45", "dead::", "not:an:address"])
def test_no_host(value: str) -> None:
    assert checks.ipv6(value) == 0


def test_hosts() -> None:
    assert checks.ipv6("2001:db8::1") == 11
    assert checks.ipv4("127.0.0.1") == 0
    assert checks.ipv4("8.8.8.8") == 7


@pytest.mark.parametrize("value", ["000-12-3456", "666-12-3456", "912-12-3456", "123-00-4567", "123-45-0000"])
def test_social_security_numbers_never_issued(value: str) -> None:
    assert not checks.ssn(value)


def test_national_check_digits() -> None:
    assert checks.npi("1234567893")
    assert not checks.npi("1234567890")
    assert checks.medicare_au("2123456701")
    assert not checks.medicare_au("2123456711")
    assert checks.rvnr("65170839J003")
    assert not checks.rvnr("65170839J004")
    assert checks.vin("1HGCM82633A004352")
    assert not checks.vin("1HGCM82643A004352")
    assert checks.routing_us("021000021")
    assert not checks.routing_us("021000022")


def test_entropy() -> None:
    assert checks.entropy("aaaa") == 0
    assert checks.entropy("abcd") == 2
