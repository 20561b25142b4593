"""`python -m infra.azure.deploy deploy|promote|rollback --env staging`; the Makefile's targets call it."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

from rich.markup import escape

from infra.azure.deploy.failure import Stopped
from infra.azure.deploy.flows import ENVIRONMENTS, PRODUCTION, deploy, promote, rollback
from infra.azure.deploy.session import Session
from shared.cli.exit_codes import Exit, exit_code_of
from shared.cli.output import Output
from shared.foundation.errors import CosellError

FLOWS: Mapping[str, Callable[[Session, str | None], None]] = {
    "deploy": deploy,
    "promote": promote,
    "rollback": rollback,
}


def parser() -> argparse.ArgumentParser:
    """The options."""
    parsed = argparse.ArgumentParser(prog="python -m infra.azure.deploy", allow_abbrev=False)
    parsed.add_argument("flow", choices=FLOWS)
    parsed.add_argument("--env", required=True, choices=ENVIRONMENTS)
    parsed.add_argument("--subscription", default="", help="name or id of the subscription that is meant")
    parsed.add_argument("--yes", action="store_true", help="answer every question with yes: for pipelines")
    return parsed


def run(words: Sequence[str], session: Callable[[argparse.Namespace, Output], Session]) -> Exit:
    """One command; its exit code."""
    said, output = parser().parse_args(words), Output()
    if said.flow == "promote" and said.env != PRODUCTION:
        output.say("Only production is promoted to: make promote ENV=production")
        return Exit.USAGE
    try:
        FLOWS[said.flow](session(said, output), said.subscription or None)
    except Stopped as stop:
        output.say(f"[red]Stopped:[/red] {escape(stop.sentence)}")
        output.say(f"Remedy: {escape(stop.remedy)}")
        return stop.code
    except CosellError as error:
        output.say(f"[red]Stopped:[/red] {escape(str(error))}")
        return exit_code_of(error)
    return Exit.OK


def session_of(said: argparse.Namespace, output: Output) -> Session:
    """A session at the terminal."""

    def ask(question: str) -> bool:
        return bool(said.yes) or output.confirm(escape(question))

    return Session(said.env, lambda text: output.say(escape(text)), ask, unattended=bool(said.yes))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], session_of))
