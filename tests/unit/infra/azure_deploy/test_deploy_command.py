"""The command line: options, what it prints, and exit codes."""

import argparse
from collections.abc import Callable

import pytest

from infra.azure.deploy.__main__ import open_terminal_session, run_command
from infra.azure.deploy.session import Session
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from tests.unit.infra.azure_deploy.fake_azure import FakeAzure


def session_opener(azure: FakeAzure) -> Callable[[argparse.Namespace, Output], Session]:
    def open_session(arguments: argparse.Namespace, output: Output) -> Session:
        session = azure.open_session(arguments.env, unattended=arguments.yes)
        session.say = output.say
        return session

    return open_session


def test_a_deployment_ends_with_status_0(azure: FakeAzure, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["deploy", "--env", "staging", "--subscription", "Contoso", "--yes"]
    assert run_command(words, session_opener(azure)) is Exit.OK
    assert "staging is deployed and healthy" in capsys.readouterr().out


def test_a_failure_prints_a_sentence_and_a_remedy_and_sets_the_status(
    azure: FakeAzure, capsys: pytest.CaptureFixture[str]
) -> None:
    azure.fail("account show", "Please run 'az login' to setup account.")
    assert run_command(["deploy", "--env", "staging", "--subscription="], session_opener(azure)) is Exit.SIGN_IN
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "Failed: The Azure CLI is not logged in, or its login has expired.",
        "Remedy: az login",
    ]


def test_a_rollback_before_any_deployment_names_the_command_to_run_first(
    azure: FakeAzure, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["rollback", "--env", "staging"], session_opener(azure)) is Exit.USAGE
    assert "run `make deploy ENV=staging` first" in capsys.readouterr().out


def test_staging_cannot_be_promoted_to(azure: FakeAzure, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["promote", "--env", "staging"], session_opener(azure)) is Exit.USAGE
    assert "Only production" in capsys.readouterr().out
    assert azure.command_names() == []


@pytest.mark.parametrize("environment", ["prod", "local", "[red]"])
def test_an_environment_that_does_not_exist_is_named_with_those_that_do(
    azure: FakeAzure, capsys: pytest.CaptureFixture[str], environment: str
) -> None:
    assert run_command(["deploy", "--env", environment], session_opener(azure)) is Exit.USAGE
    assert capsys.readouterr().out.splitlines() == [
        f"Failed: '{environment}' is not an environment that can be deployed.",
        "Remedy: ENV=staging or ENV=production (without make: --env)",
    ]
    assert azure.command_names() == []


@pytest.mark.parametrize("words", [["deploy"], ["deploy", "--env"], ["deploy", "--env", "staging", "--to"], ["undo"]])
def test_a_wrong_option_ends_with_status_2(azure: FakeAzure, words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run_command(words, session_opener(azure))
    assert caught.value.code == Exit.USAGE


def test_without_a_terminal_a_question_is_answered_with_no_unless_the_option_yes_is_given() -> None:
    without_yes, with_yes = (argparse.Namespace(env="staging", yes=yes) for yes in (False, True))
    assert not open_terminal_session(without_yes, Output()).ask("Continue?")
    assert open_terminal_session(with_yes, Output()).ask("Continue?")
