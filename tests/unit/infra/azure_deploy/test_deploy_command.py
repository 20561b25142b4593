"""The command: options, sentences, exit codes."""

import argparse
from collections.abc import Callable

import pytest

from infra.azure.deploy.__main__ import run, session_of
from infra.azure.deploy.session import Session
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from tests.unit.infra.azure_deploy.stage import Stage


def on(stage: Stage) -> Callable[[argparse.Namespace, Output], Session]:
    def made(said: argparse.Namespace, output: Output) -> Session:
        session = stage.session(said.env, unattended=said.yes)
        session.say = output.say
        return session

    return made


def test_a_deployment_ends_with_status_0(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["deploy", "--env", "staging", "--subscription", "Contoso", "--yes"], on(stage)) is Exit.OK
    assert "staging is deployed and healthy" in capsys.readouterr().out


def test_a_stop_is_a_sentence_a_remedy_and_its_status(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.fails("account show", "Please run 'az login' to setup account.")
    assert run(["deploy", "--env", "staging", "--subscription="], on(stage)) is Exit.SIGN_IN
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "Stopped: The Azure CLI is not logged in, or its login has ended.",
        "Remedy: az login",
    ]


def test_a_rollback_before_any_deployment_says_what_is_missing(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["rollback", "--env", "staging"], on(stage)) is Exit.USAGE
    assert "run `make deploy ENV=staging` first" in capsys.readouterr().out


def test_only_production_is_promoted_to(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["promote", "--env", "staging"], on(stage)) is Exit.USAGE
    assert "Only production" in capsys.readouterr().out
    assert stage.commands() == []


@pytest.mark.parametrize("words", [["deploy"], ["deploy", "--env", ""], ["deploy", "--env", "prod"], ["undo"]])
def test_a_wrong_option_ends_with_status_2(stage: Stage, words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(words, on(stage))
    assert caught.value.code == Exit.USAGE


def test_where_nobody_can_answer_the_answer_is_no() -> None:
    said = argparse.Namespace(env="staging", yes=False)
    assert not session_of(said, Output()).ask("Go on?")
    assert session_of(argparse.Namespace(env="staging", yes=True), Output()).ask("Go on?")
