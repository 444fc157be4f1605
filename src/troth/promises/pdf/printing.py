"""Typesets the paper with typst, in a folder that holds the template and the data and nothing else."""

from __future__ import annotations

import json
import tempfile
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

from troth.kernel.errors import Unavailable

STANDARD = "a-2a"  # PDF/A-2a (ISO 19005-2): kept for long, tagged for those who do not see it
_MISSING = "Paper needs the extra 'pdf': pip install 'troth[pdf]'."


def pdf(told: dict[str, Any], at: int) -> bytes:
    """The PDF of what `told.told` gave; `at` (epoch ms) is the date in it. Equal input gives equal bytes.

    Raises `Unavailable` (extra-missing) without typst.
    """
    made = _made(told, at, "pdf", pdf_standards=STANDARD)
    assert isinstance(made, bytes)
    return made


def pages(told: dict[str, Any], at: int, ppi: float = 110) -> list[bytes]:
    """The same as pictures (PNG), a page each, to look at. Raises as `pdf`."""
    made = _made(told, at, "png", ppi=ppi)
    return [made] if isinstance(made, bytes) else list(made)


def _made(told: dict[str, Any], at: int, form: str, **more: Any) -> Any:
    try:
        typst: Any = import_module("typst")
    except ImportError as error:
        raise Unavailable(_MISSING, code="extra-missing") from error
    with tempfile.TemporaryDirectory(prefix="troth-paper-") as folder:
        root = Path(folder)
        (root / "report.typ").write_bytes(files("troth.promises.pdf").joinpath("report.typ").read_bytes())
        (root / "told.json").write_text(json.dumps(told), encoding="utf-8")
        empty = root / "none"  # no package is ever asked for; none would be found
        compiler = typst.Compiler(
            root / "report.typ", root=root, ignore_system_fonts=True, package_path=empty, package_cache_path=empty
        )
        return compiler.compile(format=form, timestamp=at // 1000, **more)
