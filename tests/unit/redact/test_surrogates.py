"""Surrogates: another value of the same shape, that belongs to nobody, the same each time, known again."""

from __future__ import annotations

import ipaddress
import re
from datetime import date

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.redact.detect import KINDS, Span, rules_detector
from troth.redact.detect.checks import luhn
from troth.redact.policy import Action, Decision, Policy, training_policy
from troth.redact.surrogates import SURROGATE_KINDS, Surrogates, differs
from troth.redact.surrogates.dates import distance, shifted
from troth.redact.surrogates.draw import Draw
from troth.redact.surrogates.validity import CHECKED, valid
from troth.redact.surrogates.words import given as given_words
from troth.redact.surrogates.words import surnames
from troth.redact.text import dataset_key, redact

KEY = dataset_key(b"k" * 32, "one")
ONE, TWO = Surrogates(KEY), Surrogates(dataset_key(b"k" * 32, "two"))

# kind, a real-looking value; every kind with check digits has one that is valid.
VALUES = [
    ("person", "Ann Lee"),
    ("email", "ann.lee@mail.example"),
    ("username", "@jdoe"),
    ("url", "https://a.example/b?c=1"),
    ("phone", "+44 20 8123 4567"),
    ("phone", "(415) 867-5309"),
    ("phone", "+33 6 12 34 56 78"),
    ("phone", "0412 345 678"),
    ("phone", "+49 30 12345678"),
    ("phone", "+39 06 6982 1234"),
    ("phone", "+34 612 345 678"),
    ("address", "12 Elm Street, Springfield, IL 62704"),
    ("organisation", "Acme Widgets Ltd"),
    ("place", "Lyon, Rue Victor Hugo"),
    ("ipv4", "8.8.8.8"),
    ("ipv6", "2a00:1450:4001:80e::200e"),
    ("mac", "a8-20-66-1b-2c-3e"),
    ("payment_card", "4111 1111 1111 1111"),
    ("iban", "DE89 3704 0044 0532 0130 00"),
    ("us_ssn", "536-22-1234"),
    ("es_dni", "12345678Z"),
    ("es_nie", "X1234567L"),
    ("fr_nir", "255081416802538"),
    ("nl_bsn", "111222333"),
    ("pl_pesel", "44051401359"),
    ("br_cpf", "390.533.447-05"),
    ("ch_ahv", "756.9217.0769.85"),
    ("uk_nhs", "943 476 5919"),
    ("it_codice_fiscale", "RCCMNL83S18D969H"),
    ("au_tfn", "123 456 782"),
    ("au_abn", "83 914 571 673"),
    ("de_idnr", "36 574 261 809"),
    ("fr_siren", "552 008 443"),
    ("fr_siret", "73282932000074"),
    ("us_npi", "1234567893"),
    ("it_piva", "00743110157"),
    ("eu_vat", "NL4495445B01"),
    ("vin", "1M8GDM9AXKP042788"),
    ("imei", "490154203237518"),
    ("us_routing", "111000025"),
    ("ca_sin", "130 692 544"),
    ("in_aadhaar", "2341 2341 2346"),
    ("fi_hetu", "131052-308T"),
    ("passport", "C01X00T478"),
    ("github_token", "ghp_" + "aB3x" * 9),
    ("aws_key", "AKIAIOSFODNN7EXAMPLE"),
    ("eth_address", "0x52908400098527886E0F7030069857D2E4169EE7"),
    ("bank_account", "12345678"),
]


@pytest.mark.parametrize(("kind", "value"), VALUES)
def test_another_value_of_the_same_shape_and_known_again(kind: str, value: str) -> None:
    made = ONE.of(value, kind)
    assert made is not None
    assert differs(value, made)
    assert made == Surrogates(KEY).of(value, kind)
    assert made != TWO.of(value, kind)
    assert ONE.of(made, kind) == made
    assert not valid(made, kind)
    if kind != "mac" and KINDS[kind].label in ("ID", "IBAN", "CREDIT_CARD", "PHONE"):
        shape = re.sub(r"[a-z]", "a", re.sub(r"[A-Z]", "A", re.sub(r"\d", "0", made)))
        assert shape == re.sub(r"[a-z]", "a", re.sub(r"[A-Z]", "A", re.sub(r"\d", "0", value)))


def test_the_values_of_kinds_with_check_digits_were_valid() -> None:
    """Or the test above would say nothing."""
    held = {kind for kind, value in VALUES if valid(value, kind)}
    assert held == {kind for kind, _ in VALUES} & CHECKED
    assert luhn("4111111111111111")


def test_ranges_that_belong_to_nobody() -> None:
    for n in range(60):
        net = ipaddress.ip_address(ONE.of(f"81.2.{n}.7", "ipv4") or "")
        assert any(net in ipaddress.ip_network(f"{base}/24") for base in ("192.0.2.0", "198.51.100.0", "203.0.113.0"))
        six = ipaddress.ip_address(ONE.of(f"2a00::{n:x}", "ipv6") or "")
        assert six in ipaddress.ip_network("2001:db8::/32")
        assert re.fullmatch(r"[a-z]+\.[a-z]+\d\d@example\.(com|net|org)", ONE.of(f"u{n}@mail.example", "email") or "")
        assert re.fullmatch(r"\(\d{3}\) 555-01\d\d", ONE.of(f"(415) 867-5{n:03d}", "phone") or "")
        assert (ONE.of(f"a8:20:66:1b:2c:{n:02x}", "mac") or "").startswith("00:00:5e:00:53:")


@given(st.integers(0, 10**9 - 1), st.sampled_from(["34", "39", "351", "48", "81"]))
@settings(max_examples=40, deadline=None)
def test_elsewhere_telephone_numbers_are_nobodys(number: int, code: str) -> None:
    made = ONE.of(f"+{code} {number:09d}", "phone")
    assert made is None or not phonenumbers.is_valid_number(phonenumbers.parse(made))


@given(st.text(max_size=40), st.sampled_from(sorted(SURROGATE_KINDS)))
@settings(max_examples=150, deadline=None)
def test_any_text_at_all(text: str, kind: str) -> None:
    made = ONE.of(text, kind)
    assert made == ONE.of(text, kind)
    if made is not None and kind not in ("date", "birth_date"):
        assert made != text or ONE.of(made, kind) == made  # what stays is a surrogate already


@given(st.from_regex(r"[0-9]{4}([ -]?)[0-9]{4}\1[0-9]{4}\1[0-9]{4}", fullmatch=True))
@settings(max_examples=60, deadline=None)
def test_cards_never_pass_and_never_repeat(card: str) -> None:
    made = ONE.of(card, "payment_card") or ""
    digits = re.sub(r"\D", "", made)
    assert (made != card, len(made)) == (True, len(card))
    assert not luhn(digits) or not valid(made, "payment_card")
    plain = re.sub(r"\D", "", card)
    assert re.sub(r"\D", "", ONE.of(plain, "payment_card") or "") == digits  # however it is written


def test_a_mention_takes_the_words_of_its_person() -> None:
    whole = ONE.of("Ann Lee", "person") or ""
    first, last = whole.split()
    of = {
        m: ONE.of(m, "person", entity="Ann Lee") for m in ("Ms Lee", "ANN", "A. Lee", "Lee, Ann", "Lee's", "Ann  LEE")
    }
    assert of == {
        "Ms Lee": f"Mx {last}",
        "ANN": first.upper(),
        "A. Lee": f"{first[0]}. {last}",
        "Lee, Ann": f"{last}, {first}",
        "Lee's": f"{last}'s",
        "Ann  LEE": f"{first}  {last.upper()}",
    }
    assert ONE.of("Lee, Ann", "person", entity="Lee, Ann") != ONE.of("Ann", "person", entity="Bo Lee")


def test_names_have_no_gender_and_no_owner() -> None:
    from troth.redact.detect.rules.people import given_names  # noqa: PLC0415

    known = {name.casefold() for name in given_names()}
    for locale in ("en", "de", "fr", "es", "it"):
        assert len(surnames(KEY, locale)) > 100
        assert not known & set(surnames(KEY, locale))
    assert len(given_words(KEY)) > 100
    assert not any(name.endswith(("a", "o")) or name in known for name in given_words(KEY))
    assert (ONE.of("Jürgen Müßig", "person") or "").split()[1].lower() in surnames(KEY, "de")


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("2024-05-17", "%Y-%m-%d"),
        ("17/05/2024", "%d/%m/%Y"),
        ("05/17/2024", "%m/%d/%Y"),
        ("17.05.2024", "%d.%m.%Y"),
        ("17 May 2024", "%d %B %Y"),
        ("May 17, 2024", "%B %d, %Y"),
        ("born 2024/05/17 at noon", "born %Y/%m/%d at noon"),
    ],
)
def test_dates_move_by_one_distance(value: str, form: str) -> None:
    from datetime import datetime  # noqa: PLC0415

    made = shifted(value, KEY, b"") or ""
    moved = (datetime.strptime(made, form).date() - date(2024, 5, 17)).days  # noqa: DTZ007
    assert moved == distance(KEY, b"")
    assert 31 <= abs(moved) <= 330


def test_distances_of_documents() -> None:
    assert len({distance(KEY, bytes([n])) for n in range(100)}) > 50
    assert shifted("12 mars 2020", KEY, b"a") != shifted("12 mars 2020", KEY, b"b")
    assert shifted("31/02/2020", KEY, b"") is None
    assert shifted("no date", KEY, b"") is None
    moved = shifted("March 3rd, 1987", KEY, b"x")
    assert moved is not None
    assert re.fullmatch(r"[A-Z][a-z]+ \d{1,2}(st|nd|rd|th), 19\d\d", moved)


def policy(shift: str = "dataset") -> Policy:
    every = dict.fromkeys(training_policy().decisions, Decision(action=Action.SURROGATE))
    keep = Decision(action=Action.KEEP, reason="the rules find none of it")
    return Policy(name="s", version=1, decisions=every | {"organisation": keep}, shift_dates=shift)  # type: ignore[arg-type]


def test_redacting_again_changes_nothing() -> None:
    text = "Dear Mrs Maria Keller, card 4111 1111 1111 1111, mail maria@mail.example, from 81.2.69.142, "
    text += "call +44 20 8123 4567."
    once = redact(text, rules_detector(), policy(), KEY)
    assert redact(once.text, rules_detector(), policy(), KEY).text == once.text
    for word in ("Maria", "Keller", "4111", "mail.example", "81.2", "8123"):
        assert word not in once.text
    assert redact(text, rules_detector(), policy(), dataset_key(b"k" * 32, "two")).text != once.text


def test_dates_of_a_document_and_of_another() -> None:
    class Dates:
        version = "dates"

        def detect(self, text: str) -> list[Span]:
            return [Span(m.start(), m.end(), "date", 1.0, "t") for m in re.finditer(r"\d{4}-\d\d-\d\d", text)]

    one, other = "2024-05-17 and 2024-05-18", "2024-05-17 and 2024-05-18 too"
    days = []
    for text in (one, other):
        made = redact(text, Dates(), policy("document"), KEY).text
        first, second = (date.fromisoformat(found) for found in re.findall(r"\d{4}-\d\d-\d\d", made))
        assert (second - first).days == 1
        days.append((first - date(2024, 5, 17)).days)
    assert days[0] != days[1]
    whole = [redact(text, Dates(), policy(), KEY).text for text in (one, other)]
    assert whole[1] == whole[0] + " too"


def test_kinds_without_a_surrogate_get_their_label() -> None:
    text = "She is 43 years old; coordinates 48.858370, 2.294481."
    assert redact(text, rules_detector(), policy(), KEY).text == "She is <AGE>; coordinates <LOCATION>."


def test_a_real_name_that_sounds_made_up_does_not_stay() -> None:
    names = [("Perez", "person"), ("Hermann", "person"), ("Rinaldi", "person"), ("Bamberg", "place")]
    keys = [dataset_key(b"k" * 32, str(n)) for n in range(40)]
    assert [(k, n) for k in keys for n, kind in names if Surrogates(k).of(n, kind) == n] == []


@pytest.mark.parametrize(
    ("kind", "value", "word"),
    [("document_id", "KELLER-19850512", "KELLER"), ("password", "maria_s3cretpass99", "maria")],
)
def test_a_word_before_a_sign_is_a_part_of_the_value(kind: str, value: str, word: str) -> None:
    assert word not in (ONE.of(value, kind) or "")


def test_of_two_dates_in_one_value_none_stays() -> None:
    for value in ("from 3 May 2019 to 5 June 2020", "12/05/1990 and 13/06/1991", "1990-05-12 (12 May)"):
        assert ONE.of(value, "date") is None
    assert (ONE.of("2020-01-01T12:33:11.123Z", "date") or "").endswith("T12:33:11.123Z")


def test_draws_are_even() -> None:
    draw = Draw(KEY, "k", "v", 0)
    counts = [0] * 7
    for _ in range(7000):
        counts[draw.below(7)] += 1
    assert min(counts) > 850
