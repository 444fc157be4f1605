"""Builds the statement: what people are told, of the data map as it holds in this installation."""

from __future__ import annotations

from collections.abc import Callable

from troth.governance.data_map.live import live
from troth.governance.data_map.map import DataMap
from troth.governance.statement.operations import StatementOperations
from troth.governance.statement.publishing import Statements
from troth.promises.system import Base, System


def build_statements(base: Base, system: Callable[[], System], of: DataMap) -> Statements:
    """Versions of the statement about `of`. `system` is asked for its vendors: it is built after this."""

    def current() -> DataMap:
        return live(of, base.settings, system().gateway.vendors.all())

    return Statements(base.database, base.clock, base.signer, current)


def statement_operations(statements: Statements) -> StatementOperations:
    return StatementOperations(statements, statements.current)
