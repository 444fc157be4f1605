"""Imports point down, checked by machine (house rule 5); what is underneath is touched in few places only."""

from __future__ import annotations

import ast
import sys

from importlinter.cli import lint_imports

from architecture.source_tree import PACKAGE, ROOT, imports, parsed, shown, tracked

# The rim: where anything at all may go wrong, is noted, and is turned into one typed refusal.
BROAD_EXCEPT = {
    "src/troth/kernel/dispatch.py",
    "src/troth/kernel/periodic.py",
    "src/troth/promises/runner.py",
    "src/troth/storage/group_commit.py",  # carries an exception to the thread that asked for the change
    "src/troth/cli/main.py",
}
# Commands import what they need when they run, so that `troth --help` is quick.
LAZY_ROOMS = ("cli",)
# Compiles the whole rule table, a third of a second that only a detector's user pays. (Cycles are the contract's job.)
# And the kinds of key domains, of which each needs an extra that another installation does not have. And metrics and
# traces, whose libraries nobody loads who did not ask for them. And SCIM, whose library takes a second and is an extra.
# And roads to vendors, whose library takes 8 MB that a start without a call does without. And hashes of pictures, which
# need numpy of an extra. And the relay of time stamps, a server of the standard library that few ask for.
COSTLY = {
    "src/troth/redact/detect/__init__.py",
    "src/troth/redact/surrogates/validity.py",
    "src/troth/redact/tiers.py",
    "src/troth/keys/domain_choice.py",
    "src/troth/telemetry/instruments.py",
    "src/troth/identity/scim/operations.py",
    "src/troth/gateway/moderation/hashes.py",
    "src/troth/gateway/provenance/credentials.py",
    "src/troth/gateway/vendors/ports.py",
    "src/troth/promises/checks/moderation.py",
}


def test_imports_point_down() -> None:
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == 0, "run lint-imports to see the chain"


def test_the_kernel_knows_no_third_party_and_no_other_room() -> None:
    allowed = sys.stdlib_module_names
    foreign = [
        f"{shown(path, one.line)} {one.name}"
        for path in tracked("src/troth/kernel")
        for one in imports(path)
        if one.name.split(".")[0] not in allowed and not one.name.startswith("troth.kernel")
    ]
    assert foreign == []


def test_only_the_lazy_rooms_import_inside_functions() -> None:
    hidden = [
        f"{shown(path, one.line)} {one.name}"
        for path in tracked("src/troth")
        if path.relative_to(PACKAGE).parts[0] not in LAZY_ROOMS and shown(path) not in COSTLY
        for one in imports(path)
        if one.inside and one.name.split(".")[0] == "troth"
    ]
    assert hidden == []


def test_only_settings_and_the_client_read_the_environment() -> None:
    readers = [
        shown(path, node.lineno)
        for path in tracked("src/troth")
        if path.relative_to(PACKAGE).parts[0] not in ("settings", "cli")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb")
    ]
    assert readers == []


def test_only_storage_makes_engines() -> None:
    makers = [
        shown(path, node.lineno)
        for path in tracked("src/troth")
        if path.relative_to(PACKAGE).parts[0] != "storage"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Name | ast.Attribute)
        and (node.id if isinstance(node, ast.Name) else node.attr) in ("create_engine", "create_async_engine")
    ]
    assert makers == []


def test_broad_except_stands_only_at_the_rim() -> None:
    broad = [
        shown(path, node.lineno)
        for path in tracked("src/troth")
        if shown(path) not in BROAD_EXCEPT
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type)
    ]
    assert broad == []


def _is_broad(kind: ast.expr | None) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(one is None or (isinstance(one, ast.Name) and one.id in ("Exception", "BaseException")) for one in kinds)
