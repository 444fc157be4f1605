"""Papers and binding files made to hurt: typed refusals, at once, and nothing of them in what is said.

Nothing is timed here; what took the square of its size would hold up the run for minutes.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest

from paper_texts import known
from troth.kernel.errors import Invalid, TooLarge, TrothError
from troth.promises.paper.binding import paper_of, read_paper
from troth.promises.paper.changes import changed
from troth.promises.paper.lint import lint
from troth.promises.paper.parameters import parameters
from troth.promises.paper.skeleton import first

TEXT = b"One."
HEAD = b"paper: a\nversion: '1'\ntext: {file: a.txt, sha256: " + b"0" * 64 + b"}\n"
LAUGHS = b"".join(
    b"%c: &%c [%s]\n" % (one, one, b",".join([b"*%c" % (one - 1)] * 9)) for one in range(ord("b"), ord("j"))
)
BINDINGS = {
    "aliases": b"a: &a [x]\n" + LAUGHS + HEAD + b"sentences: *i\n",
    "depth": HEAD + b"sentences: " + b"[" * 100_000,
    "depth of maps": HEAD + b"sentences: " + b"{a: " * 50_000,
    "keys twice": HEAD + b"paper: b\nsentences: []\n",
    "tags": HEAD + b"sentences: !!python/object/apply:os.system [x]\n",
    "merge": HEAD + b"<<: {paper: b}\nsentences: []\n",
    "many rows": HEAD + b"sentences:\n" + b"- {at: '1.0', sha256: " + b"0" * 16 + b"}\n" * 30_000,
    "very many nodes": HEAD + b"sentences: [" + b"1," * 500_000 + b"]",
    "too large": HEAD + b"# " + b"x" * (2 << 20),
    "long number": HEAD + b"effective: 1" + b":59" * 300_000 + b"\nsentences: []\n",
    "bytes": HEAD + b"sentences: []\n\xff\xfe",
    "nul": HEAD + b"sentences: []\n\0",
    "documents": HEAD + b"sentences: []\n---\na: b\n",
    "half a character": HEAD + b'domains: ["\\ud800"]\nsentences: []\n',
    "not a mapping": b"- a\n- b\n",
    "empty": b"",
    "another folder": HEAD.replace(b"a.txt", b"../../etc/passwd") + b"sentences: []\n",
    "turned file name": HEAD + 'promises: "a\u202e.yaml"\nsentences: []\n'.encode() + b"x: 1",
}


@pytest.mark.parametrize("name", sorted(BINDINGS))
def test_a_hostile_binding_is_refused_at_once(name: str) -> None:
    with pytest.raises(TrothError) as caught:
        paper_of(TEXT, BINDINGS[name])
    assert isinstance(caught.value, Invalid | TooLarge)
    assert caught.value.advice.isprintable()


def test_every_hostile_text_is_refused_at_once() -> None:
    texts = [
        b"x" * 1_000_000, b"x. " * 100_000, b"x.\n" * 100_000, b"\0" * 400_000, b"\xff" * 400_000,
        "\u202e.\n".encode() * 9_000, b"e.g. " * 80_000, b"(Art. 1 " * 40_000, b"- " * 200_000, b"--- " * 100_000,
        b"|---" * 100_000, b"#" * 9_999 + b"\n" + b"> " * 4_999,
    ]  # fmt: skip
    for text in texts:
        for file in ("a.txt", "a.md"):
            with pytest.raises(TrothError) as caught:
                first(text, file, "a", known().today)
            assert isinstance(caught.value, Invalid | TooLarge)
            assert caught.value.advice.isprintable()


def test_the_largest_paper_that_is_taken_is_judged_at_once() -> None:
    text = (
        "We tell users within 24 hours of a breach; no vendor may keep data, TLS 1.2, 0 times a year. " * 10 + "\n"
    ) * 199
    written = first(text.encode(), "a.txt", "a", known().today)
    read = paper_of(text.encode(), written.text.encode())
    assert len(lint(read, known())) > 1_990
    assert changed(read, read, parameters()) == ()
    assert written.sentences == 1_990


def test_sentences_that_change_place_with_all_others_take_no_square() -> None:
    lines = [f"Sentence number {number}." for number in range(1_999)]
    text, turned = "\n".join(lines).encode(), "\n".join(reversed(lines)).encode()
    binding = first(text, "a.txt", "a", known().today).text.replace("carries: []}", "carries: [CRY-01]}")
    found = {one.code for one in lint(paper_of(turned, binding.encode()), known())}
    assert found == {"hash", "moved"}


@pytest.mark.parametrize("word", ["T\u200dLS", "\u0422LS", "TLS\u00a0"])
def test_look_alike_words_change_the_digest(word: str) -> None:
    """What looks like the bound words and is not is another sentence: a changed one, or one that is refused."""
    text = "All connections use TLS 1.3."
    binding = first(text.encode(), "a.txt", "a", known().today).text.replace("carries: []}", "carries: [CRY-01]}")
    other = text.replace("TLS", word).encode()
    assert sha256(other).digest() != sha256(text.encode()).digest()
    try:
        found = {one.code for one in lint(paper_of(other, binding.encode()), known())}
    except Invalid as error:
        found = {error.code}
    assert found & {"changed", "bad-paper"}


def test_a_paper_in_a_pipe_or_device_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.paper.yaml").write_bytes(HEAD + b"sentences: []\n")
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(TrothError):
        read_paper(tmp_path / "a.txt")
