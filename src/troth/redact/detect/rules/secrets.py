"""Rules for secrets: the published formats of vendors first, then values beside a key that says what they are."""

# ruff: noqa: E501  a pattern is read as one line
from __future__ import annotations

import re

from troth.redact.detect.checks import entropy
from troth.redact.detect.rule import Rule, whole

_NEXT_PARAMETER = re.compile(r"&[A-Za-z_][A-Za-z0-9_.]*=")
_DIGIT, _LETTER = re.compile("[0-9]"), re.compile("[A-Za-z]")
_EDGE_LEFT = r"(?<![A-Za-z0-9_])"
_EDGE_RIGHT = r"(?![A-Za-z0-9_])"

# A value that is no secret: a placeholder, a reference, a type or a call.
_DULL = frozenset(
    "true false none null undefined string password passwd secret changeme example test xxx xxxx xxxxx xxxxxx required optional "
    "hidden redacted masked empty unset default value your here str bytes int bool field input prompt token key reset only expected auth user username not invalid incorrect missing wrong correct self args kwargs config data "
    "supported protected based authentication manager policy policies field fields change changed expired forgotten the a an it and or for".split()
)


def _is_secret(value: str) -> bool:
    """Something that a person or a machine chose, not a stand-in or a name of one."""
    v = value.strip("\"'`")
    if len(v) < 4 or v.lower() in _DULL or len(set(v)) < 3:
        return False
    return not v.startswith(("${", "{{", "<", "%(", "$(", "os.", "process.", "self.", "...", "***", "env."))


def _is_random(value: str) -> bool:
    """Looks drawn at random: mixed signs and at least 3 bits of entropy per character (hex: 2.5)."""
    mixed = _DIGIT.search(value) and _LETTER.search(value)
    return bool(mixed) and _is_secret(value) and entropy(value) >= 2.5


def _parameter(value: str) -> int:
    """A bare value, cut where the next parameter of a query begins."""
    kept = _NEXT_PARAMETER.split(value, maxsplit=1)[0].rstrip(".,:")
    return len(kept) if _is_secret(kept) else 0


def _token(kind: str, gate: str, pattern: str, back: int = 0) -> Rule:
    return Rule(kind=kind, gate=gate, pattern=pattern, score=0.97, left=_EDGE_LEFT, right=_EDGE_RIGHT, back=back)


_FORMATS: tuple[Rule, ...] = (
    _token("aws_key", "A[A-Z]{2}A[A-Z0-9]{4}", r"(?:(?:AKIA|ASIA)[A-Z0-9]{16}|(?:AROA|AIDA|AGPA|ANPA|ABIA|ACCA)[A-Z2-7]{16})"),
    _token("github_token", "gh[pousr]_|github_pat_", r"(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{22,255}"),
    _token("gitlab_token", "gl[a-z]{2,4}-", r"(?:glpat|gldt|glrt|glptt|glsoat|glcbt)-[A-Za-z0-9_\-]{20,64}"),
    _token("slack_token", "xox[abposre]-|xapp-", r"xox[abposre]-[A-Za-z0-9\-]{10,250}|xapp-\d-[A-Za-z0-9\-]{10,250}"),
    Rule(kind="slack_token", gate="https://hooks", pattern=r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_\-]{20,120}", score=0.97),
    _token("stripe_key", "[srp]k_(?:live|test)_|whsec_", r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,250}|whsec_[A-Za-z0-9+/=]{24,250}"),
    _token("google_key", r"AIza|ya29\.|GOCSPX-", r"AIza[0-9A-Za-z_\-]{30,40}|ya29\.[0-9A-Za-z_\-]{20,500}|GOCSPX-[0-9A-Za-z_\-]{20,40}"),
    _token("llm_key", "sk-", r"sk-(?:proj|svcacct|admin|ant-api\d\d|ant-admin\d\d|or-v1|None)-[A-Za-z0-9_\-]{16,250}|sk-[A-Za-z0-9]{32,64}"),
    _token("llm_key", "hf_|gsk_|r8_|pplx-", r"hf_[A-Za-z0-9]{30,40}|gsk_[A-Za-z0-9]{40,60}|r8_[A-Za-z0-9]{30,40}|pplx-[A-Za-z0-9]{40,60}"),
    _token("registry_token", "npm_|pypi-|dckr_pat_|rubygems_", r"npm_[A-Za-z0-9]{30,40}|pypi-[A-Za-z0-9_\-]{32,250}|dckr_pat_[A-Za-z0-9_\-]{20,40}|rubygems_[a-f0-9]{40,60}"),
    _token(
        "vendor_token",
        r"SG\.|SK[0-9a-f]{4}|AC[0-9a-f]{4}|key-[0-9a-f]{4}|dop_v1_|shp[acs][ats]_|sq0|lin_api_|glc_|hvs\.|dapi[a-f0-9]{4}|PMAK-|sntrys_|"
        r"(?i:age-secret-key-1)|\d{8,10}:AA",
        r"SG\.[A-Za-z0-9_\-]{16,32}\.[A-Za-z0-9_\-]{30,64}|SK[0-9a-f]{32}|AC[0-9a-f]{32}|key-[0-9a-f]{32}|dop_v1_[a-f0-9]{64}|"
        r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|sq0(?:atp|csp)-[0-9A-Za-z_\-]{22,43}|lin_api_[A-Za-z0-9]{32,48}|glc_[A-Za-z0-9+/=]{32,400}|"
        r"hvs\.[A-Za-z0-9_\-]{20,200}|dapi[a-f0-9]{32}|PMAK-[a-f0-9]{24}-[a-f0-9]{34}|sntrys_[A-Za-z0-9+/=_]{40,400}|age-secret-key-1[a-z0-9]{58}|"
        r"AGE-SECRET-KEY-1[A-Z0-9]{58}|\d{8,10}:AA[A-Za-z0-9_\-]{32,34}",
    ),
    _token(  # formats as their issuers document them, most with a prefix of their own
        "vendor_token",
        r"rdme_|xkeysib-|do[or]_v1_|pul-[a-f0-9]{8}|fo1_|fm[12]r?_|xai-|ntn_|AT[AC]TT3|shippo_|ops_eyJ|EZ[AT]K|NRAK-|figd_|sbp_|tskey-|nfp_|glsa_|"
        r"HRKU-|pscale_|dp\.[a-z]{2}\.|pat[A-Za-z0-9]{14}\.|sl\.[A-Za-z0-9]|hv[bs]\.|LTAI|AKCp|CFPAT-|bk[a-z]{2}_|CCIPAT_|duffel_|FLWSECK|access-|aio_|"
        r"pnu_|EAA[A-Z]|oy2|CLOJARS_|ABSK|secret_[A-Za-z0-9]{8}|tfp_|shp[a-z]{2}_|v1\.0-[a-f0-9]{8}|SSWS |phc_|re_[A-Za-z0-9]{8}_",
        r"rdme_[a-z0-9]{70}|xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}|do[or]_v1_[a-f0-9]{64}|pul-[a-f0-9]{40}|(?:fo1|fm1r|fm2)_[A-Za-z0-9_\-+/=]{40,600}|"
        r"xai-[A-Za-z0-9]{70,90}|ntn_[A-Za-z0-9]{40,60}|AT[AC]TT3[A-Za-z0-9_\-=]{60,250}|shippo_(?:live|test)_[a-f0-9]{40}|ops_eyJ[A-Za-z0-9+/_\-]{100,1000}={0,2}|"
        r"EZ[AT]K[A-Za-z0-9]{50,60}|NRAK-[A-Z0-9]{27}|figd_[A-Za-z0-9_\-]{36,60}|sbp_[a-f0-9]{40}|tskey-[a-z]{3,9}-[A-Za-z0-9]{6,24}-[A-Za-z0-9]{16,48}|"
        r"nfp_[A-Za-z0-9]{36,40}|glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}|HRKU-[A-Za-z0-9_\-]{36,64}|pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_\-=.]{32,64}|"
        r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_\-]{2,35}\.)?[A-Za-z0-9]{40,44}|pat[A-Za-z0-9]{14}\.[a-f0-9]{64}|sl\.[A-Za-z0-9_\-=]{130,300}|"
        r"hvb\.[A-Za-z0-9_\-]{20,300}|LTAI[A-Za-z0-9]{12,20}|AKCp[A-Za-z0-9]{69}|CFPAT-[A-Za-z0-9_\-]{43}|bk(?:ua|at|ct)_[a-z0-9]{40}|CCIPAT_[A-Za-z0-9_]{40,80}|"
        r"duffel_(?:live|test)_[A-Za-z0-9_\-=]{43}|FLWSECK(?:_TEST)?-[a-h0-9]{12,32}-X|access-(?:sandbox|development|production)-[0-9a-f\-]{36}|aio_[A-Za-z0-9]{28}|"
        r"pnu_[a-z0-9]{36}|EAA[A-Z][A-Za-z0-9]{60,300}|oy2[a-z0-9]{43}|CLOJARS_[a-z0-9]{60}|ABSK[A-Za-z0-9+/]{100,140}={0,2}|secret_[A-Za-z0-9]{43}|"
        r"tfp_[A-Za-z0-9_\-=.]{59}|v1\.0-[a-f0-9]{24}-[a-f0-9]{146}|SSWS 00[A-Za-z0-9_\-]{40}|phc_[A-Za-z0-9]{43}|re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,40}",
    ),
    _token(  # those whose sign stands within: a gate that counts letters up to it would make a state for each of them
        "vendor_token", r"\.atlasv1\.|-us\d|\.[A-Za-z0-9_\-]{6}\.|\dQ~",
        r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_\-=]{60,70}|[0-9a-f]{32}-us\d{1,2}|[A-Za-z0-9_~.\-]{3}\dQ~[A-Za-z0-9_~.\-]{31,34}|"
        r"[MNO][A-Za-z0-9_\-]{23,25}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,38}",
        back=32,
    ),
    Rule(  # web hooks that are secrets as a whole
        kind="vendor_token", gate="https://(?:discord|[a-z0-9]{1,40}[.]webhook[.]office)", score=0.97, left=_EDGE_LEFT,
        pattern=r"https://(?:discord(?:app)?\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_\-]{60,80}|[a-z0-9]{1,40}\.webhook\.office\.com/webhookb2/[A-Za-z0-9@/\-]{40,250})",
    ),
    Rule(  # the signature of a shared-access URL, and user:password of the Basic scheme (RFC 7617)
        kind="secret_value", gate=r"(?i)[?&]sig=|authorization: ?basic ", score=0.95, left="", right="",
        pattern=r"(?i)(?:[?&]sig=|authorization: ?basic )([A-Za-z0-9%+/=]{12,400})",
    ),
    _token("jwt", "eyJ", r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)?"),
    Rule(
        kind="private_key", score=0.99, left="", right="", gate="-----BEGIN ",
        pattern=r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----[^-]*(?:-[^-]+)*?"
        r"-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----",
    ),
    Rule(  # an unfinished key, for example cut by a log: everything that still looks like its body
        kind="private_key", score=0.9, left="", right="", gate="-----BEGIN ",
        pattern=r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\s\\:,]*",
    ),
    Rule(  # the password of user:password@ in a URL of any scheme (RFC 3986 section 3.2.1)
        kind="connection_string", score=0.99, left="", right="", gate=r"://[^\s:/?#@\"'<>]*:[^\s/@\"'<>]", back=32,
        pattern=r"\b[A-Za-z][A-Za-z0-9+.\-]{1,30}://[^\s:/?#@\"'<>]{0,120}:([^\s/@\"'<>]{1,200})@",
    ),
    Rule(
        kind="connection_string", score=0.9, left=_EDGE_LEFT, right="", gate="(?i)(?:DefaultEndpointsProtocol|Server|Data Source|Endpoint)=",
        pattern=r"(?i)(?:DefaultEndpointsProtocol|Server|Data Source|Endpoint)=[^\s\"']{1,200};[^\n\"']{0,200}(?:AccountKey|SharedAccessKey|Password|Pwd)=[^\s;\"']{4,200};?",
    ),
)  # fmt: skip

_KEY = (
    r"(?:[A-Za-z0-9.\-]{0,40}[_.\-]?)(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|api[_\- ]?key|apikey|access[_\- ]?key|private[_\- ]?key|"
    r"auth[_\- ]?key|encryption[_\- ]?key|signing[_\- ]?key|client[_\- ]?secret|session[_\-]?id|credentials?|passwort|kennwort|contrase\xf1a|mot de passe)"
    r"(?:[_.\-](?:access[_\-])?(?:key|id|value|hash|token))?"
)
# Where one of the words stands with a sign or a word behind it that a value can follow; its key may begin 45 before.
_KEY_GATE = (
    r"(?i)(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|(?:api|access|private|auth|encryption|signing)[_\- ]?key|session[_\-]?id|credentials?|passwort|"
    r"kennwort|contrase\xf1a|mot de passe)(?:[_.\-](?:access[_\-])?(?:key|id|value|hash|token))?"
    r"(?:[\"']?(?: ?[=:]| is| lautet| est | es )|[\"']? [\"'`]?[A-Za-z0-9+/=_.~\-]{12})"
)
_CODE = (
    r"pin(?: (?:number|no\.?))?|(?:verification|security|one[ \-]time|access|log-?in|confirmation|authentication|otp|2fa|door|gate|alarm) "
    r"(?:pass)?(?:code|pin)|otp|passcode"
)
# The values have no longest length in their patterns, which would be a state for each character; how far a search
# reaches bounds them.
_BESIDE = (
    Rule(
        kind="password", score=0.9, left="", right="", check=whole(_is_secret), gate=_KEY_GATE, back=45,
        pattern=rf"(?i)\b(?:{_KEY})[\"']?(?: ?(?:=>?|:=?) ?)(?:Bearer |Basic )?[\"'`]([^\s\"'`]{{4,}})",
    ),
    Rule(
        kind="password", score=0.85, left="", right=r"(?!\(| ?=[ =])", check=_parameter, gate=_KEY_GATE, back=45,
        pattern=r"(?i)\b(?:[A-Za-z0-9]{1,20}[_.\-])?(?:pass(?:word|wd|phrase|code)|pwd|passwort|kennwort|contrase\xf1a|mot de passe|secret)"
        r"[\"']?(?: ?(?:=>?|:=?) ?| is(?: now)?:? | lautet | est | es )([^\s\"'`,;<>(){}\[\]]{4,})",
    ),
    Rule(
        kind="secret_value", score=0.8, left="", right="", check=whole(_is_random), gate=_KEY_GATE, back=45,
        pattern=rf"(?i)\b(?:{_KEY})[\"']?(?: ?(?:=>?|:=?) ?| is:? | )[\"'`]?([A-Za-z0-9+/=_.~\-]{{12,}})",
    ),
    Rule(  # what is typed at a door or sent to a telephone
        kind="password", score=0.85, left="", right=r"(?![0-9])(?![\-/.][0-9])", gate=rf"(?i)\b(?:{_CODE})[\"']?(?: is| ?[:=]) ?[\"']?[0-9]",
        pattern=rf"(?i)\b(?:{_CODE})[\"']?(?: is|:| ?=) ?[\"']?([0-9]{{4,8}})",
    ),
    Rule(  # an entry of a list of variables: name: API_KEY, then value: ...
        kind="secret_value", score=0.85, left="", right="", check=whole(_is_secret), gate=r"(?i)name[\"']?: ?[\"']?[A-Z0-9_.\-]{0,40}(?:pass|pwd|secret|token|key|credential)",
        pattern=r"(?i)name[\"']?: ?[\"']?[A-Z0-9_.\-]{0,40}(?:password|passwd|passphrase|pwd|secret|token|key|credentials?)[A-Z0-9_]{0,12}[\"']?,?\s{1,40}[\"']?value[\"']?: ?[\"']?([^\s\"']{6,600})",
    ),
    Rule(
        kind="bearer", score=0.9, left="", right="", check=whole(_is_secret), gate="(?i)\\b(?:bearer|authorization: ?(?:basic|token|digest)|x-api-key:) ",
        pattern=r"(?i)\b(?:bearer|authorization: ?(?:basic|token|digest)|x-api-key:) +([A-Za-z0-9+/=_.~\-]{12,})",
    ),
    Rule(
        kind="password", score=0.9, left="", right="", check=whole(_is_secret), gate="--password[= ]|mysql |sshpass -p|curl ",
        pattern=r"(?:--password[= ]|mysql [^\n]{0,80}-p|sshpass -p ?|curl [^\n]{0,200}-u ?[\"']?[A-Za-z0-9._\-]{1,60}:)[\"']?([^\s\"']{4,120})",
    ),
)  # fmt: skip

RULES: tuple[Rule, ...] = _FORMATS + _BESIDE
