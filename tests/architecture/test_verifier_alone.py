"""The verifier shares no code with the log that it judges: everything it can import is listed here."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from architecture.source_tree import ROOT

SOURCE = ROOT / "src"
START = "troth.audit.verify"
# Formats and signatures (pure), the verifier itself, and the types of refusals. No tree, no tiles of the server's.
ALLOWED = frozenset(
    """troth troth.audit troth.audit.verify troth.audit.reaudit troth.audit.log_source troth.audit.checkpoint
    troth.audit.note troth.audit.signature_kinds troth.audit.proof_text troth.audit.tiles troth.audit.tlog_policy
    troth.kernel troth.kernel.errors""".split()
)

# The verifier of period reports stands on that one, and on envelopes; nothing that makes reports.
PERIOD = "troth.promises.period.verify"
PERIOD_ALLOWED = ALLOWED | frozenset(
    """troth.promises troth.promises.period troth.promises.period.verify troth.promises.period.recount
    troth.promises.period.reread troth.vault troth.vault.dsse troth.kernel.signer""".split()
)
ALONE = [(START, ALLOWED), (PERIOD, PERIOD_ALLOWED)]


def module_file(name: str, source: Path = SOURCE) -> Path | None:
    """The file of a module, if it is one of the tree."""
    place = source.joinpath(*name.split("."))
    return next((one for one in (place.with_suffix(".py"), place / "__init__.py") if one.is_file()), None)


def imported(file: Path, source: Path = SOURCE) -> set[str]:
    """Modules of the tree that a file imports anywhere in it, also inside functions and for types only."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{file.name} imports relatively"
            found |= {node.module} | {f"{node.module}.{one.name}" for one in node.names}
    return {one for one in found if module_file(one, source)}


def closure(start: str, source: Path = SOURCE) -> set[str]:
    """Everything that importing `start` can bring in, with the packages around it."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in seen and (file := module_file(name, source)):
            seen.add(name)
            waiting += [*imported(file, source), *([name.rpartition(".")[0]] if "." in name else [])]
    return seen


@pytest.mark.parametrize(("start", "allowed"), ALONE)
def test_a_verifier_imports_nothing_of_what_it_judges(start: str, allowed: frozenset[str]) -> None:
    assert closure(start) == allowed


@pytest.mark.parametrize(("start", "allowed"), ALONE)
def test_what_really_loads_is_no_more(start: str, allowed: frozenset[str]) -> None:
    code = f"import sys, {start}; print(*sorted(one for one in sys.modules if one.split('.')[0] == 'troth'))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(loaded.split()) <= allowed


def test_an_import_hidden_in_a_function_is_seen(tmp_path: Path) -> None:
    package = tmp_path / "troth" / "audit"
    package.mkdir(parents=True)
    for file, text in {
        package.parent / "__init__.py": "",
        package / "__init__.py": "",
        package / "verify.py": "def check():\n    from troth.audit import merkle\n",
        package / "merkle.py": "import troth.audit.tree\n",
        package / "tree.py": "",
    }.items():
        file.write_text(text)
    assert {"troth.audit.merkle", "troth.audit.tree"} <= closure(START, tmp_path)
