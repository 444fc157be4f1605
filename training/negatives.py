"""Sentences without personal data in four languages: the translations that Wagtail and Django carry (BSD-3-Clause), and the
help of LibreOffice in German and Italian (MPL-2.0).

German writes every noun large; what a user interface says holds many nouns and no person.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from pathlib import Path

from training.sets import Document

SCOPE = frozenset({"PERSON", "LOCATION", "ADDRESS", "ORG", "DATE", "ID", "PHONE", "USERNAME", "SECRET"})
_TEXT = re.compile(r'^msgstr(?:\[\d\])? ((?:"(?:[^"\\]|\\.)*"\n?)+)', re.MULTILINE)
_PIECE = re.compile(r'"((?:[^"\\]|\\.)*)"')
_SHORTEST = 20
_PARAGRAPH = re.compile(r'<p id="[^"]*" class="paragraph"[^>]*>(.*?)</p>', re.DOTALL)
_MARKUP = re.compile(r"<[^>]*>|\s+")
_HELP = 6000  # paragraphs of help in one language


@lru_cache(maxsize=1)
def read(folder: Path) -> tuple[Document, ...]:
    """Every translated sentence below the unpacked packages, several to a document."""
    found: list[Document] = []
    for language in ("de", "fr", "es", "it"):
        sentences: set[str] = set()
        for path in sorted(folder.glob(f"**/locale/{language}/LC_MESSAGES/*.po")):
            for match in _TEXT.finditer(path.read_text(encoding="utf-8")):
                text = "".join(_PIECE.findall(match[1])).replace("\\n", "\n").replace('\\"', '"')
                if len(text) >= _SHORTEST and "@" not in text and "Content-Type" not in text:
                    sentences.add(text)
        ordered = sorted(sentences) + _help(folder, language)
        for i in range(0, len(ordered), 3):
            name = f"interface-{language}-{i}"
            found.append(Document(name, " ".join(ordered[i : i + 3]), (), SCOPE, "interface"))
    return tuple(found)


def _help(folder: Path, language: str) -> list[str]:
    """Paragraphs of the help that are whole sentences, spread evenly over its pages."""
    found: dict[str, None] = {}
    for path in sorted(folder.glob(f"**/libreoffice/help/{language}/text/**/*.html")):
        for match in _PARAGRAPH.finditer(path.read_text(encoding="utf-8")):
            text = html.unescape(re.sub(r"\s+", " ", _MARKUP.sub(" ", match[1]))).strip()
            if len(text) >= 2 * _SHORTEST and text.endswith(".") and not re.search(r"@|http|Foundation|Sun ", text):
                found[text] = None
    every = list(found)
    return every[:: len(every) // _HELP + 1]
