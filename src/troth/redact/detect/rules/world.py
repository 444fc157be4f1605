"""Rules for numbers of people in further countries, each with the check digits that its issuer publishes."""

# ruff: noqa: E501  a pattern is read as one line
from __future__ import annotations

from troth.redact.detect import checks
from troth.redact.detect.checks import stdnum
from troth.redact.detect.rule import NUMBER, Rule, whole

_LEFT = r"(?<![A-Za-z0-9.,\-+#_])"
_END = r"(?![A-Za-z0-9])(?![.,\-/]\d)"
_NO = r"(?: ?(?:id|no|nr|num|number|nummer|n\xfamero|\xba|#)\.?)*"


def _behind(kind: str, pattern: str, context: str, *modules: str, score: float = 0.35) -> Rule:
    """Digits alone: a context word must carry them."""
    return Rule(
        kind=kind, pattern=pattern, score=score, check=stdnum(*modules), context=context, left=_LEFT, right=_END
    )


def _shaped(kind: str, pattern: str, context: str, *modules: str, score: float = 0.75, family: str = "number") -> Rule:
    """A shape that is hardly anything else, with its check."""
    gate = NUMBER if family == "number" else ""
    return Rule(
        kind=kind,
        pattern=pattern,
        gate=gate,
        score=score,
        check=stdnum(*modules),
        context=context,
        family=family,
        left=_LEFT,
        right=_END,
    )


RULES: tuple[Rule, ...] = (
    _shaped("be_nn", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", "rijksregister\\w{0,8}|national|nn|insz|niss", "be.nn", score=0.85),
    _behind("be_nn", r"\d{11}", r"rijksregisternummer|registre national|num\xe9ro national|insz|niss", "be.nn"),
    _behind("dk_cpr", r"\d{6}[\- ]?\d{4}", rf"cpr{_NO}|personnummer", "dk.cpr"),
    _behind("no_fnr", r"\d{6} ?\d{5}", r"f\xf8dselsnummer|fnr|personnummer|d-nummer", "no.fodselsnummer"),
    _behind("at_svnr", r"\d{4} ?\d{6}", r"sv-?nr|sozialversicherungsnummer|versicherungsnummer|svnr", "at.vnr"),
    _behind("pt_nif", r"\d{3} ?\d{3} ?\d{3}", rf"nif{_NO}|contribuinte{_NO}|n\xfamero fiscal", "pt.nif"),
    _behind("ie_pps", r"\d{7}[A-Wa-w][A-IWTa-iwt]?", rf"pps(?:n)?{_NO}|personal public service{_NO}", "ie.pps"),
    _behind("gr_amka", r"\d{11}", "amka", "gr.amka"),
    _shaped("cz_rc", r"\d{6}/\d{4}", r"rodn\xe9 \x7f\xedslo|rodne cislo|rodn\xe9 c\xedslo|r\.?\x7f\.?", "cz.rc", score=0.55),
    _behind("hr_oib", r"\d{11}", "oib", "hr.oib"),
    _behind("ro_cnp", r"\d{13}", "cnp|cod numeric personal", "ro.cnp"),
    _behind("bg_egn", r"\d{10}", "egn", "bg.egn"),
    _behind("ee_ik", r"[1-6]\d{10}", "isikukood|asmens kodas|personal code", "ee.ik"),
    _behind("il_id", r"\d{8,9}", r"teudat zehut|israeli id|tz", "il.idnr"),
    _behind("za_id", r"\d{6} ?\d{4} ?\d{3}|\d{13}", rf"rsa id{_NO}|south african id{_NO}|sa id{_NO}|id{_NO}", "za.idnr"),
    _behind("tr_tckn", r"[1-9]\d{10}", r"tckn|t\.?c\.? ?kimlik(?: no)?|kimlik no", "tr.tckimlik"),
    _shaped("cn_ric", r"[1-8]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[0-9Xx]", rf"resident id{_NO}|identity card{_NO}", "cn.ric", score=0.8),
    _shaped("kr_rrn", r"\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])-\d{7}", rf"rrn|resident registration{_NO}", "kr.rrn", score=0.7),
    Rule(
        kind="sg_nric", family="token", pattern=r"[STFGM]\d{7}[A-Z]", score=0.7, check=whole(checks.nric), context=rf"nric{_NO}|fin{_NO}", left=_LEFT, right=_END,
    ),
    _shaped("my_nric", r"\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])-\d{2}-\d{4}", rf"mykad|nric{_NO}|ic{_NO}|kad pengenalan", "my.nric", score=0.6),
    Rule(
        kind="hk_id", family="token", pattern=r"[A-Z]{1,2}\d{6}\([0-9A]\)", score=0.75, check=whole(checks.hkid), context=rf"hkid{_NO}|hong kong id", left=_LEFT, right=r"(?![A-Za-z0-9])",
    ),
    _shaped("th_id", r"[1-8]-\d{4}-\d{5}-\d{2}-\d", "thai id|id", "th.pin", score=0.8),
    _shaped("mx_curp", r"[A-Z][AEIOUX][A-Z]{2}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[HMX][A-Z]{5}[0-9A-Z]\d", "curp", "mx.curp", score=0.85, family="token"),
    Rule(
        kind="mx_rfc", family="word", pattern=r"[A-Z&\xd1]{3,4}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[A-Z0-9]{2}[0-9A]", score=0.35, context="rfc", left=_LEFT, right=_END,
    ),
    _shaped("cl_rut", r"\d{1,2}\.\d{3}\.\d{3}-[\dkK]", "rut|run", "cl.rut", score=0.8),
    _behind("cl_rut", r"\d{7,8}-[\dkK]", "rut|run", "cl.rut"),
    _shaped("ar_cuit", r"(?:20|23|24|27|30|33|34)-\d{8}-\d", "cuit|cuil", "ar.cuit", score=0.8),
    _behind("ar_dni", r"\d{1,2}\.\d{3}\.\d{3}|\d{7,8}", rf"dni{_NO}|documento{_NO}", "ar.dni", score=0.25),
    _shaped("br_cnpj", r"\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}", "cnpj", "br.cnpj", score=0.85),
    _behind("nz_ird", r"\d{2,3}-?\d{3}-?\d{3}", rf"ird{_NO}|inland revenue{_NO}", "nz.ird"),
    Rule(kind="jp_mynumber", pattern=r"\d{4}[ \-]?\d{4}[ \-]?\d{4}", score=0.3, check=whole(checks.my_number), context=r"my ?number|individual number|kojin bango", left=_LEFT, right=_END),
    _behind("imsi", r"\d{14,15}", "imsi", "imsi"),
    Rule(kind="iccid", pattern=r"89\d{17,18}", score=0.4, check=whole(checks.luhn), context=rf"iccid|sim{_NO}|sim card{_NO}", left=_LEFT, right=_END),
    Rule(  # the advertising and installation identifiers of phones are UUIDs (RFC 9562) beside their name
        kind="device_id", pattern=r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}|[0-9a-f]{16}|[0-9A-F]{8}-[0-9A-F]{16}", score=0.2,
        context=r"idfa|idfv|gaid|aaid|adid|advertising[ _]?id|device[ _]?(?:id|uuid|identifier)|android[ _]?id|udid|installation[ _]?id", left=_LEFT, right=_END,
    ),
)  # fmt: skip
