"""Run `cosell connect partner-center`: a person signs in once, and the result is checked before it is stored."""

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
    has_certificate,
    make_new_certificate,
    new_client_secret,
    put_into_use,
    select_credential,
)
from shared.cli.command import Env, Json, run_command
from shared.cli.consent_check import ConsentCheck, check_consent
from shared.cli.environment import Environment
from shared.cli.exit_codes import Exit
from shared.cli.output import Output, ProgressBar
from shared.cli.side_pause import end_pause
from shared.cli.sign_in_redirect import RedirectListener
from shared.cli.verdict_table import print_verdicts
from shared.clients.partner_center.consent import Consent, Flow, GrantedTokens
from shared.clients.partner_center.sign_in import SecretNames
from shared.domain.deal import Side
from shared.foundation.errors import ConfigurationError, SignInFailed
from shared.transport.client import open_client

SIGN_IN_SECONDS = 300
"""The time that the command waits for the person by default."""


def _ask_client_secret() -> str:
    """Return the client secret, typed without being shown, or read from a pipe."""
    if sys.stdin.isatty():
        return str(typer.prompt("Client secret (its Value)", hide_input=True, err=True))
    return sys.stdin.readline()


class ConnectOptions(Struct, frozen=True):
    """The options of the command. Tests also replace the browser, the pause between polls, and the secret prompt."""

    device_code: bool = False
    browser: bool = True
    make_certificate: bool = False
    client_secret: bool = False
    secret_ends: datetime | None = None
    port: int = 0
    seconds: float = SIGN_IN_SECONDS
    open_browser: Callable[[str], bool] = webbrowser.open
    pause: Callable[[float], None] = time.sleep
    ask_secret: Callable[[], str] = _ask_client_secret


def connect_partner_center(  # noqa: PLR0913, PLR0917 - one parameter for each option
    env: Env,
    device_code: Annotated[
        bool, typer.Option("--device-code", help="Sign in on another machine; only for a public registration.")
    ] = False,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the sign-in address, and do not open a browser.")
    ] = False,
    make_certificate: Annotated[
        bool, typer.Option("--make-certificate", help="Create a certificate, say what to upload, and stop.")
    ] = False,
    client_secret: Annotated[
        bool,
        typer.Option(
            "--client-secret",
            help="Use a new client secret, typed or read from stdin, and store it once a sign-in works.",
        ),
    ] = False,
    secret_ends: Annotated[
        datetime | None,
        typer.Option("--secret-ends", formats=["%Y-%m-%d"], help="The last day of the client secret."),
    ] = None,
    port: Annotated[int, typer.Option("--port", help="The port of the redirect address; 0: any free port.")] = 0,
    wait: Annotated[float, typer.Option("--wait", help="Seconds to wait for the sign-in.")] = SIGN_IN_SECONDS,
    as_json: Json = False,
) -> None:
    """Sign in once as the integration account. Checks MFA, role and both APIs, then stores the refresh token."""
    ends = secret_ends.replace(tzinfo=UTC) if secret_ends else None
    options = ConnectOptions(device_code, not no_browser, make_certificate, client_secret, ends, port, wait)
    run_command(env, as_json, lambda environment, output: run_connect_partner_center(environment, output, options))


def run_connect_partner_center(environment: Environment, output: Output, options: ConnectOptions) -> Exit:
    """Run the command. Raises SignInFailed, ConfigurationError or Retryable; the refresh token is not stored then."""
    app = App()
    try:
        if options.make_certificate:
            return make_new_certificate(app, environment, output)
        _check_options(app, options)
        new = new_client_secret(options.ask_secret(), options.secret_ends) if options.client_secret else None
        return _sign_in_and_store(app, output, options, new)
    finally:
        app.close()


def _check_options(app: App, options: ConnectOptions) -> None:
    is_public = app.settings.partner_center.public_client
    if options.device_code and not is_public:
        raise ConfigurationError(
            "--device-code: only a public registration, which has no credential, can use a device code. Leave the "
            "option out to sign in with a browser, or make the registration public and set the variable (example: "
            "PARTNER_CENTER_PUBLIC_CLIENT=true)"
        )
    if options.client_secret and is_public:
        raise ConfigurationError(
            "--client-secret: a public registration has no credential (example: PARTNER_CENTER_PUBLIC_CLIENT=false)"
        )


def _sign_in_and_store(app: App, output: Output, options: ConnectOptions, new: AppCredential | None) -> Exit:
    with open_client(app.settings.vault.ca_bundle) as http:
        credential, consent = _usable_credential(app, http, output, new or select_credential(app))
        output.say(escape(f"The app signs in with {credential.name}."))
        sign_in = _sign_in_by_device_code if options.device_code else _sign_in_by_browser
        granted = sign_in(consent, output, options)
        with output.show_progress("checking the sign-in"):
            check = check_consent(app, consent, granted)
    if check.account:
        output.say(escape(f"Signed in as {check.account}."))
    print_verdicts(check.verdicts, output)
    stored = [] if check.has_failed else _store_secrets(app, credential, check)
    output.say(_closing_sentence(stored))
    if credential.new_secret is not None and stored and has_certificate(app):
        output.say("Key Vault has a certificate too, and the app signs in with that. Delete it to use the secret.")
    was_paused = bool(stored) and end_pause(app, Side.PARTNER_CENTER, output)
    output.print_document({**check.as_document(), "stored": stored, "pause_ended": was_paused})
    return Exit.OK if stored else Exit.SIGN_IN


def _usable_credential(
    app: App, http: httpx.Client, output: Output, credential: AppCredential
) -> tuple[AppCredential, Consent]:
    """Return the credential that Entra ID accepts.

    If a new certificate is not uploaded yet, this is the credential in use. Raises SignInFailed if there is none, and
    for a new client secret that is wrong, before the person signs in.
    """
    registration = app.registration(app.settings.partner_center.scope)
    consent = Consent(http, registration, credential.credential)
    if credential.new_secret is not None:
        consent.check_credential()
    if credential.new_certificate is None:
        return credential, consent
    try:
        consent.check_credential()
    except SignInFailed as not_uploaded:
        try:
            credential = credential_in_use(app)
        except SignInFailed:
            raise not_uploaded from None
        output.say(
            "Entra ID does not know the new certificate yet: upload it, then run `cosell connect partner-center`."
        )
        return credential, Consent(http, registration, credential.credential)
    return credential, consent


def _sign_in_by_browser(consent: Consent, output: Output, options: ConnectOptions) -> GrantedTokens:
    with _open_redirect_listener(options.port) as redirect:
        flow = consent.begin_browser_sign_in(redirect.url)
        redirect.expect_state(flow["state"])
        output.say("Sign in as the integration account, with multi-factor authentication:")
        output.say(escape(flow["auth_uri"]))
        if options.browser and not _open_page(options.open_browser, flow["auth_uri"]):
            output.say("No browser could be opened: open the address yourself, on this machine.")
        with output.show_progress("waiting for the browser", int(options.seconds)) as bar:
            answer = _poll_until(lambda: redirect.wait_for_answer(min(1.0, options.seconds)), options.seconds, bar)
    if answer is None:
        raise SignInFailed(
            f"sign-in to Partner Center: the browser did not return within {options.seconds:g} seconds",
            code="noAnswer",
            remedy="Try again. If the page showed AADSTS50011, add http://localhost to the redirect URIs of the app"
            " registration (platform Web; for a public registration: Mobile and desktop applications).",
        )
    return consent.finish_browser_sign_in(flow, answer)


def _poll_until[T](poll: Callable[[], T | None], seconds: float, bar: ProgressBar) -> T | None:
    """Call `poll` until it returns a value, and return that; None if `seconds` pass first."""
    end = time.monotonic() + seconds
    while True:
        value = poll()
        left = end - time.monotonic()
        if value is not None or left <= 0:
            return value
        bar.move_to(int(seconds - left))


def _sign_in_by_device_code(consent: Consent, output: Output, options: ConnectOptions) -> GrantedTokens:
    flow = consent.begin_device_sign_in()
    output.say(escape(str(flow.get("message", ""))))
    with output.show_progress("waiting for the sign-in", int(options.seconds)) as bar:
        granted = _poll_until(lambda: _poll_device_code(consent, flow, options.pause), options.seconds, bar)
    if granted is None:
        raise SignInFailed(
            f"sign-in to Partner Center: the code was not entered within {options.seconds:g} seconds",
            code="noAnswer",
            remedy="Try again, and open the page at once.",
        )
    return granted


def _poll_device_code(consent: Consent, flow: Flow, pause: Callable[[float], None]) -> GrantedTokens | None:
    pause(flow["interval"])
    return consent.poll_device_sign_in(flow)


def _open_redirect_listener(port: int) -> RedirectListener:
    try:
        return RedirectListener(port)
    except (OSError, OverflowError):
        raise ConfigurationError(f"--port: port {port} cannot be used (example: --port 0, for any free port)") from None


def _open_page(open_browser: Callable[[str], bool], address: str) -> bool:
    try:
        return open_browser(address)
    except webbrowser.Error:
        return False


def _store_secrets(app: App, credential: AppCredential, check: ConsentCheck) -> list[str]:
    """Store the refresh token, put a new credential into use, and return the names of the stored secrets."""
    new = put_into_use(app, credential)
    app.vault.set(SecretNames().refresh_token, check.refresh_token)
    return [SecretNames().refresh_token, *new]


def _closing_sentence(stored: list[str]) -> str:
    if stored:
        return f"Stored in Key Vault: {', '.join(stored)}. The app uses it within 15 minutes."
    return "Nothing was stored. Correct what failed, then run `cosell connect partner-center` again."
