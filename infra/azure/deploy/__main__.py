"""Runs one command of the Makefile: `python -m infra.azure.deploy deploy|promote|rollback --env staging`."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

from rich.markup import escape

from infra.azure.deploy.deploy import deploy
from infra.azure.deploy.failure import DeploymentFailure
from infra.azure.deploy.promote import promote
from infra.azure.deploy.restore_previous_version import rollback
from infra.azure.deploy.session import ENVIRONMENTS, PRODUCTION, Session
from shared.cli.environment import Environment
from shared.cli.exit_codes import Exit, exit_code_of
from shared.cli.output import Output
from shared.cli.proxy import use_proxy_for
from shared.foundation.errors import CosellError

COMMANDS: Mapping[str, Callable[[Session, str | None], None]] = {
    "deploy": deploy,
    "promote": promote,
    "rollback": rollback,
}


def argument_parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m infra.azure.deploy", allow_abbrev=False)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--env", required=True, metavar="|".join(ENVIRONMENTS))
    parser.add_argument("--subscription", default="", help="name or id of the subscription to deploy to")
    parser.add_argument("--yes", action="store_true", help="answer every question with yes, for pipelines")
    return parser


def run_command(words: Sequence[str], open_session: Callable[[argparse.Namespace, Output], Session]) -> Exit:
    """Run one command, print a failure with its remedy, and return the exit code."""
    arguments, output = argument_parser().parse_args(words), Output()
    if arguments.env not in ENVIRONMENTS:
        output.say(f"[red]Failed:[/red] {escape(repr(arguments.env))} is not an environment that can be deployed.")
        output.say(f"Remedy: ENV={' or ENV='.join(ENVIRONMENTS)} (without make: --env)")
        return Exit.USAGE
    if arguments.command == "promote" and arguments.env != PRODUCTION:
        output.say("Only production can be promoted to. Run: make promote")
        return Exit.USAGE
    try:
        use_proxy_for(Environment(arguments.env))
        COMMANDS[arguments.command](open_session(arguments, output), arguments.subscription or None)
    except DeploymentFailure as failure:
        output.say(f"[red]Failed:[/red] {escape(failure.sentence)}")
        output.say(f"Remedy: {escape(failure.remedy)}")
        return failure.code
    except CosellError as error:
        output.say(f"[red]Failed:[/red] {escape(str(error))}")
        return exit_code_of(error)
    return Exit.OK


def open_terminal_session(arguments: argparse.Namespace, output: Output) -> Session:
    """A session that prints to the terminal and asks there, unless `--yes` answers."""

    def ask(question: str) -> bool:
        return bool(arguments.yes) or output.confirm(escape(question))

    return Session(arguments.env, lambda text: output.say(escape(text)), ask, unattended=bool(arguments.yes))


if __name__ == "__main__":
    sys.exit(run_command(sys.argv[1:], open_terminal_session))
