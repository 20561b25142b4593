"""Read the text of a mapping file. `validation.py` checks its content.

The modules that describe faults are imported late, because only a wrong file needs them.
"""

import tomllib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.foundation.errors import ConfigurationError
from shared.mapping.schema import DEFAULT
from shared.mapping.violations import Place, Violation, expectation

if TYPE_CHECKING:
    from shared.mapping.toml_lines import LineIndex

MARK_OF_UTF_16 = "a byte order mark of UTF-16 or UTF-32, which some editors call Unicode"
_UTF_16_MARKS = (BOM_UTF16_LE, BOM_UTF16_BE)
_APP_FOLDER = DEFAULT.parents[2]


class MappingSource:
    """The text of a mapping file, and what is known of its content.

    `document` is the content of the file alone, or None if the text cannot be read as TOML. `unread` has the places
    whose values cannot be read. `violations` has the faults of the text itself. `has_mark` says that the text begins
    with a byte order mark, which is not read.
    """

    def __init__(self, path: Path) -> None:
        """Read the file. Raises ConfigurationError if it cannot be opened."""
        self.path = path
        self.violations: list[Violation] = []
        self.unread: Sequence[Place] = ()
        self.document: dict[str, Any] | None = None
        self.text = self._decode(self._read_bytes())
        if "\0" not in self.text:
            self._parse()

    @property
    def name(self) -> str:
        """The path within the app's folder or the current one; elsewhere only the name of the file."""
        try:
            path, folders = self.path.absolute(), (_APP_FOLDER, Path.cwd())
        except OSError:  # the current folder was removed
            return self.path.name
        return next(
            (path.relative_to(folder).as_posix() for folder in folders if path.is_relative_to(folder)), path.name
        )

    @cached_property
    def lines(self) -> "LineIndex":
        """The line of each key of the text."""
        from shared.mapping.toml_lines import LineIndex  # noqa: PLC0415 - late: only a wrong file needs it

        return LineIndex(self.text)

    def _read_bytes(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            problem = "does not exist"
        except IsADirectoryError:
            problem = "is a folder, not a file"
        except PermissionError:
            problem = "cannot be read, because the app has no permission"
        except OSError as error:
            problem = f"cannot be read ({type(error).__name__})"
        raise ConfigurationError(f"MAPPING: the file {self.name} {problem}.")

    def _decode(self, data: bytes) -> str:
        """Return the text without a byte order mark. Each line ends with a line feed only."""
        self.has_mark = data.startswith(BOM_UTF8)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            text = data.decode("utf-8-sig", errors="replace")
            wrong, before = error.object[error.start], error.object[: error.start]  # without the byte order mark
            found = MARK_OF_UTF_16 if data.startswith(_UTF_16_MARKS) else f"the byte {wrong:02X}"
            self._add_encoding_violation(found, before.decode("latin-1"))
        else:
            if "\0" in text:
                self._add_encoding_violation("the character U+0000", text.partition("\0")[0])
        return _normal_line_ends(text)

    def _add_encoding_violation(self, found: str, text_before: str) -> None:
        line = _normal_line_ends(text_before).count("\n") + 1
        problem = f"{expectation('a text in UTF-8', found)} Save the file as UTF-8."
        self.violations.append(Violation((), problem, line))

    def _parse(self) -> None:
        try:
            self.document = tomllib.loads(self.text)
        except (ValueError, RecursionError):  # the parser also raises these for long numbers and for deep lists
            from shared.mapping.toml_syntax import recover  # noqa: PLC0415 - late: only a wrong file needs it

            recovered = recover(self.text)
            # A byte that is not UTF-8 is reported already. The character that replaces it is not a second fault.
            marked = [number for number, line in enumerate(self.text.split("\n"), 1) if "\ufffd" in line]
            undecoded = marked if self.violations else []
            self.violations += (each for each in recovered.violations if each.line not in undecoded)
            self.text, self.document, self.unread = recovered.text, recovered.document, recovered.unread


def _normal_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
