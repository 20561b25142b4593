"""Text from a service is printed as it is, but it can neither colour nor control the terminal."""

import pytest

from shared.cli.output import Output, plain

ESCAPE = "\x1b[31mred\x1b[0m"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Müller & Söhne 北京 👩‍🚀", "Müller & Söhne 北京 👩‍🚀"),
        ("[bold]deal[/bold]", "[bold]deal[/bold]"),
        ("one\r\ntwo\tthree", "one  two three"),
        (ESCAPE, "<U+001B>[31mred<U+001B>[0m"),
        ("\x00\x9b\u202e\u2028\ud800", "<U+0000><U+009B><U+202E><U+2028><U+D800>"),
    ],
)
def test_no_text_controls_the_terminal(text: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    Output().say(plain(text))
    assert capsys.readouterr().out == f"{shown}\n"
