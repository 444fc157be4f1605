"""How the demonstration speaks: chapters, facts, and a count of what went as promised."""

from __future__ import annotations

import time
from collections.abc import Iterable

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from troth.kernel.errors import IntegrityError

_SHORT = 84  # characters that fit beside their label


class Narration:
    """Prints chapters and facts; `expect` stops the demonstration when something is not as promised."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self.shown = 0
        self._started = time.monotonic()

    def chapter(self, title: str, about: str) -> None:
        """Begin a chapter."""
        self.console.print()
        self.console.rule(f"[bold]{title}", align="left")
        self.console.print(f"[dim]{about}")

    def tell(self, what: str, value: object = "") -> None:
        """One fact; a long one stands in a block of its own."""
        text = str(value)
        if len(text) <= _SHORT and "\n" not in text:
            self.console.print(f"  [cyan]{what}[/]  ", Text(text), sep="", soft_wrap=True)
            return
        self.console.print(f"  [cyan]{what}[/]")
        self.console.print(Padding(Text(text), (0, 2, 0, 6)))

    def expect(self, holds: bool, what: str) -> None:
        """One thing that must be so. Raises `IntegrityError` when it is not."""
        if not holds:
            raise IntegrityError(f"The demonstration expected this and it is not so: {what}.", code="demo-failed")
        self.shown += 1
        self.console.print(f"  [green]✓[/] {what}", soft_wrap=True)

    def table(self, title: str, heads: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
        """A small table."""
        table = Table(*heads, title=title, title_justify="left", show_edge=False, pad_edge=False)
        for row in rows:
            table.add_row(*(str(cell) for cell in row))
        self.console.print(table)

    def end(self, lines: Iterable[str]) -> None:
        """Where to look next."""
        seconds = time.monotonic() - self._started
        self.console.print()
        head = f"{self.shown} things shown to be as promised, in {seconds:.0f} seconds"
        self.console.print(Panel("\n".join(lines), title=head, title_align="left", expand=False))
