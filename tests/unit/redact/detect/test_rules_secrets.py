"""Formats of secrets as their issuers publish them; values are made here, so that no scanner takes them for real."""

from __future__ import annotations

import random
import string

import pytest

from troth.redact.detect import rules_detector

_HEX, _UPPER = "0123456789abcdef", string.ascii_uppercase + string.digits
_ALNUM, _URL = string.ascii_letters + string.digits, string.ascii_letters + string.digits + "_-"


def value(shape: str) -> str:
    """`{h40}`: 40 of hex, `{a..}` letters and digits, `{u..}` URL-safe Base64, `{U..}` capitals, `{d..}` digits."""
    r, alphabets = random.Random(shape), {"h": _HEX, "a": _ALNUM, "u": _URL, "U": _UPPER, "d": string.digits}
    out = ""
    for part in shape.replace("}", "{").split("{"):
        known = part[:1] in alphabets and part[1:].isdigit()
        out += "".join(r.choices(alphabets[part[0]], k=int(part[1:]))) if known else part
    return out


SHAPES = (
    "AKIA{U16} ASIA{U16} ghp_{a36} gho_{a36} ghs_{a36} github_pat_{a22}_{a59} glpat-{u20} xoxb-{d12}-{d13}-{a24} "
    "xapp-1-A{U10}-{d13}-{h64} sk_live_{a24} rk_live_{a24} whsec_{a32} AIza{u35} GOCSPX-{u28} sk-proj-{u48} sk-{a48} "
    "sk-ant-api03-{u93}AA hf_{a34} gsk_{a52} r8_{a37} pplx-{a48} npm_{a36} pypi-AgEIcHlwaS5vcmc{u80} dckr_pat_{u27} "
    "rubygems_{h48} SG.{u22}.{u43} SK{h32} key-{h32} dop_v1_{h64} shpat_{h32} sq0atp-{u22} lin_api_{a40} hvs.{u24} "
    "dapi{h32} PMAK-{h24}-{h34} {d10}:AA{u33} rdme_{h70} xkeysib-{h64}-{a16} doo_v1_{h64} pul-{h40} fo1_{u43} "
    "xai-{a80} ntn_{a46} ATATT3xFfGF0{u180} shippo_live_{h40} EZAK{a54} NRAK-{U27} figd_{u40} sbp_{h40} "
    "tskey-auth-{a11}-{a32} nfp_{a36} glsa_{a32}_{h8} HRKU-{u40} pscale_tkn_{u43} dp.pt.{a43} pat{a14}.{h64} "
    "sl.{u140} CFPAT-{u43} duffel_live_{u43} access-sandbox-{h8}-{h4}-{h4}-{h4}-{h12} pnu_{h36} oy2{h43} "
    "{a14}.atlasv1.{u67} {h32}-us12 M{a23}.{u6}.{u27} phc_{a43} re_{a8}_{a24} v1.0-{h24}-{h146}"
).split()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_published_format_is_a_secret_wherever_it_stands(shape: str) -> None:
    for text in ("the value {} was in the log", 'Client("{}")', "- {}\n"):
        secret = value(shape)
        at = text.index("{}")
        spans = [s for s in rules_detector().detect(text.format(secret)) if s.start <= at and s.end >= at + len(secret)]
        assert [s.end for s in spans] == [at + len(secret)]


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ('- name: API_KEY\n  value: "zx81-quiet-otter"', "zx81-quiet-otter"),
        ("https://a.blob.example.net/c?sv=2022&sig=Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6%3D", "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6%3D"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZDEyMw==", "dXNlcjpwYXNzd29yZDEyMw=="),
        ("session_id=9f8a7c6b5d4e3f2a1b0c", "9f8a7c6b5d4e3f2a1b0c"),
        ("amqps://svc:Qx7kk2!mm@mq.internal:5671/v", "Qx7kk2!mm"),
        ("my pin is 4821, thanks", "4821"),
        ("Your verification code is 482913.", "482913"),
        ("Passcode: 553311", "553311"),
    ],
)
def test_a_value_in_its_place_is_a_secret(text: str, secret: str) -> None:
    spans = [(text[s.start : s.end]) for s in rules_detector().detect(text)]
    assert secret in spans


@pytest.mark.parametrize(
    "text",
    [
        "a build of 5fd7921525c555cc23525c5e718c145ca11d85c2",
        "md5 d41d8cd98f00b204e9800998ecf8427e",
        "trace 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "uuid d14771bf-9cad-45c4-bd3f-a3d100ada4ae",
        "integrity sha512-{u86}==",
        "the key-value store and the sk-learn package, pk_list, secret_santa",
        "SGD 12.50, ACME corp, SKU AC-12345",
    ],
)
def test_hashes_and_words_are_no_secrets(text: str) -> None:
    assert rules_detector().detect(value(text)) == []
