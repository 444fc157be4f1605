from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from troth.audit.witness_client import Answer, WitnessClient, require_address
from troth.kernel.errors import Invalid, Unavailable
from witness_world import Scripted, answering


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        ("https://w.test", "https://w.test"),
        ("https://w.test:8444/a/b/", "https://w.test:8444/a/b"),
        ("http://127.0.0.1:8444/", "http://127.0.0.1:8444"),
        ("http://[::1]:8444", "http://[::1]:8444"),
        ("http://localhost:1", "http://localhost:1"),
    ],
)
def test_addresses(url: str, prefix: str) -> None:
    assert require_address(url) == prefix


@pytest.mark.parametrize(
    "url",
    [
        "",
        "w.test",
        "http://w.test",
        "http://127.0.0.1.w.test",
        "ftp://127.0.0.1",
        "file:///etc",
        "https://",
        "https://w.test/?a=b",
        "https://w.test/#a",
        "https://me@w.test/",
        "https://w.test:port/",
        "https://[::1",
    ],
)
def test_no_other_addresses(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        require_address(url)
    assert caught.value.code == "witness-url"


def test_all_are_asked_and_answers_keep_their_order() -> None:
    first, second = Scripted(body=b"one"), Scripted(status=409, body=b"7\n", media_type="text/x.tlog.size")
    with answering(first) as one, answering(second) as two:
        answers = WitnessClient(seconds=5).ask([(one, b"a"), (two, b"b"), ("http://127.0.0.1:9", b"c")])
    assert answers == [Answer(200, "text/plain; charset=utf-8", b"one"), Answer(409, "text/x.tlog.size", b"7\n"), None]
    assert (first.asked, second.asked) == ([b"a"], [b"b"])


def test_redirects_are_not_followed() -> None:
    door = Scripted(status=307)
    with answering(door) as url:
        (answer,) = WitnessClient(seconds=5).ask([(url, b"a")])
    assert answer is not None
    assert answer.status == 307
    assert len(door.asked) == 1


def test_an_answer_without_end_is_none() -> None:
    with answering(Scripted(body=b"x" * 1024, pieces=100_000)) as url:
        assert WitnessClient(seconds=20).ask([(url, b"a")]) == [None]


def test_an_answer_drop_by_drop_is_none() -> None:
    with answering(Scripted(body=b"x", pieces=1000, pause=0.05)) as url:
        assert WitnessClient(seconds=0.4).ask([(url, b"a")]) == [None]


def test_a_name_that_is_not_found_in_time_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    found, ended = threading.Event(), []

    def slow(*_arguments: object, **_named: object) -> list[object]:
        ended.append(found.wait(3))
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    try:
        assert WitnessClient(seconds=0.2).ask([("https://w.test", b"a")]) == [None]
        assert ended == []  # it came back while the look-up still hung
    finally:
        found.set()


def test_an_authority_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("nothing")
    for path in (tmp_path / "no.pem", tmp_path / "none"):
        with pytest.raises(Unavailable) as caught:
            WitnessClient(seconds=1, authority=path)
        assert caught.value.code == "witness-authority"
