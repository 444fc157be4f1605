"""Files and folders of documents: text, JSON Lines and tables are read, each is written aside and then renamed.

Anything else refuses the whole folder before a byte is written. Names of files are redacted as well.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from troth.kernel.errors import Conflict, Malformed, NotFound, TooLarge, UnsupportedMedia
from troth.redact.files import atomic_file
from troth.redact.reading import require_readable, text_of, written
from troth.redact.rows import Limits, RowRedactor, parse_row, read_lines

TEXT = frozenset({".txt", ".md", ".log", ".eml", ".text"})
ROWS = frozenset({".jsonl", ".ndjson"})
TABLES = {".csv": ",", ".tsv": "\t"}
_LARGEST = 256 << 20  # bytes of a text or a table, which are read whole
_CELL = 4 << 20  # characters


def documents_of(sources: Sequence[Path]) -> list[tuple[Path, Path]]:
    """(file, its place below the folder that was named) of every file, in order.

    Raises NotFound; UnsupportedMedia (`file-type-unknown`) when one is none of the kinds above; TooLarge.
    """
    found = []
    for source in sources:
        if source.is_dir():
            found += [(path, path.relative_to(source)) for path in sorted(source.rglob("*")) if path.is_file()]
        elif source.is_file():
            found.append((source, Path(source.name)))
        else:
            raise NotFound("There is no such file or folder.", code="document-not-found")
    if not found:
        raise NotFound("There are no files in the folder.", code="document-not-found")
    for number, (path, _) in enumerate(found, 1):
        if path.suffix.lower() not in {*TEXT, *ROWS, *TABLES}:
            raise UnsupportedMedia(
                f"File {number} is no text (.txt, .md, .log), JSON Lines or table (.csv, .tsv); nothing was read.",
                code="file-type-unknown",
            )
        if path.suffix.lower() not in ROWS and path.stat().st_size > _LARGEST:
            raise TooLarge(f"File {number} is larger than 256 MiB; cut it, or give it as JSON Lines.",
                           code="document-too-large")  # fmt: skip
    return found


def redact_documents(sources: Sequence[Path], output: Path, redactor: RowRedactor) -> Iterator[tuple[int, int]]:
    """Write every document of `sources`, redacted, below `output`; yields (bytes read so far, bytes in all).

    Raises as `documents_of`, Malformed naming the line, Conflict (`output-exists`) when `output` is not empty.
    """
    found = documents_of(sources)
    output.mkdir(parents=True, exist_ok=True)
    if any(output.iterdir()):
        raise Conflict("The output directory is not empty; choose another, or remove it.", code="output-exists")
    done, total = 0, sum(path.stat().st_size for path, _ in found)
    taken: dict[Path, int] = {}
    for number, (path, place) in enumerate(found, 1):
        target = _free(output / _renamed(place, redactor), taken)
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(target) as stream:
            _redacted(path, number, stream, redactor)
        done += path.stat().st_size
        yield done, total


def _renamed(place: Path, redactor: RowRedactor) -> Path:
    """The place with each of its names redacted, in signs that a file system takes."""
    names = [_named(name, redactor) for name in (*place.parts[:-1], place.stem)]
    clean = ["".join(c if c not in "<>/\\\0" else "" for c in name).strip(". ") or "document" for name in names]
    return Path(*clean[:-1], clean[-1] + place.suffix.lower())


def _named(name: str, redactor: RowRedactor) -> str:
    """As it stands, since `_` is a sign of addresses and codes; and then with blanks, since it parts words of names."""
    first = redactor.name(name)
    spaced = first.replace("_", " ")
    second = redactor.name(spaced)
    return first if second == spaced else second


def _free(target: Path, taken: dict[Path, int]) -> Path:
    """`target`, or with a number when two names became one."""
    free = target
    while free in taken:
        taken[target] += 1
        free = target.with_stem(f"{target.stem}-{taken[target]}")
    taken[free] = 1
    return free


def _redacted(path: Path, file: int, stream: IO[bytes], redactor: RowRedactor) -> None:
    kind = path.suffix.lower()
    if kind in ROWS:
        with path.open("rb") as source:
            for number, (_, line) in enumerate(read_lines(source, Limits()), 1):
                row = redactor.redact(parse_row(line, number, Limits()))
                stream.write(json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n")
        return
    text = text_of(path.read_bytes())
    require_readable(text, f"File {file}")
    made = _table(text, TABLES[kind], redactor) if kind in TABLES else redactor.text(text)
    stream.write(written(made))


def _table(text: str, sign: str, redactor: RowRedactor) -> str:
    """Each cell judged together with the heading of its column; a heading is redacted where it holds a value."""
    csv.field_size_limit(_CELL)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=sign, lineterminator="\n")
    head: list[str] = []
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=sign, strict=True)
    try:
        for number, cells in enumerate(lines):
            if number == 0:
                head = cells
                writer.writerow([redactor.name(cell) for cell in cells])
            else:
                names = [*head, *([""] * len(cells))]
                writer.writerow(redactor.cells(zip(names, cells, strict=False)))
    except csv.Error as error:
        raise Malformed(f"Line {lines.line_num} is no line of a table.", code="line-malformed") from error
    return out.getvalue()
