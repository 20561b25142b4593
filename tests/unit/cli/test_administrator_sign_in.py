"""How an administrator signs in for `cosell salesforce`: by the Salesforce CLI, or in the browser."""

import json
import re
import socket
import webbrowser
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from emulators.base.faults import Fault, FaultKind
from emulators.salesforce import SalesforceEmulator
from local.systems import Systems
from shared.cli import administrator
from shared.cli.environment import Environment, write_environment
from shared.clients.salesforce import administrator_sign_in, metadata_deploy
from tests.unit.cli.printed_commands import printed_commands
from tests.unit.cli.salesforce_commands import document_of, run_cosell
from tests.unit.cli.stand_in_az import StandInAz
from tests.unit.cli.stand_in_sf import ADMIN, log_in, put_sf_on_path

pytestmark = pytest.mark.slow

APP = "3MVG9BROWSER"
ADMINISTRATOR, SELLER = "ada.admin@partner.example", "sam.seller@partner.example"
DEPLOY = ("deploy", "--check-only")


@pytest.fixture
def org(systems: Systems, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SalesforceEmulator:
    """An org without our metadata, and the environment `local` with its address."""
    monkeypatch.setattr(metadata_deploy, "POLL_PAUSES", (0.0,))
    monkeypatch.chdir(tmp_path)
    write_environment(Environment("local", systems.environ))
    systems.salesforce.bare = True
    systems.reset()
    return systems.salesforce


@pytest.fixture
def sf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandInAz:
    return put_sf_on_path(tmp_path / "bin", monkeypatch)


@dataclass
class Person:
    """The person at the browser: opens the page, types a user name, and goes where the page leads."""

    systems: Systems
    port: int
    username: str = ADMINISTRATOR
    pages: list[str] = field(default_factory=list)

    @property
    def options(self) -> tuple[str, ...]:
        """The options of a command that this person answers."""
        return ("--client-id", APP, "--port", str(self.port))

    def open(self, address: str, *_: object) -> bool:
        context = self.systems.authority.client_context()
        with httpx.Client(verify=context, trust_env=False, timeout=60, follow_redirects=True) as browser:
            self.pages.append(browser.get(address).text)
            if "<form" in self.pages[-1]:
                self.pages.append(browser.post(address, data={"username": self.username, "pw": "any"}).text)
        return True


@pytest.fixture
def person(systems: Systems, org: SalesforceEmulator, monkeypatch: pytest.MonkeyPatch) -> Person:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    org.register_browser_app(APP, (f"http://localhost:{port}/callback",), [ADMINISTRATOR])
    person = Person(systems, port)
    monkeypatch.setattr(webbrowser, "open", person.open)
    monkeypatch.setattr(administrator, "SIGN_IN_SECONDS", 2.0)
    return person


# --- in the browser


def test_an_administrator_signs_in_by_the_browser_and_no_secret_is_printed(
    org: SalesforceEmulator, person: Person
) -> None:
    result = run_cosell("deploy", *person.options)
    assert result.exit_code == 0, result.output
    assert f"Signed in to Salesforce as {ADMINISTRATOR}." in result.output
    assert "The sign-in is finished" in person.pages[-1]
    assert "code_challenge_method=S256" in result.output
    assert org.oauth.sessions == {}  # the session ended with the command
    assert not re.search(r"00D\w{12}!", result.output)
    assert "code_verifier" not in result.output
    assert not re.search(r"[?&]code=", result.output)


def test_the_command_that_is_printed_signs_in_the_same_way(person: Person) -> None:
    [add_section] = printed_commands(run_cosell("deploy", *person.options).output)
    assert add_section == ["salesforce", "add-section", "--env", "local", *person.options, "Opportunity Layout"]


@pytest.mark.usefixtures("org")
def test_a_variable_of_the_shell_can_hold_the_consumer_key(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSELL_SALESFORCE_CLIENT_ID", APP)
    assert run_cosell(*DEPLOY, "--port", str(person.port)).exit_code == 0


@pytest.mark.parametrize(
    ("changes", "page"),
    [(("--client-id", "3MVG9UNKNOWN"), "invalid_client_id"), (("--port", "0"), "redirect_uri_mismatch")],
)
def test_a_wrong_app_or_callback_ends_with_what_to_check(
    person: Person, changes: tuple[str, ...], page: str, org: SalesforceEmulator
) -> None:
    result = run_cosell(*DEPLOY, *person.options, *changes, "--json")
    assert (result.exit_code, document_of(result)["error"]) == (4, "SignInFailed")
    assert "its callback URL is exactly the address of this command" in document_of(result)["remedy"]
    assert "did not return to http://localhost:" in document_of(result)["message"]
    assert page in person.pages[-1]
    assert org.deployments.jobs == {}


def test_a_user_whom_the_app_does_not_admit_is_refused(person: Person, org: SalesforceEmulator) -> None:
    person.username = SELLER
    result = run_cosell(*DEPLOY, *person.options, "--json")
    assert result.exit_code == 4
    assert "OAUTH_APP_ACCESS_DENIED" in document_of(result)["message"]
    assert "its policies admit this administrator" in document_of(result)["remedy"]
    assert org.deployments.jobs == {}


def test_an_admitted_user_without_the_right_may_not_deploy(person: Person, org: SalesforceEmulator) -> None:
    org.admit_user(APP, SELLER)
    person.username = SELLER
    assert run_cosell(*DEPLOY, *person.options).exit_code == 3


def test_a_session_that_cannot_be_ended_fails_no_command(org: SalesforceEmulator, person: Person) -> None:
    for fault in (Fault(FaultKind.DROP, path="oauth2/revoke$"), Fault(FaultKind.ANSWER, path="oauth2/revoke$")):
        org.faults.append(fault)
        assert run_cosell(*DEPLOY, *person.options).exit_code == 0
    assert len(org.oauth.sessions) == 2


def test_a_code_that_somebody_else_redeems_is_worth_nothing(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    redeem = administrator_sign_in.BrowserSignIn.redeem

    def redeem_with_another_verifier(sign_in: administrator_sign_in.BrowserSignIn, *words: object) -> object:
        sign_in._verifier = "w" * 64
        return redeem(sign_in, *words)  # type: ignore[arg-type]  # the words are passed on as they are

    monkeypatch.setattr(administrator_sign_in.BrowserSignIn, "redeem", redeem_with_another_verifier)
    result = run_cosell(*DEPLOY, *person.options, "--json")
    assert (result.exit_code, "invalid_grant" in document_of(result)["message"]) == (4, True)


def test_a_port_in_use_is_a_wrong_option(person: Person) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        result = run_cosell(*DEPLOY, *person.options, "--port", str(other.getsockname()[1]))
    assert result.exit_code == 2
    assert "add its address to the app's callback URLs" in result.output


# --- by the Salesforce CLI


def test_the_login_of_the_salesforce_cli_is_taken_over_and_its_session_is_never_shown(
    org: SalesforceEmulator, sf: StandInAz, systems: Systems
) -> None:
    token = log_in(sf, "admin", org, systems.salesforce_url, org.founding.administrator)
    result = run_cosell(*DEPLOY, *ADMIN)
    assert result.exit_code == 0, result.output
    assert f"Signed in to Salesforce as {ADMINISTRATOR}." in result.output
    assert token not in result.output
    assert token in org.oauth.sessions  # it is the Salesforce CLI's
    assert sf.calls == [
        ["org", "display", *ADMIN, "--json"], ["org", "auth", "show-access-token", *ADMIN, "--json"],
    ]  # fmt: skip


def test_versions_before_the_redaction_show_the_session_at_once(
    org: SalesforceEmulator, sf: StandInAz, systems: Systems
) -> None:
    shown = {
        "id": org.organization, "instanceUrl": f"{systems.salesforce_url}/", "username": ADMINISTRATOR,
        "accessToken": org.oauth.issue_session_id(org.founding.administrator),
    }  # fmt: skip
    sf.answer("org display", {"status": 0, "result": shown})
    assert run_cosell(*DEPLOY, *ADMIN).exit_code == 0
    assert len(sf.calls) == 1


@pytest.mark.parametrize("stream", ["out", "err"])
@pytest.mark.usefixtures("org")
def test_an_unknown_login_is_reported_with_the_command_that_makes_it(sf: StandInAz, stream: str) -> None:
    error = {"name": "NamedOrgNotFoundError", "message": "Parsing --target-org: secret words", "exitCode": 2}
    if stream == "out":
        sf.answer("org display", error, code=2)
    else:
        sf.answer("org display", err=json.dumps(error), code=2)
    result = run_cosell(*DEPLOY, *ADMIN, "--json")
    assert result.exit_code == 4
    assert "NamedOrgNotFoundError" in document_of(result)["message"]
    assert "sf org login web --alias admin --instance-url ADDRESS" in document_of(result)["remedy"]
    assert "secret words" not in result.output


@pytest.mark.parametrize("shown", [None, {"status": 0, "result": {}}, {"status": 0, "result": []}, "text"])
@pytest.mark.usefixtures("org")
def test_an_answer_without_a_session_is_no_login(sf: StandInAz, shown: object) -> None:
    sf.answer("org", shown)
    assert run_cosell(*DEPLOY, *ADMIN).exit_code == 4


def test_a_session_that_has_ended_is_reported(org: SalesforceEmulator, sf: StandInAz, systems: Systems) -> None:
    log_in(sf, "admin", org, systems.salesforce_url, org.founding.administrator)
    org.oauth.sessions.clear()
    result = run_cosell(*DEPLOY, *ADMIN, "--json")
    assert (result.exit_code, document_of(result)["remedy"]) == (4, "Sign in again.")


def test_a_login_to_another_org_is_refused_before_anything_is_sent_there(
    org: SalesforceEmulator, sf: StandInAz
) -> None:
    log_in(sf, "admin", org, "https://acme.my.salesforce.com", org.founding.administrator)
    result = run_cosell(*DEPLOY, *ADMIN)
    assert result.exit_code == 2
    assert "signed in to acme.my.salesforce.com: sign in to the org of this environment" in result.output
    assert org.journal == []


@pytest.mark.usefixtures("org")
def test_a_missing_salesforce_cli_is_reported_with_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    result = run_cosell(*DEPLOY, *ADMIN)
    assert result.exit_code == 2
    assert "install it, or sign in with the browser (--client-id)" in result.output


# --- neither


def test_without_an_administrator_nothing_is_sent_and_the_key_of_the_app_is_not_read(
    org: SalesforceEmulator, systems: Systems
) -> None:
    for words in (DEPLOY, ("add-section", "Opportunity Layout")):
        result = run_cosell(*words)
        assert result.exit_code == 2
        assert "--target-org or --client-id: this command acts as a Salesforce administrator" in result.output
    assert org.journal == systems.vault.journal == []


def test_a_user_name_is_no_longer_an_option() -> None:
    assert run_cosell("deploy", "--user", ADMINISTRATOR).exit_code == 2
