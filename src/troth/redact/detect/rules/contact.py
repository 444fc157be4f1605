"""Rules for e-mail, telephone, web and network addresses, devices, places."""

# ruff: noqa: E501  a pattern is read as one line
from __future__ import annotations

from troth.redact.detect import checks, phones
from troth.redact.detect.rule import LETTER, NUMBER, Rule, whole

_PHONE_WORDS = (
    r"phones?|tel|tél|telephone|téléphone|telefon(?:nummer)?|teléfono|telefono|tlf|mobile?|mobil|handy|cell(?:ulare|phone)?|"
    r"móvil|portable|fax|call(?:ing|ed)?|ring|dial|text(?:ed)?|sms|whatsapp|contact|contacto|reach|answering|rufen?|ruf|appelez|"
    r"llama(?:r|me)?|chiama(?:re|mi)?|hotline|helpline|landline|(?:the|my|our|his|her|their|your) number is|phone ?no|phone ?number"
)
_NOT_PHONE = (
    r"orders?|order ?id|order ?no|tracking|invoice|ticket|ref(?:erence)?|sku|serial|version|build|isbn|issn|commit|"
    r"amount|total|price|qty|quantity|id|siret|siren|sort ?code|fix|gps|port|pid|card|iban|account|acct|usd|eur"
)
_EXTENSION = r"(?:,? ?(?:x|ext\.?|extension|Durchwahl|poste) ?\d{1,6})?"

_HOST = rf"(?:[{LETTER}0-9](?:[{LETTER}0-9\-]{{0,62}})\.)+[{LETTER}]{{2,24}}"
# Degrees, minutes and seconds with any of their signs (ISO 6709 Annex D), the quarter last.
_PART = r"\d{1,2}(?:[.,]\d{1,8})?"
_DMS = rf"\d{{1,3}} ?(?:\xb0|\xba|deg\.?) ?{_PART} ?(?:'|\x60|\xb4|m(?:in)?\.?)(?: ?{_PART} ?(?:''|\"|\xb4\xb4|s(?:ec)?\.?))?"

RULES: tuple[Rule, ...] = (
    Rule(
        kind="email",
        family="sign",
        pattern=rf"[{LETTER}0-9_][{LETTER}0-9._%+'\-]{{0,63}}@{_HOST}",
        score=0.98,
        gate="@",
        back=64,
        left=r"(?<![A-Za-z0-9_%+\-])",
        right=rf"(?![{LETTER}0-9])",
    ),
    Rule(  # quoted local part, or an address in place of the host (RFC 5321 section 4.1.2)
        kind="email",
        family="sign",
        pattern=rf"\"[^\"\r\n\\@]{{1,64}}(?:@[^\"\r\n\\@]{{0,64}})?\"@{_HOST}|[{LETTER}0-9_][{LETTER}0-9._%+'\-]{{0,63}}@\[[0-9A-Fa-f:.]{{3,45}}\]",
        score=0.98,
        gate=r"\"@|@\[",
        back=132,
        left="",
        right="",
    ),
    Rule(  # obfuscated: name [at] host [dot] org
        kind="email",
        family="sign",
        pattern=r"(?i)[a-z0-9][a-z0-9._%+\-]{0,63} ?[\[({<] ?at ?[\])}>] ?[a-z0-9\-]{1,63}"
        r"(?: ?(?:\.|[\[({<] ?dot ?[\])}>]) ?[a-z0-9\-]{1,63}){1,4}",
        score=0.9,
        gate=r"(?i)[\[({<] ?at ?[\])}>]",
        back=66,
    ),
    Rule(
        kind="url",
        family="sign",
        pattern=r"(?i)(?:https?|ftp|wss?)://[^\s<>\"'`{}|\\^\[\]\x7f\xad]{2,}",
        gate="://",
        back=5,
        score=0.6,
        check=lambda v: len(v.rstrip(".,;:!?)'*_")),
        right="",
    ),
    Rule(
        kind="url",
        family="sign",
        pattern=r"(?i)www\.[a-z0-9\-]{1,63}(?:\.[a-z0-9\-]{1,63}){1,4}(?:/[^\s<>\"'`{}|\\^\[\]\x7f\xad]{0,300})?",
        gate=r"(?i)www\.",
        score=0.6,
        check=lambda v: len(v.rstrip(".,;:!?)'*_")),
        right="",
    ),
    Rule(
        kind="phone",
        pattern=rf"((?:\(\+[1-9]\d{{0,2}}\) ?|(?:\+|\b00)[1-9]\d{{0,2}}[ .\-/]?)(?:\(\d{{1,5}}\)[ .\-/]?)?\d(?:[ .\-/()]{{0,2}}\d){{5,13}}{_EXTENSION})",
        score=0.9,
        gate=NUMBER,
        check=phones.international_phone,
        against=_NOT_PHONE,
        left=r"(?<![A-Za-z0-9+#])(?<![A-Za-z]-)",
    ),
    Rule(  # North American numbering plan: 3-3-4 with separators; example numbers break the plan, so only the shape counts
        kind="phone",
        pattern=rf"(?:(?:\+?1|001)[ .\-]?)?(?:\(\d{{3}}\) ?|\d{{3}}[ .\-])\d{{3}}[ .\-]\d{{4}}{_EXTENSION}",
        score=0.7,
        gate=NUMBER,
        check=whole(checks.not_repeated),
        context=_PHONE_WORDS,
        against=rf"{_NOT_PHONE}|nhs|tax|abn|tfn|medicare",
        left=r"(?<![A-Za-z0-9\-+])(?<!\d[. ])",
        right=r"(?![A-Za-z0-9])(?![.\-]\d)",
    ),
    Rule(  # national with trunk prefix 0 and separators
        kind="phone",
        pattern=rf"\(?0\d{{1,5}}\)?(?:[ .\-/]{{1,2}}\d{{2,8}}){{1,5}}{_EXTENSION}",
        score=0.65,
        gate=NUMBER,
        check=phones.national_phone,
        context=_PHONE_WORDS,
        against=_NOT_PHONE,
        left=r"(?<![A-Za-z0-9.\-+#/])(?<!\d[, ])(?<![A-Z][A-Z] )(?<![A-Z][A-Z]  )",
        right=r"(?![A-Za-z0-9])(?![.\-/]\d)(?!,\d{3}\b)",
    ),
    Rule(  # the same written in one run
        kind="phone",
        pattern=r"0[1-9]\d{8,10}",
        score=0.5,
        gate=NUMBER,
        check=phones.national_phone,
        context=_PHONE_WORDS,
        against=_NOT_PHONE,
        left=r"(?<![A-Za-z0-9.\-+#/_=])(?<!\d,)",
        right=r"(?![A-Za-z0-9_])(?![.\-/]\d)(?!,\d{3}\b)",
    ),
    Rule(  # area code in brackets, of any plan
        kind="phone",
        pattern=rf"\(\d{{2,4}}\) ?\d{{2,4}}[ \-]\d{{2,4}}(?:[ \-]\d{{2,4}})?{_EXTENSION}",
        score=0.55,
        gate=NUMBER,
        context=_PHONE_WORDS,
        left=r"(?<![A-Za-z0-9.])",
        right=r"(?![A-Za-z0-9])(?![.\-]\d)",
    ),
    Rule(  # Spanish: nine digits without prefix, in groups
        kind="phone",
        pattern=r"[6-9]\d(?:\d \d{3} \d{3}|\d \d\d \d\d \d\d| \d{3} \d\d \d\d)",
        score=0.6,
        gate=NUMBER,
        check=phones.spanish_phone,
        context=_PHONE_WORDS,
        against=_NOT_PHONE,
        left=r"(?<![A-Za-z0-9.\-+#/])(?<!\d[, ])",
        right=r"(?![A-Za-z0-9])(?![.\-/]\d)(?! \d)(?!,\d{3}\b)",
    ),
    Rule(  # anything number-like right after a word for a telephone
        kind="phone",
        pattern=rf"[+(]?\d[\d()]*(?:[ .\-/()]{{1,2}}\d{{1,9}}){{0,6}}{_EXTENSION}",
        score=0.15,
        check=phones.some_phone,
        context=_PHONE_WORDS,
        against=_NOT_PHONE,
        left=r"(?<![A-Za-z0-9.,#+$])(?<!\d:)(?<![A-Za-z]-)",
        right=r"(?![A-Za-z0-9%])(?![.,\-/:]\d)",
    ),
    Rule(
        kind="ipv4",
        pattern=r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)",
        score=0.8,
        gate=r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d",
        check=checks.ipv4,
        context="ip|host|addr|address|from|client|server|peer",
        against=r"ver|version|release|firmware|build|section|chapter|oid|upgrade to|libs?|curl|wget|chrome|chromium|safari|firefox|mozilla|edg|"
        r"opera|okhttp|python-requests|agent",
        left=r"(?<![A-Za-z0-9.\-])(?<![~=<>!^]=)(?<!\^)",
        right=r"(?![A-Za-z0-9_\-])(?!\.\d)",
    ),
    Rule(
        kind="ipv6",
        family="token",
        pattern=r"(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?",
        score=0.85,
        gate=r"(?:[0-9A-Fa-f]{0,4}:){2}",
        check=checks.ipv6,
        left=r"(?<![A-Za-z0-9:.])",
        right=r"(?![A-Za-z0-9:])",
    ),
    Rule(
        kind="mac",
        family="token",
        pattern=r"[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5})",
        score=0.9,
        gate=r"[0-9A-Fa-f]{2}[:\-][0-9A-Fa-f]{2}[:\-][0-9A-Fa-f]{2}[:\-]",
        left=r"(?<![A-Za-z0-9:\-])",
        right=r"(?![A-Za-z0-9:\-])",
    ),
    Rule(
        kind="imei",
        pattern=r"\d{2}[ \-]?\d{6}[ \-]?\d{6}[ \-]?\d",
        score=0.3,
        check=checks.checked_digits(checks.luhn),
        context="imei|device|handset|meid",
    ),
    Rule(
        kind="coordinates",
        pattern=r"[+\-]?\d{1,2}\.\d{4,15}\xb0? ?[NS]?[,; ] ?[+\-]?1?\d{1,2}\.\d{4,15}\xb0?(?: ?[EW])?",
        score=0.7,
        gate=r"[+\-]?\d{1,2}\.\d{4}",
        check=whole(lambda v: abs(float(v.replace(";", ",").split(",")[0].split(" ")[0].rstrip("\xb0NS"))) <= 90),
        left=r"(?<![A-Za-z0-9.\-+])(?<!\d, )(?<!\d,)",
        right=r"(?![A-Za-z0-9])(?!\.\d)",
    ),
    Rule(
        kind="coordinates",
        pattern=rf"{_DMS} ?[NS][,;/ ]{{0,3}}(?:{_DMS} ?[EWO])?|[NS] ?{_DMS}[,;/ ]{{0,3}}(?:[EWO] ?{_DMS})?|{_DMS} ?[EWO]|[EWO] ?{_DMS}",
        score=0.8,
        gate=r"(?:[NSEWO] ?)?\d{1,3} ?(?:\xb0|\xba|deg\.?) ?\d",
        check=lambda v: len(v.rstrip(",;/ ")),
        left=r"(?<![A-Za-z0-9.])",
        right=r"(?![A-Za-z0-9])",
    ),
    Rule(  # decimal degrees with their quarter: 52.5200 N
        kind="coordinates",
        pattern=r"[1-9]?\d\.\d{3,15} ?(?:\xb0|\xba|deg\.?)? ?[NS][,;/ ]{1,3}1?\d{1,2}\.\d{3,15} ?(?:\xb0|\xba|deg\.?)? ?[EWO]"
        r"|[NS] ?[1-9]?\d\.\d{3,15}\xb0?[,;/ ]{1,3}[EWO] ?1?\d{1,2}\.\d{3,15}\xb0?",
        score=0.8,
        gate=r"\d{1,2}\.\d{3,15} ?(?:\xb0|\xba|deg\.?)? ?[NS]|[NS] ?\d{1,2}\.\d{3}",
        left=r"(?<![A-Za-z0-9.])",
        right=r"(?![A-Za-z0-9])(?!\.\d)",
    ),
    Rule(  # one of the two, beside its name
        kind="coordinates",
        pattern=r"[+\-]?1?\d{1,2}\.\d{2,15}",
        score=0.2,
        context=r"lat|latitude|lon|lng|longitude|breitengrad|l\xe4ngengrad|latitud|longitud|latitudine|longitudine|coordinates?|coords?|gps",
        left=r"(?<![A-Za-z0-9.])",
        right=r"(?![A-Za-z0-9%])(?!\.\d)",
    ),
)
