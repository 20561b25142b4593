"""The user docs stay short enough to be read, and say nothing twice."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.unit.docs.docs_reader import DOCS, ROOT, prose_blocks

MOST_WORDS = 20_000
FEWEST_WORDS_OF_A_SENTENCE = 8
"""A shorter sentence, such as a reference to another page, may be written twice."""
NOT_FOR_USERS = {"architecture.md", "engine.md", "performance.md", "protocol.md"}


def count_words(markdown: str) -> int:
    """The number of tokens with a letter or a digit. The marks of a table do not count."""
    return sum(bool(re.search(r"[^\W_]", token)) for token in markdown.split())


def test_the_user_docs_have_at_most_twenty_thousand_words() -> None:
    pages = [page for page in DOCS.glob("*.md") if page.name not in NOT_FOR_USERS]
    assert sum(count_words(page.read_text(encoding="utf-8")) for page in pages) <= MOST_WORDS


def sentences_of(markdown: str) -> Iterator[str]:
    """Each sentence of a page outside tables and code, as its words in lower case. Of a link, only the text counts."""
    for block in prose_blocks(markdown):
        for sentence in re.split(r"(?<=[.!?:])\**\s+", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", block)):
            words = re.findall(r"[^\W_](?:[\w.'-]*\w)?", sentence.casefold())
            if len(words) >= FEWEST_WORDS_OF_A_SENTENCE:
                yield " ".join(words)


def sentences_written_twice(pages: Iterator[Path]) -> dict[str, list[str]]:
    """The names of the pages that hold a sentence, for each sentence that is written more than once."""
    found: dict[str, list[str]] = defaultdict(list)
    for page in pages:
        for sentence in sentences_of(page.read_text(encoding="utf-8")):
            found[sentence].append(page.name)
    return {sentence: names for sentence, names in found.items() if len(names) > 1}


def test_no_sentence_of_the_user_docs_is_written_twice() -> None:
    assert sentences_written_twice(iter([ROOT / "README.md", *sorted(DOCS.glob("*.md"))])) == {}


def test_a_sentence_that_is_written_twice_is_found_in_any_form(tmp_path: Path) -> None:
    first, second = tmp_path / "first.md", tmp_path / "second.md"
    first.write_text("Short. A lost event is found by the\nsweep, at the latest.\n", encoding="utf-8")
    second.write_text(
        "# A lost event is found by the sweep, at the latest.\n\n"
        "- Short. **A lost event** is found by [the sweep](x.md), at the latest.\n\n"
        "| Each cell of a table may say the same as another | x |\n\n```\ncode\n```\n"
        "| Each cell of a table may say the same as another | x |\n",
        encoding="utf-8",
    )
    twice = sentences_written_twice(iter([first, second]))
    assert twice == {"a lost event is found by the sweep at the latest": ["first.md", "second.md"]}
