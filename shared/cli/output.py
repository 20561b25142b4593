"""What a command says: sentences and tables for a person, or one JSON document for a script; never a secret."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

PLAIN_WIDTH = 120
"""Columns where the output is no terminal."""


class Output:
    """One command's voice. With `as_json` a person's sentences go to stderr and the document alone to stdout."""

    def __init__(self, *, as_json: bool = False) -> None:
        """Write to the process's own streams."""
        self.as_json = as_json
        stream = sys.stderr if as_json else sys.stdout
        width = None if stream.isatty() else PLAIN_WIDTH
        self.console = Console(file=stream, width=width, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """A sentence on the way."""
        self.console.print(text)

    def confirm(self, question: str) -> bool:
        """A yes or no; where nobody can answer (no terminal, JSON) it is no."""
        if self.as_json or not sys.stdin.isatty():
            return False
        answer = self.console.input(f"{question} [y/N] ")
        return answer.strip().lower() in ("y", "yes")

    def print_document(self, document: Mapping[str, object]) -> None:
        """The result as one JSON document; a person has had the sentences."""
        if self.as_json:
            print(json.dumps(document, default=str, ensure_ascii=False))  # noqa: T201 - this is the output

    def print_table(self, heads: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None) -> None:
        """A table for a person."""
        table = Table(*heads, title=title, title_justify="left")
        for row in rows:
            table.add_row(*row)
        self.console.print(table)

    @contextmanager
    def show_progress(self, title: str, total: int | None = None) -> Iterator["ProgressBar"]:
        """A bar on long work; silent where the output is no terminal."""
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as bars:
            yield ProgressBar(bars, title, total)


class ProgressBar:
    """The progress of one long piece of work."""

    def __init__(self, bars: Progress, title: str, total: int | None) -> None:
        """See `Output.progress`."""
        self._bars = bars
        self._task = bars.add_task(title, total=total)

    def move_to(self, done: int, total: int | None = None, title: str | None = None) -> None:
        """Move to `done`."""
        self._bars.update(self._task, completed=done, total=total, description=title)
