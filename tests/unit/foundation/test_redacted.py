from msgspec import Struct

from shared.foundation.redacted import Redacted


class Token(Redacted, frozen=True):
    value: str
    end: float


class Outer(Struct, frozen=True):
    token: Token


def test_the_text_of_a_hidden_value_names_its_type_alone() -> None:
    assert repr(Token("made up", 1.0)) == "Token(…)"
    assert str(Token("made up", 1.0)) == "Token(…)"


def test_a_hidden_value_stays_hidden_inside_another() -> None:
    assert "made up" not in repr(Outer(Token("made up", 1.0)))


def test_a_hidden_value_compares_as_any_value() -> None:
    assert Token("made up", 1.0) == Token("made up", 1.0) != Token("other", 1.0)
