"""The user docs stay short enough to be read."""

import re

from tests.unit.docs.docs_reader import DOCS

MOST_WORDS = 20_000
NOT_FOR_USERS = {"architecture.md", "protocol.md"}


def count_words(markdown: str) -> int:
    """The number of tokens with a letter or a digit. The marks of a table do not count."""
    return sum(bool(re.search(r"[^\W_]", token)) for token in markdown.split())


def test_the_user_docs_have_at_most_twenty_thousand_words() -> None:
    pages = [page for page in DOCS.glob("*.md") if page.name not in NOT_FOR_USERS]
    assert sum(count_words(page.read_text(encoding="utf-8")) for page in pages) <= MOST_WORDS
