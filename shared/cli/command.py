"""Share the parts of every command: `--env`, `--json`, and errors as one sentence with an exit code."""

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from shared.cli.deployed_names import open_environment
from shared.cli.environment import Environment
from shared.cli.exit_codes import Exit, exit_code_of
from shared.cli.next_command import CommandOptions
from shared.cli.output import Output, plain
from shared.cli.proxy import use_proxy_for
from shared.cli.store_access import explain_refusal
from shared.foundation.errors import (
    Ambiguous,
    ConfigurationError,
    CosellError,
    Rejected,
    SignInFailed,
    StoreError,
    Unavailable,
)
from shared.transport.proxy import describe_blocked_connections

Env = Annotated[str, typer.Option("--env", help="The name of a deployed environment, or local.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document to stdout.")]


def run_command(
    env: str,
    as_json: bool,
    work: Callable[[Environment, Output], Exit | None],
    *,
    administrator: Sequence[str] = (),
) -> None:
    """Run `work` in an environment, and end the process with its exit code (docs/command-line.md#exit-codes).

    `administrator` are the options by which the command signs in to Salesforce. The commands that it prints get them.
    """
    output = Output(as_json=as_json, complete=CommandOptions(env, tuple(administrator)).complete)
    try:
        environment = open_environment(env, output)
        environment.apply_to_process()
        use_proxy_for(environment)
        code = work(environment, output) or Exit.OK
    except CosellError as error:
        raise typer.Exit(_report_error(output, error)) from None
    raise typer.Exit(code)


def _report_error(output: Output, error: CosellError) -> Exit:
    refusal = explain_refusal(error) if isinstance(error, StoreError) else None
    remedy, code = refusal or (_remedy_of(error), exit_code_of(error))
    sentence = f"{str(error).rstrip('.')}." if remedy else str(error)
    # A class of errors leads to docs/errors.md; a wrong option or setting is explained by its sentence alone.
    head = "Error" if isinstance(error, ConfigurationError) else type(error).__name__
    output.say(f"[red]{head}[/red]: {plain(f'{sentence} {remedy}'.rstrip())}")
    output.print_document(
        {"ok": False, "error": type(error).__name__, "message": str(error), "remedy": remedy, "exit": code}
    )
    return code


def _remedy_of(error: CosellError) -> str:
    match error:
        case SignInFailed():
            return error.remedy
        case Rejected():
            return error.cause.remedy
        case Unavailable() | Ambiguous() | StoreError():
            return describe_blocked_connections()
    return ""
