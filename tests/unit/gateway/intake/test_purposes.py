from __future__ import annotations

import json
from typing import Any

import pytest

from troth.gateway.intake import Limits, admit_file
from troth.kernel.errors import TrothError
from unit.gateway.intake import pictures

ASK = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"messages": []}}
TALK = {"messages": [{"role": "user", "content": "Hello"}]}


def lines(*values: Any) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in values)


@pytest.mark.parametrize(
    ("purpose", "content"),
    [
        ("batch", lines(ASK, ASK | {"custom_id": "b", "url": "/v1/embeddings"})),
        ("fine-tune", b"\xef\xbb\xbf" + lines(TALK) + b"\r\n  \n" + lines({"prompt": "a", "completion": "b"})),
        ("fine-tune", lines({"input": TALK, "preferred_output": TALK["messages"],
                             "non_preferred_output": TALK["messages"]})),
        ("evals", lines({"item": {"x": 1}})),
        ("assistants", b'["any", "lines"]\n'),
        ("user_data", b'{"a": 1}\n'),
    ],
)  # fmt: skip
def test_what_fits_its_purpose(purpose: str, content: bytes) -> None:
    assert admit_file("a.jsonl", "application/jsonl", content, purpose=purpose).content == content


@pytest.mark.parametrize(
    ("purpose", "content", "code"),
    [
        ("batch", lines(ASK, ASK), "broken-line"),
        ("batch", lines(ASK | {"url": "/v1/erasures/own"}), "broken-line"),
        ("batch", lines(ASK | {"method": "DELETE"}), "broken-line"),
        ("batch", lines(ASK | {"body": "x"}), "broken-line"),
        ("batch", lines(ASK | {"custom_id": 7}), "broken-line"),
        ("batch", lines(ASK)[:-2] + b', "url": "/v1/files"}\n', "broken-line"),
        ("batch", b"\n\n", "broken-line"),
        ("batch", b"[1]\n", "broken-line"),
        ("fine-tune", lines({"messages": []}), "broken-line"),
        ("fine-tune", lines({"messages": [{"content": "x"}]}), "broken-line"),
        ("fine-tune", lines({"prompt": "a"}), "broken-line"),
        ("fine-tune", lines({"input": TALK, "preferred_output": []}), "broken-line"),
        ("evals", b"1\n", "broken-line"),
        ("evals", b'{"a": NaN}\n', "broken-line"),
        ("evals", b"[" * 1500, "broken-line"),
        ("evals", lines(*[{}] * 6), "too-many-lines"),
        ("evals", b'{"a": "' + b"x" * 3000 + b'"}', "json-too-large"),
        ("vision", lines(TALK), "wrong-for-purpose"),
    ],
)
def test_what_does_not(purpose: str, content: bytes, code: str) -> None:
    with pytest.raises(TrothError) as refusal:
        admit_file("a.jsonl", "", content, Limits(max_lines=5, max_json_bytes=2000), purpose=purpose)
    assert refusal.value.code == code


@pytest.mark.parametrize("purpose", ["batch", "fine-tune", "evals"])
def test_lines_are_asked_for(purpose: str) -> None:
    for name, content in (("a.txt", b"text"), ("a.json", b"{}"), ("a.png", pictures.png())):
        with pytest.raises(TrothError) as refusal:
            admit_file(name, "", content, purpose=purpose)
        assert refusal.value.code == "wrong-for-purpose"


def test_pictures_are_for_vision() -> None:
    assert admit_file("a.png", "", pictures.png(), purpose="vision").media_type == "image/png"
