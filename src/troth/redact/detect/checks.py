"""Checks of found values: check digits, ranges and shapes. Each takes the value and answers how much of it holds."""

from __future__ import annotations

import ipaddress
import math
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module

from troth.redact.detect.rule import Check, whole

_NO_DIGITS = bytes(c for c in range(256) if not 48 <= c <= 57)


def digits(value: str) -> str:
    """Only the ASCII digits of `value`."""
    return value.encode("latin-1", "ignore").translate(None, _NO_DIGITS).decode()


# ASCII digits to their doubled digit sums, for `bytes.translate`.
_DOUBLED = bytes.maketrans(b"0123456789", bytes([0, 2, 4, 6, 8, 1, 3, 5, 7, 9]))


def luhn(number: str) -> bool:
    """ISO/IEC 7812-1 Annex B over a string of ASCII digits."""
    n = number.encode()
    single = n[::-2]
    return (sum(single) - 48 * len(single) + sum(n[-2::-2].translate(_DOUBLED))) % 10 == 0


@lru_cache(maxsize=64)
def _module(name: str) -> Callable[[str], bool]:
    is_valid: Callable[[str], bool] = import_module(f"stdnum.{name}").is_valid
    return is_valid


def stdnum(*names: str) -> Check:
    """The value is valid by one of these python-stdnum modules, loaded at the first use."""
    return whole(lambda value: any(_module(name)(value) for name in names))


def not_repeated(value: str) -> bool:
    """More than two different digits: 1111... and 1212... are examples, not numbers of people."""
    return len(set(digits(value))) > 2


def checked_digits(test: Callable[[str], bool]) -> Check:
    """`test` on the digits of the value, refusing runs of one or two digits."""
    return whole(lambda value: not_repeated(value) and test(digits(value)))


def _card_sizes(n: str) -> tuple[int, ...]:
    """Lengths by issuer (ISO/IEC 7812 issuer identification numbers as the schemes publish them), longest first."""
    two, four = int(n[:2]), int(n[:4])
    if n[0] == "4":
        return 19, 16, 13
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return (16,)
    if two in (34, 37):
        return (15,)
    if two in (36, 38, 39) or 300 <= int(n[:3]) <= 305:
        return 16, 14
    if two in (35, 62, 64, 65, 60, 81):
        return 19, 18, 17, 16
    return (19, 18, 17, 16, 15, 14, 13, 12) if two in (50, 56, 57, 58, 63, 67) else ()


def card(value: str) -> int:
    """A payment card, cut to a length of its issuer so that a following number does not hide it."""
    n = digits(value)
    for size in _card_sizes(n):
        cut = size < len(n)  # the shortest ones are too often in something else
        if len(n) >= size and not (cut and size < 14) and len(set(n[:size])) > 1 and luhn(n[:size]):
            end = _length_of(value, size, str.isdigit)
            if not value[end : end + 1].isdigit():
                return end
    return 0


def _length_of(value: str, count: int, counts: Callable[[str], bool]) -> int:
    """How far into `value` one must go to have seen `count` characters that count."""
    seen = 0
    for i, c in enumerate(value):
        seen += counts(c)
        if seen == count:
            return i + 1
    return len(value)


# ISO 13616 registry: length of the IBAN by country.
_IBAN_LENGTHS = dict(
    pair.split(":")
    for pair in (
        "AD:24 AE:23 AL:28 AT:20 AZ:28 BA:20 BE:16 BG:22 BH:22 BR:29 BY:28 CH:21 CR:22 CY:28 CZ:24 DE:22 "
        "DK:18 DO:28 EE:20 EG:29 ES:24 FI:18 FO:18 FR:27 GB:22 GE:22 GI:23 GL:18 GR:27 GT:28 HR:21 HU:28 "
        "IE:22 IL:23 IQ:23 IS:26 IT:27 JO:30 KW:30 KZ:20 LB:28 LC:32 LI:21 LT:20 LU:20 LV:21 LY:25 MC:27 "
        "MD:24 ME:22 MK:19 MR:27 MT:31 MU:30 NL:18 NO:15 PK:24 PL:28 PS:29 PT:25 QA:29 RO:24 RS:22 SA:24 "
        "SC:31 SE:24 SI:19 SK:24 SM:27 ST:25 SV:28 TL:23 TN:24 TR:26 UA:29 VA:22 VG:24 XK:20"
    ).split()
)


def iban(value: str) -> int:
    """ISO 13616: the length of the country, then ISO 7064 mod 97-10."""
    compact = "".join(c for c in value if c.isalnum()).upper()
    size = int(_IBAN_LENGTHS.get(compact[:2], 0))
    if not size or len(compact) < size:
        return 0
    number = compact[4:size] + compact[:4]
    if int("".join(str(int(c, 36)) for c in number)) % 97 != 1:
        return 0
    return _length_of(value, size, str.isalnum)


def ipv6(value: str) -> int:
    """RFC 4291 text form that names a host: not `::`, not the loopback, not a time of day."""
    try:
        address = ipaddress.IPv6Address(value)
    except ValueError:
        return 0
    groups = [g for g in value.split(":") if g]
    # `a[1::2]` is a slice, `dead::` hardly a host
    named = len(groups) > 2 or (any(c.isdigit() for c in value) and any(len(g) > 2 for g in groups))
    return len(value) if named and not address.is_loopback and not address.is_unspecified else 0


def ipv4(value: str) -> int:
    """An address of a host: not loopback, unspecified, broadcast or a net mask."""
    address = ipaddress.IPv4Address(value)
    dull = address.is_loopback or address.is_unspecified or value.startswith("255.")
    return 0 if dull else len(value)


def ssn(value: str) -> bool:
    """Never issued by the US Social Security Administration: area 000, 666 and 9xx, group 00, serial 0000."""
    n = digits(value)
    return len(n) == 9 and n[:3] not in ("000", "666") and n[0] != "9" and n[3:5] != "00" and n[5:] != "0000"


def npi(n: str) -> bool:
    """US National Provider Identifier: Luhn with the issuer prefix 80840 (45 CFR 162.406)."""
    return len(n) == 10 and n[0] in "12" and luhn("80840" + n)


def medicare_au(n: str) -> bool:
    """Australian Medicare card: ninth digit is the weighted sum of the first eight mod 10."""
    weights = (1, 3, 7, 9, 1, 3, 7, 9)
    return (
        len(n) in (10, 11)
        and n[0] in "23456"
        and sum(w * int(c) for w, c in zip(weights, n, strict=False)) % 10 == int(n[8])
    )


def rvnr(value: str) -> bool:
    """German pension insurance number (VKVV section 4): check digit over the number with its letter as two digits."""
    v = value.replace(" ", "").upper()
    letter = ord(v[8]) - 64
    n = [int(c) for c in v[:8] + f"{letter:02d}" + v[9:11]]
    total = sum(sum(divmod(d * w, 10)) for d, w in zip(n, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True))
    return total % 10 == int(v[11])


def vin(value: str) -> bool:
    """ISO 3779 with the check digit of 49 CFR 565 at place nine."""
    if sum(c.isdigit() for c in value) < 4:
        return False
    table = dict(
        zip(
            "ABCDEFGHJKLMNPRSTUVWXYZ0123456789",
            [*range(1, 9), 1, 2, 3, 4, 5, 7, 9, *range(2, 10), *range(10)],
            strict=True,
        )
    )
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    rest = sum(table[c] * w for c, w in zip(value.upper(), weights, strict=True)) % 11
    return value[8].upper() == ("X" if rest == 10 else str(rest))


def routing_us(n: str) -> bool:
    """ABA routing number: 3 7 1 weights, mod 10."""
    return len(n) == 9 and sum(int(c) * (3, 7, 1)[i % 3] for i, c in enumerate(n)) % 10 == 0 and n[:2] != "00"


def nric(value: str) -> bool:
    """Singapore NRIC and FIN: weights 2 7 6 5 4 3 2, an offset by series, a table of letters."""
    weights = zip(value[1:8], (2, 7, 6, 5, 4, 3, 2), strict=True)
    rest = (sum(int(c) * w for c, w in weights) + {"T": 4, "G": 4, "M": 3}.get(value[0], 0)) % 11
    table = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "M": "XWUTRQPNJLK"}.get(value[0], "XWUTRQPNMLK")
    return value[8] == table[rest]


def hkid(value: str) -> bool:
    """Hong Kong identity card: letters as 10 to 35, a blank as 36, weights 9 to 2, modulo 11 with `A` for 10."""
    body, check = value[:-3].rjust(8), value[-2]
    numbers = [36 if c == " " else int(c, 36) for c in body]
    total = sum(n * w for n, w in zip(numbers, range(9, 1, -1), strict=True)) + int(check, 16)
    return total % 11 == 0


def my_number(value: str) -> bool:
    """Japanese Individual Number (Ordinance of the Ministry of Internal Affairs 85 of 2014, article 5)."""
    n = digits(value)
    rest = sum(int(c) * (i + 1 if i <= 6 else i - 5) for i, c in enumerate(reversed(n[:11]), start=1)) % 11
    return len(n) == 12 and not_repeated(n) and int(n[11]) == (0 if rest <= 1 else 11 - rest)


def entropy(value: str) -> float:
    """Shannon entropy in bits per character."""
    return -sum(c / len(value) * math.log2(c / len(value)) for c in Counter(value).values())
