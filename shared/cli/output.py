"""Print the output of a command: sentences and tables for people, or one JSON document for scripts. Never a secret."""

import json
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

PLAIN_WIDTH = 120
"""Columns of the output if it is not a terminal."""

_HIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change the direction of the text around them."""


def plain(text: object) -> str:
    """Return a text from outside as it may be printed on a terminal: no markup, and no character that controls it.

    Line breaks and tabs become blanks. Other control characters, halves of surrogate pairs, and characters that turn
    the text around are shown by their number.
    """
    return escape("".join(map(_shown, str(text))))


def _shown(letter: str) -> str:
    if letter in "\n\r\t":
        return " "
    is_hidden = letter in _TURNING or unicodedata.category(letter) in _HIDDEN
    return f"<U+{ord(letter):04X}>" if is_hidden else letter


class Output:
    """The output of one command. With `as_json`, sentences go to stderr, and stdout holds only the document."""

    def __init__(self, *, as_json: bool = False, complete: Callable[[str], str] = str) -> None:
        """Write to the streams of this process. `complete` is applied to every text (`shared/cli/next_command.py`)."""
        self.as_json = as_json
        self._complete = complete
        stream = sys.stderr if as_json else sys.stdout
        width = None if stream.isatty() else PLAIN_WIDTH
        self.console = Console(file=stream, width=width, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """Print a sentence."""
        self.console.print(self._complete(text))

    @property
    def can_ask(self) -> bool:
        """Whether somebody can answer a question: stdin is a terminal, and the output is no JSON."""
        return not self.as_json and sys.stdin.isatty()

    def confirm(self, question: str) -> bool:
        """Ask a question and return whether the answer is yes. Where nobody can answer, it is no."""
        if not self.can_ask:
            return False
        answer = self.console.input(f"{question} {escape('[y/N]')} ")  # without it, Rich takes the brackets for a style
        return answer.strip().lower() in ("y", "yes")

    def say_declined(self, unchanged: str, goal: str, remedy: str) -> None:
        """Say after a no that nothing was done, and how to agree: by a yes, if a person can be asked, or by `remedy`.

        output.say_declined("Nothing was changed", "To let it go", "run `cosell approve --yes`")
        """
        if self.can_ask:
            self.say(f"{unchanged}. {goal}, answer yes, or {remedy}.")
        else:
            reason = "with --json nobody is asked" if self.as_json else "there is no terminal to ask in"
            self.say(f"{unchanged}: {reason}. {goal}, {remedy}.")

    def print_document(self, document: Mapping[str, object]) -> None:
        """Print the result as one JSON document if `as_json` is set. People have read the sentences."""
        if self.as_json:
            print(json.dumps(self._complete_all(document), default=str, ensure_ascii=False))  # noqa: T201 - this is the output

    def print_table(self, heads: Sequence[str], lines: Sequence[Sequence[str]], title: str | None = None) -> None:
        """Print a table for people."""
        table = Table(*heads, title=title, title_justify="left")
        for cells in lines:
            table.add_row(*map(self._complete, cells))
        self.console.print(table)

    def _complete_all(self, value: object) -> object:
        """Return a part of a document with all its texts completed."""
        match value:
            case str():
                return self._complete(value)
            case Mapping():
                return {name: self._complete_all(each) for name, each in value.items()}
            case list() | tuple():
                return [self._complete_all(each) for each in value]
        return value

    @contextmanager
    def show_progress(self, title: str, total: int | None = None) -> Iterator["ProgressBar"]:
        """Show a progress bar during long work. Prints nothing if the output is not a terminal."""
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as progress:
            yield ProgressBar(progress, title, total)


class ProgressBar:
    """The progress bar of one long task; `Output.show_progress` makes it."""

    def __init__(self, progress: Progress, title: str, total: int | None) -> None:
        """Add a bar to the display."""
        self._progress = progress
        self._task = progress.add_task(title, total=total)

    def move_to(self, done: int, total: int | None = None, title: str | None = None) -> None:
        """Show that `done` of `total` steps are done."""
        self._progress.update(self._task, completed=done, total=total, description=title)
