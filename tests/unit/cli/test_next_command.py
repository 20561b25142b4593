"""A printed command has the options that it needs, so that it can be copied as it stands."""

import json
import re
from pathlib import Path

import pytest
import typer

import shared
from shared.cli.main import app
from shared.cli.next_command import CommandOptions
from shared.cli.output import Output

ADMIN = ("--target-org", "acme staging")


@pytest.mark.parametrize(
    ("text", "completed"),
    [
        ("Run `cosell doctor`.", "Run `cosell doctor --env staging`."),
        ("`cosell webhook register --overwrite`", "`cosell webhook register --env staging --overwrite`"),
        ("`cosell turn-on --env production`", "`cosell turn-on --env production`"),
        ("`cosell salesforce deploy`", "`cosell salesforce deploy --env staging --target-org 'acme staging'`"),
        ("Run `cosell compare --repair`.", "Run `cosell compare --env staging --repair`."),
        ("Run `cosell connect ...` or read about cosell.", "Run `cosell connect ...` or read about cosell."),
        ("cosell-staging.cer, cosell version", "cosell-staging.cer, cosell version"),
    ],
)
def test_a_command_in_a_text_gets_the_options_that_it_lacks(text: str, completed: str) -> None:
    assert CommandOptions("staging", ADMIN).complete(text) == completed


def test_without_an_administrator_a_placeholder_shows_that_one_is_needed() -> None:
    command = 'cosell salesforce add-section "Opportunity Layout"'
    completed = 'cosell salesforce add-section --env local --target-org ADMINISTRATOR "Opportunity Layout"'
    assert CommandOptions("local").complete(command) == completed


def command_names() -> list[str]:
    """All commands that need `--env`, as they are typed."""
    pending = [("cosell", typer.main.get_command(app))]
    names = []
    while pending:
        name, command = pending.pop()
        below = getattr(command, "commands", {})
        pending += [(f"{name} {word}", each) for word, each in below.items()]
        names += [] if below or name == "cosell version" else [name]
    return names


@pytest.mark.parametrize("name", command_names())
def test_every_command_is_known(name: str) -> None:
    assert CommandOptions("staging").complete(name).startswith(f"{name} --env staging")


def test_sentences_tables_and_documents_are_completed(capsys: pytest.CaptureFixture[str]) -> None:
    options = CommandOptions("staging").complete
    output = Output(complete=options)
    output.say("Next: `cosell doctor`.")
    output.print_table(("check", "remedy"), [("one", "Run `cosell turn-on`.")])
    Output(as_json=True, complete=options).print_document({"checks": [{"remedy": "`cosell webhook test`"}], "count": 1})
    sentence, *table, document = capsys.readouterr().out.splitlines()
    assert sentence == "Next: `cosell doctor --env staging`."
    assert any("Run `cosell turn-on --env staging`." in line for line in table)
    assert json.loads(document) == {"checks": [{"remedy": "`cosell webhook test --env staging`"}], "count": 1}


def test_no_sentence_ends_a_command_with_a_full_stop_that_would_be_copied() -> None:
    """A command stands between backticks, or alone at the end of a line."""
    commands = re.compile(
        r"(?<!`)\bcosell (?:connect|salesforce|webhook|doctor|turn-on|close-test-referrals)[^`\n\"']*\.[\"']"
    )
    sources = Path(shared.__file__).parent.rglob("*.py")
    assert [found for path in sources for found in commands.findall(path.read_text(encoding="utf-8"))] == []
