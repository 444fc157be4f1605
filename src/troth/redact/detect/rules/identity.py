"""Rules for numbers of people and businesses, by country; check digits by python-stdnum where it has them."""

# ruff: noqa: E501  a pattern is read as one line
from __future__ import annotations

from stdnum.gb import nhs

from troth.redact.detect import checks
from troth.redact.detect.checks import checked_digits, stdnum
from troth.redact.detect.rule import NUMBER, Rule, whole
from troth.redact.detect.rules import world

_NO_DASH = r"(?<![A-Za-z0-9.,\-+#_])"
_END = r"(?![A-Za-z0-9])(?![.,\-/]\d)"
_NUMBERING = r"(?: ?(?:id|no|nr|num|number|nummer|numéro|número|numero|card|karte|#)\.?)*"

_US_UK_AU: tuple[Rule, ...] = (
    Rule(
        kind="us_ssn", gate=NUMBER, pattern=r"\d{3}-\d{2}-\d{4}", score=0.8, check=whole(checks.ssn), left=_NO_DASH, right=_END,
        context="ssn|social security", against="order|tracking|sku|ticket",
    ),
    Rule(
        kind="us_ssn", pattern=r"\d{3} \d{2} \d{4}|\d{9}", score=0.2, check=whole(checks.ssn), left=_NO_DASH, right=_END,
        context=rf"ssn|social(?: security)?{_NUMBERING}|national id{_NUMBERING}|tax payer|taxpayer",
    ),
    Rule(
        kind="us_itin", pattern=r"9\d{2}-\d{2}-\d{4}|9\d{2} \d{2} \d{4}|9\d{8}", score=0.3, check=stdnum("us.itin", "us.atin"),
        context=r"itin|tin|taxpayer|tax id|ssn|social security", left=_NO_DASH, right=_END,
    ),
    Rule(
        kind="us_itin", gate=NUMBER, pattern=r"9\d{2}-(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])-\d{4}", score=0.7, left=_NO_DASH, right=_END,
    ),
    Rule(
        kind="us_ein", pattern=r"\d{2}-\d{7}", score=0.35, check=stdnum("us.ein"), left=_NO_DASH, right=_END,
        context=rf"ein|fein|employer identification{_NUMBERING}|federal tax{_NUMBERING}|tax id{_NUMBERING}",
    ),
    Rule(kind="us_npi", pattern=r"\d{10}", score=0.35, check=checked_digits(checks.npi), context=r"npi|national provider"),
    Rule(
        kind="us_mbi", score=0.35, context=r"mbi|medicare|beneficiary", left=_NO_DASH,
        pattern=r"[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y]{2}\d{2}",
    ),
    Rule(
        kind="uk_nino", family="token", score=0.75, left=_NO_DASH, context=r"nino|national insurance|ni|insurance", against="sku|order|tracking",
        pattern=r"(?:[A-CEGHJ-PR-TW-Za-ceghj-pr-tw-z][A-CEGHJ-NPR-TW-Za-ceghj-npr-tw-z]|QQ)[ \-]?\d{2}[ \-]?\d{2}[ \-]?\d{2}[ \-]?[A-Da-d]",
        check=whole(lambda v: v[:2].upper() not in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ")),
    ),
    Rule(
        kind="uk_nhs", pattern=r"\d{3}[ \t.\-/]{0,3}\d{3}[ \t.\-/]{0,3}\d{4}", score=0.45, check=checked_digits(nhs.is_valid), left=_NO_DASH, right=_END,
        context=rf"nhs{_NUMBERING}|health service|patient{_NUMBERING}|hospital",
    ),
    Rule(kind="uk_utr", pattern=r"\d{5} ?\d{5}K?", score=0.35, check=stdnum("gb.utr"), context=rf"utr{_NUMBERING}|taxpayer reference"),
    Rule(
        kind="au_tfn", pattern=r"\d{3}[ \-]?\d{3}[ \-]?\d{2,3}", score=0.35, check=stdnum("au.tfn"), left=_NO_DASH, right=_END,
        context=rf"tfn{_NUMBERING}|tax file{_NUMBERING}|tax",
    ),
    Rule(
        kind="au_abn", pattern=r"\d{2} ?\d{3} ?\d{3} ?\d{3}", score=0.3, check=stdnum("au.abn"), left=_NO_DASH, right=_END,
        context=rf"abn{_NUMBERING}|business{_NUMBERING}|acn",
    ),
    Rule(
        kind="au_medicare", pattern=r"[2-6]\d{3}[ \-]?\d{5}[ \-]?\d(?:[ /\-]?[1-9])?", score=0.35, left=_NO_DASH, right=_END,
        check=checked_digits(checks.medicare_au), context=rf"medicare{_NUMBERING}|irn|health",
    ),
)  # fmt: skip

_EUROPE: tuple[Rule, ...] = (
    Rule(
        kind="de_idnr", pattern=r"[1-9]\d(?: ?\d{3}){3}", score=0.35, check=stdnum("de.idnr"), left=_NO_DASH, right=_END,
        context=r"idnr|steuer-?id(?:nr)?|steuer(?:liche)?[ \-]?(?:identifikations(?:nummer|nr)?|id|nr|nummer)|identifikationsnummer|"
        r"tax id|tin|steuer\w*",
    ),
    Rule(
        kind="de_stnr", pattern=r"\d{2,3}/\d{3}/\d{4,5}|\d{13}", score=0.35, check=stdnum("de.stnr"), left=_NO_DASH,
        context=r"steuernummer|steuer-?nr|st\.?-?nr|stnr|finanzamt",
    ),
    Rule(
        kind="de_rvnr", gate=NUMBER, score=0.5, left=_NO_DASH, check=whole(checks.rvnr),
        pattern=r"\d{2} ?(?:0[1-9]|[12]\d|3[01]|[5-8]\d)(?:0[1-9]|1[0-2])\d{2} ?[A-Za-z] ?\d{3}",
        context=r"rvnr|rentenversicherung\w*|sozialversicherung\w*|versicherungsnummer|sv-?n(?:umme)?r",
    ),
    Rule(
        kind="de_ausweis", score=0.2, check=whole(lambda v: any(c.isdigit() for c in v)), pattern=r"[CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ]{8}\d?",
        context=r"(?:personal|reise|bundespersonal)?ausweis(?:nummer|nr|-nr|es)?|perso|identity card|reisep(?:ass|\xe4sse)(?:es|nummer|nr|-nr)?",
    ),
    Rule(
        kind="fr_nir", gate=NUMBER, score=0.85, check=stdnum("fr.nir"), left=_NO_DASH, right=_END,
        pattern=r"[1-478][ .]?\d{2}[ .]?(?:0[1-9]|[1-9]\d)[ .]?(?:\d{2}|2[ABab])[ .]?\d{3}[ .]?\d{3}[ .]?\d{2}",
        context=r"nir|sécurité sociale|secu|insee|numéro de sécu\w*",
    ),
    Rule(
        kind="fr_siret", pattern=r"\d{3} ?\d{3} ?\d{3} ?\d{5}", score=0.45, check=stdnum("fr.siret"), left=_NO_DASH,
        context=r"siret", right=_END,
    ),
    Rule(
        kind="fr_siren", pattern=r"\d{3} ?\d{3} ?\d{3}", score=0.35, check=stdnum("fr.siren"), left=_NO_DASH,
        context=r"siren|rcs", right=_END,
    ),
    Rule(
        kind="es_dni", gate=NUMBER, pattern=r"\d{8}[ \-]?[A-HJ-NP-TV-Za-hj-np-tv-z]|\d{2}\.\d{3}\.\d{3}[ \-]?[A-HJ-NP-TV-Z]", score=0.75, left=_NO_DASH,
        check=stdnum("es.dni"), context=r"dni|nif|documento|identidad",
    ),
    Rule(
        kind="es_nie", family="token", pattern=r"[XYZxyz][ \-]?\d{7}[ \-]?[A-Za-z]", score=0.8, check=stdnum("es.nie"), left=_NO_DASH, context="nie",
    ),
    Rule(
        kind="es_cif", pattern=r"[ABCDEFGHJNPQRSUVW][ \-]?\d{7}[ \-]?[0-9A-J]", score=0.35, check=stdnum("es.cif"), left=_NO_DASH,
        context=r"cif|nif|empresa|sociedad|s\.l|s\.a",
    ),
    Rule(
        kind="it_codice_fiscale", family="token", score=0.9, check=stdnum("it.codicefiscale"), context=r"codice fiscale|cf|c\.f",
        pattern=r"(?i)[a-z]{3} ?[a-z]{3} ?[0-9lmnpqrstuv]{2}[abcdehlmprst][0-9lmnpqrstuv]{2} ?[a-z][0-9lmnpqrstuv]{3}[a-z]",
    ),
    Rule(
        kind="it_piva", pattern=r"(?:IT ?)?\d{11}", score=0.35, check=stdnum("it.iva"), left=_NO_DASH, right=_END,
        context=r"p\.? ?iva|partita iva|partita|iva|vat",
    ),
    Rule(
        kind="eu_vat", score=0.45, left=_NO_DASH, check=stdnum("eu.vat"),
        pattern=r"(?:AT ?U|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK) ?[0-9A-Z][0-9A-Z. ]{6,14}[0-9A-Z]",
        context=r"vat(?: ?(?:id|no|number|reg))?|ust-?id(?:nr)?|umsatzsteuer\w*|tva|iva|btw|mwst|mehrwertsteuer",
    ),
    Rule(kind="nl_bsn", pattern=r"\d{8,9}", score=0.35, check=stdnum("nl.bsn"), context=r"bsn|burgerservicenummer|sofi"),
    Rule(kind="pl_pesel", pattern=r"\d{11}", score=0.35, check=stdnum("pl.pesel"), context="pesel"),
    Rule(kind="ch_ahv", gate=NUMBER, pattern=r"756\.\d{4}\.\d{4}\.\d{2}|756\d{10}", score=0.8, check=stdnum("ch.ssn"), context="ahv|avs"),
    Rule(
        kind="se_personnummer", gate=NUMBER, pattern=r"(?:19|20)?\d{6}[\-+]\d{4}", score=0.6, check=stdnum("se.personnummer"), left=_NO_DASH,
        right=_END, context="personnummer|pnr",
    ),
    Rule(kind="fi_hetu", gate=NUMBER, pattern=r"\d{6}[\-+A-FU-Y]\d{3}[0-9A-Y]", score=0.75, check=stdnum("fi.hetu"), left=_NO_DASH),
)  # fmt: skip


_WORLD: tuple[Rule, ...] = (
    Rule(kind="br_cpf", gate=NUMBER, pattern=r"\d{3}\.\d{3}\.\d{3}-\d{2}", score=0.85, check=stdnum("br.cpf"), left=_NO_DASH, right=_END),
    Rule(
        kind="ca_sin", pattern=r"\d{3}[ \-]?\d{3}[ \-]?\d{3}", score=0.35, check=stdnum("ca.sin"), left=_NO_DASH, right=_END,
        context=r"sin|social insurance",
    ),
    Rule(kind="in_pan", family="token", pattern=r"[A-Z]{3}[ABCFGHLJPTK][A-Z]\d{4}[A-Z]", score=0.55, check=stdnum("in_.pan"), context="pan"),
    Rule(
        kind="in_aadhaar", pattern=r"[2-9]\d{3}[ \-]?\d{4}[ \-]?\d{4}", score=0.3, check=stdnum("in_.aadhaar"), left=_NO_DASH,
        right=_END, context=r"aadh?aa?r|uid(?:ai)?",
    ),
)  # fmt: skip

RULES: tuple[Rule, ...] = _US_UK_AU + _EUROPE + _WORLD + world.RULES
