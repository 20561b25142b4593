"""Sign in as a Salesforce administrator for one command, never with the key of the app.

The app's key must open the integration user alone: whoever reads Key Vault can sign in as everybody whom the app admits
(docs/security.md#salesforce). So an administrator signs in as a person: by the login of the Salesforce CLI, or in the
browser by an External Client App without certificate and secret. That session ends with the command; the one of the
Salesforce CLI is not ours to end.
"""

import time
import webbrowser
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated

import typer
from msgspec import Struct
from rich.markup import escape

from shared.cli.output import Output
from shared.cli.salesforce_cli import read_login
from shared.cli.sign_in_redirect import RedirectListener
from shared.clients.salesforce.administrator_sign_in import CHECK_APP_REMEDY, BrowserSignIn, open_with_token
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.soql_literals import text_literal
from shared.clients.salesforce.token_endpoint import Token, TokenEndpoint
from shared.foundation.errors import ConfigurationError, SignInFailed
from shared.settings.variables import Settings
from shared.transport.deadline import call_deadline
from shared.transport.session import open_session

PORT = 8717
"""The port of the callback URL. Salesforce compares the whole address, so it must be in the app."""
SIGN_IN_SECONDS = 300.0
"""The time that the command waits for the person."""
CLIENT_ID_VARIABLE = "COSELL_SALESFORCE_CLIENT_ID"

TargetOrg = Annotated[
    str | None,
    typer.Option("--target-org", help="The administrator's login in the Salesforce CLI: alias or user name."),
]
ClientId = Annotated[
    str | None,
    typer.Option(
        "--client-id", envvar=CLIENT_ID_VARIABLE, help="Sign in with the browser: the consumer key of its app."
    ),
]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Print the sign-in address, and do not open a browser.")]
Port = Annotated[int, typer.Option("--port", help="The port of the app's callback URL.")]


class Administrator(Struct, frozen=True):
    """How the administrator signs in: the options of a command."""

    target_org: str | None = None
    client_id: str | None = None
    browser: bool = True
    port: int = PORT

    @property
    def words(self) -> tuple[str, ...]:
        """The options, as a command that is printed needs them."""
        if self.target_org:
            return "--target-org", self.target_org
        port = () if self.port == PORT else ("--port", str(self.port))
        return ("--client-id", self.client_id, *port) if self.client_id else ()


@contextmanager
def open_as_administrator(
    administrator: Administrator, settings: Settings, output: Output
) -> Iterator[SalesforceClient]:
    """Sign in, and open the client of the org. Raises ConfigurationError, SignInFailed, Unavailable."""
    salesforce, seconds = settings.salesforce, settings.sync.deadline_seconds
    with closing(open_session(settings.vault.ca_bundle, seconds=seconds)) as session:
        endpoint = TokenEndpoint(salesforce.url, session)
        token, username = _sign_in(administrator, endpoint, seconds, output)
        endpoint.check_same_org(token)
        client = open_with_token(token, session, version=salesforce.api_version, seconds=seconds)
        try:
            output.say(escape(f"Signed in to Salesforce as {username or _username_of(client, token)}."))
            yield client
        finally:
            if not administrator.target_org:
                endpoint.revoke(token, call_deadline(seconds))


def _sign_in(
    administrator: Administrator, endpoint: TokenEndpoint, seconds: float, output: Output
) -> tuple[Token, str]:
    if administrator.target_org:
        login = read_login(administrator.target_org)
        return login.token, login.username
    if administrator.client_id:
        return _sign_in_by_browser(administrator, administrator.client_id, endpoint, seconds, output), ""
    raise ConfigurationError(
        "--target-org or --client-id: this command acts as a Salesforce administrator. Name their login in the "
        "Salesforce CLI (example: --target-org staging), or the consumer key of the app for the browser (example: "
        "--client-id 3MVG9…)"
    )


def _sign_in_by_browser(
    administrator: Administrator, client_id: str, endpoint: TokenEndpoint, seconds: float, output: Output
) -> Token:
    with _open_listener(administrator.port) as redirect:
        sign_in = BrowserSignIn(endpoint, client_id, redirect.url)
        redirect.expect_state(sign_in.state)
        output.say("Sign in as a Salesforce administrator:")
        output.say(escape(sign_in.address))
        if administrator.browser and not _open_page(sign_in.address):
            output.say("No browser could be opened: open the address yourself, on this machine.")
        answer = _wait_for_answer(redirect, output)
    if answer is None:
        raise SignInFailed(
            f"sign-in to Salesforce: the browser did not return to {redirect.url} within {SIGN_IN_SECONDS:g} seconds",
            code="noAnswer",
            remedy=CHECK_APP_REMEDY,
        )
    return sign_in.redeem(answer, call_deadline(seconds))


def _wait_for_answer(redirect: RedirectListener, output: Output) -> dict[str, str] | None:
    end = time.monotonic() + SIGN_IN_SECONDS
    with output.show_progress("waiting for the browser", int(SIGN_IN_SECONDS)) as bar:
        while (left := end - time.monotonic()) > 0:
            if answer := redirect.wait_for_answer(min(1.0, left)):
                return answer
            bar.move_to(int(SIGN_IN_SECONDS - left))
    return None


def _open_listener(port: int) -> RedirectListener:
    try:
        return RedirectListener(port, in_query=True)
    except (OSError, OverflowError):
        raise ConfigurationError(
            f"--port: port {port} cannot be used. Choose another one, and add its address to the app's callback URLs "
            f"(example: --port {PORT + 1}, with http://localhost:{PORT + 1}/callback)"
        ) from None


def _open_page(address: str) -> bool:
    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False


def _username_of(client: SalesforceClient, token: Token) -> str:
    soql = f"SELECT Username FROM User WHERE Id = {text_literal(token.user)}"  # noqa: S608 - a checked id as a SOQL literal
    users = client.query(soql).pages[0].records
    return str(users[0]["Username"]) if users else token.user
