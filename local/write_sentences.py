"""Writes docs/reference/sentences.md: every sentence that a seller reads, by its code, from the code itself.

python -m local.write_sentences
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from shared.domain.sentences import CAUSES, SENTENCES

PAGE = Path(__file__).resolve().parents[1] / "docs/reference/sentences.md"
HEAD = """# Sentences

`python -m local.write_sentences` writes this page from `shared/domain/sentences.py` and the modules that it gathers;
do not edit it. Braces stand for values. [errors.md](../errors.md) says when a cause arises.
"""


def sentences_page() -> str:
    """The whole page."""
    causes = {code: f"{reason} | {remedy}" for code, (reason, remedy) in CAUSES.items()}
    tables = (_table("Causes", "reason | remedy", causes), _table("Audit lines", "sentence", SENTENCES))
    return "\n".join((HEAD, *tables))


def _table(heading: str, columns: str, cells: Mapping[str, str]) -> str:
    return "\n".join(_lines(heading, columns, cells))


def _lines(heading: str, columns: str, cells: Mapping[str, str]) -> Iterator[str]:
    yield from (f"## {heading}", "", f"| code | {columns} |", f"| --- |{' --- |' * (columns.count('|') + 1)}")
    yield from (f"| `{code}` | {text} |" for code, text in sorted(cells.items()))
    yield ""


def main() -> None:
    """Write the page."""
    PAGE.write_text(sentences_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
