"""`cosell connect partner-center`: a person signs in once; what was granted is tried, and only then stored."""

import sys
import time
import webbrowser
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import httpx
import typer
from msgspec import Struct
from rich.markup import escape

from shared.app import App
from shared.cli.app_credential import (
    AppCredential,
    credential_in_use,
    make_new_certificate,
    put_into_use,
    select_credential,
    store_client_secret,
)
from shared.cli.command import Env, Json, run_command
from shared.cli.consent_check import ConsentCheck, check_consent
from shared.cli.environment import Environment
from shared.cli.exit_codes import Exit
from shared.cli.output import Output, ProgressBar
from shared.cli.sign_in_redirect import RedirectListener
from shared.clients.partner_center.consent import Consent, Flow, Granted
from shared.clients.partner_center.sign_in import SecretNames
from shared.doctor.finding import Result
from shared.foundation.errors import ConfigurationError, SignInFailed
from shared.transport.client import open_client

MARKS = {Result.OK: "[green]ok[/green]", Result.FAILED: "[red]failed[/red]", Result.SKIPPED: "[yellow]skipped[/yellow]"}
PATIENCE = 300
"""Seconds for the person to sign in."""


def _asked_secret() -> str:
    """Typed without being shown, or from a pipe."""
    if sys.stdin.isatty():
        return str(typer.prompt("Client secret (its Value)", hide_input=True, err=True))
    return sys.stdin.readline()


class ConnectOptions(Struct, frozen=True):
    """The command's options, and what a test replaces: the browser, the pause between two questions, the secret."""

    device_code: bool = False
    browser: bool = True
    make_certificate: bool = False
    client_secret: bool = False
    secret_ends: datetime | None = None
    port: int = 0
    seconds: float = PATIENCE
    open_browser: Callable[[str], bool] = webbrowser.open
    pause: Callable[[float], None] = time.sleep
    ask_secret: Callable[[], str] = _asked_secret


def connect_partner_center(  # noqa: PLR0913, PLR0917 - one option each
    env: Env,
    device_code: Annotated[
        bool, typer.Option("--device-code", help="By a code typed elsewhere; only for a public registration.")
    ] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address, open nothing.")] = False,
    new_certificate: Annotated[
        bool, typer.Option("--make-certificate", help="Make a certificate, say what to upload, and stop.")
    ] = False,
    client_secret: Annotated[
        bool, typer.Option("--client-secret", help="Ask for the app registration's client secret, or read stdin.")
    ] = False,
    secret_ends: Annotated[
        datetime | None, typer.Option("--secret-ends", formats=["%Y-%m-%d"], help="The day on which it ends.")
    ] = None,
    port: Annotated[int, typer.Option("--port", help="Where the browser comes back to; 0: a free one.")] = 0,
    wait: Annotated[float, typer.Option("--wait", help="Seconds to wait for the person.")] = PATIENCE,
    as_json: Json = False,
) -> None:
    """Sign in once as the integration account: tried for MFA, role and both APIs, then stored in Key Vault."""
    ends = secret_ends.replace(tzinfo=UTC) if secret_ends else None
    wanted = ConnectOptions(device_code, not no_browser, new_certificate, client_secret, ends, port, wait)
    run_command(env, as_json, lambda environment, output: run_connect_partner_center(environment, output, wanted))


def run_connect_partner_center(environment: Environment, output: Output, wanted: ConnectOptions) -> Exit:
    """Do it. Raises SignInFailed, ConfigurationError, and what passes by itself; nothing is stored then."""
    app = App()
    try:
        if wanted.make_certificate:
            return make_new_certificate(app, environment, output)
        _check(app, wanted)
        if wanted.client_secret:
            store_client_secret(app, wanted.ask_secret(), wanted.secret_ends)
            output.say("The client secret is in Key Vault.")
        return _connect(app, output, wanted)
    finally:
        app.close()


def _check(app: App, wanted: ConnectOptions) -> None:
    is_public = app.settings.partner_center.public_client
    if wanted.device_code and not is_public:
        raise ConfigurationError(
            "--device-code: it is for a public registration, which has no credential. Leave it out to sign in by "
            "browser, or make the registration public and say so (example: PARTNER_CENTER_PUBLIC_CLIENT=true)"
        )
    if wanted.client_secret and is_public:
        raise ConfigurationError(
            "--client-secret: a public registration has no credential (example: PARTNER_CENTER_PUBLIC_CLIENT=false)"
        )


def _connect(app: App, output: Output, wanted: ConnectOptions) -> Exit:
    with open_client(app.settings.vault.ca_bundle) as http:
        proof, consent = _proven(app, http, output)
        output.say(escape(f"The app proves itself by {proof.name}."))
        granted = _by_device(consent, output, wanted) if wanted.device_code else _by_browser(consent, output, wanted)
        with output.show_progress("trying what was granted"):
            trial = check_consent(app, consent, granted)
    _show(trial, output)
    stored = [] if trial.has_failed else _stored(app, proof, trial)
    output.say(_conclusion(stored))
    output.print_document({**trial.as_document(), "stored": stored})
    return Exit.OK if stored else Exit.SIGN_IN


def _proven(app: App, http: httpx.Client, output: Output) -> tuple[AppCredential, Consent]:
    """The credential; a new certificate that is not uploaded yet gives way to what is in use, if there is anything."""
    registration, proof = app.registration(app.settings.partner_center.scope), select_credential(app)
    consent = Consent(http, registration, proof.credential)
    if proof.new_certificate is None:
        return proof, consent
    try:
        consent.check_certificate()
    except SignInFailed as unknown:
        try:
            proof = credential_in_use(app)
        except SignInFailed:
            raise unknown from None
        output.say("Entra ID does not know the new certificate yet: upload it, then run the command again.")
        return proof, Consent(http, registration, proof.credential)
    return proof, consent


def _by_browser(consent: Consent, output: Output, wanted: ConnectOptions) -> Granted:
    with _redirect(wanted.port) as redirect:
        flow = consent.begin(redirect.url)
        redirect.expect_state(flow["state"])
        output.say("Sign in as the integration account, with multi-factor authentication:")
        output.say(escape(flow["auth_uri"]))
        if wanted.browser and not _opened(wanted.open_browser, flow["auth_uri"]):
            output.say("No browser could be opened: open the address yourself, on this machine.")
        with output.show_progress("waiting for the browser", int(wanted.seconds)) as bar:
            answer = _waited(lambda: redirect.wait_for_answer(min(1.0, wanted.seconds)), wanted.seconds, bar)
    if answer is None:
        raise SignInFailed(
            f"sign-in to Partner Center: nobody came back from the browser within {wanted.seconds:g} seconds",
            code="noAnswer",
            remedy="Try again. If the page said AADSTS50011, add http://localhost to the redirect URIs of the app"
            " registration (platform Web; of a public one Mobile and desktop applications).",
        )
    return consent.finish(flow, answer)


def _waited[T](look: Callable[[], T | None], seconds: float, bar: ProgressBar) -> T | None:
    """What `look` finds within so many seconds."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        left = end - time.monotonic()
        if found is not None or left <= 0:
            return found
        bar.move_to(int(seconds - left))


def _by_device(consent: Consent, output: Output, wanted: ConnectOptions) -> Granted:
    flow = consent.begin_device()
    output.say(escape(str(flow.get("message", ""))))
    with output.show_progress("waiting for the person", int(wanted.seconds)) as bar:
        granted = _waited(lambda: _polled(consent, flow, wanted.pause), wanted.seconds, bar)
    if granted is None:
        raise SignInFailed(
            f"sign-in to Partner Center: nobody typed the code within {wanted.seconds:g} seconds",
            code="noAnswer",
            remedy="Try again, and open the page at once.",
        )
    return granted


def _polled(consent: Consent, flow: Flow, pause: Callable[[float], None]) -> Granted | None:
    pause(flow["interval"])
    return consent.poll(flow)


def _redirect(port: int) -> RedirectListener:
    try:
        return RedirectListener(port)
    except (OSError, OverflowError):
        raise ConfigurationError(f"--port: {port} cannot be listened on (example: --port 0, for a free one)") from None


def _opened(open_browser: Callable[[str], bool], address: str) -> bool:
    try:
        return open_browser(address)
    except webbrowser.Error:
        return False


def _show(trial: ConsentCheck, output: Output) -> None:
    if trial.account:
        output.say(escape(f"Signed in as {trial.account}."))
    rows = [
        (name, MARKS[verdict.result], escape(f"{verdict.found}\n{verdict.remedy}".strip()))
        for name, verdict in trial.verdicts.items()
    ]
    output.print_table(("check", "", "found"), rows)


def _stored(app: App, proof: AppCredential, trial: ConsentCheck) -> list[str]:
    """Put into the vault what has proven itself; the names of the secrets."""
    names = SecretNames()
    if proof.new_certificate is not None:
        put_into_use(app, proof.new_certificate)
    app.vault.set(names.refresh_token, trial.refresh_token)
    return [names.refresh_token, *([str(names.certificate)] if proof.new_certificate else [])]


def _conclusion(stored: list[str]) -> str:
    if stored:
        return f"Stored in Key Vault: {', '.join(stored)}. The app uses it within a quarter of an hour."
    return "Nothing was stored: mend what failed, then run the command again."
