"""Lists texts for people so that a long list does not fill what they read."""

from collections.abc import Sequence

MOST_NAMED = 10


def listed(texts: Sequence[str]) -> str:
    """Return the first ten texts, and how many more there are."""
    more = f" and {len(texts) - MOST_NAMED} more" if len(texts) > MOST_NAMED else ""
    return ", ".join(texts[:MOST_NAMED]) + more
