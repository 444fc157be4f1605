"""Whether a number would pass for a real one: its kind's own check digits hold. A surrogate's never do."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

from troth.redact.detect.rule import Check
from troth.redact.detect.shadow import shadow
from troth.redact.surrogates.draw import signs

# Kinds with check digits, or with numbers that are never issued.
CHECKED = frozenset(
    "us_ssn us_itin uk_nino de_rvnr fr_nir es_dni es_nie it_codice_fiscale ca_sin nl_bsn pl_pesel br_cpf ch_ahv "
    "se_personnummer fi_hetu in_aadhaar uk_utr au_tfn au_abn de_idnr fr_siren fr_siret es_cif it_piva eu_vat us_npi "
    "uk_nhs au_medicare vin payment_card iban us_routing btc_address imei".split()
)
_ALSO = {"us_ssn": ("us_ssn", "us_itin"), "us_itin": ("us_ssn", "us_itin")}  # one range, two registers


@lru_cache(maxsize=64)
def _checks(kind: str) -> tuple[tuple[Any, int, Check], ...]:
    from troth.redact.detect.rules import TABLE  # noqa: PLC0415  the table costs time

    options = re2.Options()
    options.encoding, options.log_errors = re2.Options.Encoding.LATIN1, False
    found = []
    for rule in TABLE:
        if rule.kind in _ALSO.get(kind, (kind,)) and rule.check is not None:
            regex = re2.compile(rule.pattern.encode("latin-1"), options)
            found.append((regex, 1 if regex.groups else 0, rule.check))
    return tuple(found)


def valid(value: str, kind: str) -> bool:
    """Whether a rule of `kind` with a check accepts `value`; never for a kind that has no check digits."""
    if kind not in CHECKED:
        return False
    for data in {shadow(value), shadow(signs(value).upper())}:  # however the same number is written
        for regex, group, check in _checks(kind):
            match = regex.fullmatch(data)
            if match is not None and check(match.group(group).decode("latin-1")) == len(match.group(group)):
                return True
    return False
