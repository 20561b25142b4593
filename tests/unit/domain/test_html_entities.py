"""HTML entities are decoded as often as a text was encoded (docs/reference/partner-center.md#wire-format)."""

import pytest

from shared.domain.html_entities import decode_entities


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("Smith &amp; Sons", "Smith & Sons"),
        ("Smith &amp;amp;amp; Sons", "Smith & Sons"),
        ("O&#39;Neill, O&#x27;Neill", "O'Neill, O'Neill"),
        ("&amp;#39;", "'"),
        ("a & b; c", "a & b; c"),
        ("https://x.example/?a=1&copy=2&region=us", "https://x.example/?a=1&copy=2&region=us"),
        ("amp; stands for &", "amp; stands for &"),
        ("&#;", "&#;"),
    ],
)
def test_only_whole_entities_are_decoded(text: str, decoded: str) -> None:
    assert decode_entities(text) == decoded
    assert decode_entities(decoded) == decoded
