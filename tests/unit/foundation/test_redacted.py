"""A redacted value never shows its content."""

from msgspec import Struct

from shared.foundation.redacted import Redacted


class Token(Redacted, frozen=True):
    value: str
    end: float


class Outer(Struct, frozen=True):
    token: Token


def test_the_text_of_a_redacted_value_shows_only_its_type() -> None:
    assert repr(Token("made up", 1.0)) == "Token(…)"
    assert str(Token("made up", 1.0)) == "Token(…)"


def test_a_redacted_value_is_redacted_inside_another_value_too() -> None:
    assert "made up" not in repr(Outer(Token("made up", 1.0)))


def test_redacted_values_can_be_compared() -> None:
    assert Token("made up", 1.0) == Token("made up", 1.0) != Token("other", 1.0)
