"""`cosell connect partner-center` with a browser, and its exit codes and JSON, against the emulated systems."""

import json
import socket
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from typer.testing import CliRunner

from emulators.entra.tokens import REFERRALS_AUDIENCE
from local.systems import Systems
from shared.cli.environment import Environment, write_environment
from shared.cli.exit_codes import Exit
from shared.cli.main import app as command
from shared.foundation.errors import (
    ConfigurationError,
    ConsentNeeded,
    CosellError,
    MfaRequired,
    SignInFailed,
    Unavailable,
)
from tests.unit.cli.connect_partner_center.sign_in_steps import (
    PLACEHOLDER,
    REFRESH_TOKEN,
    Person,
    connect,
    journal_tags,
    make_registration_public,
    stored_secret,
)


def test_a_person_signs_in_and_the_refresh_token_is_stored(
    systems: Systems, person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    assert connect(person) is Exit.OK

    assert stored_secret(systems) in systems.partner.entra._grants
    assert "close this window" in person.pages[0]
    output = capsys.readouterr().out
    assert "Stored in Key Vault: partner-center-refresh-token." in output
    assert "Signed in as integration@contoso.example." in output
    assert stored_secret(systems) not in output


def test_the_sign_in_address_has_challenge_state_and_a_loopback_redirect(person: Person) -> None:
    connect(person)

    parameters = person.requested_parameters
    assert (parameters["response_type"], parameters["code_challenge_method"]) == ("code", "S256")
    assert parameters["prompt"] == "login"
    assert parameters["response_mode"] == "form_post"
    assert len(parameters["state"]) >= 16
    assert len(parameters["code_challenge"]) == 43
    assert urlsplit(parameters["redirect_uri"]).hostname == "localhost"
    assert {"offline_access", f"{REFERRALS_AUDIENCE}/.default"} <= set(parameters["scope"].split())


def test_both_audiences_are_redeemed_from_one_consent_even_if_each_token_is_valid_only_once(
    systems: Systems, person: Person
) -> None:
    systems.partner.entra.settings.rotation = "invalidate"

    assert connect(person) is Exit.OK

    assert systems.partner.entra._grants[stored_secret(systems)].expires > 0
    assert journal_tags(systems).count("token") == 3


def test_with_no_browser_the_address_is_printed_and_nothing_is_opened(
    systems: Systems, person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SignInFailed, match="browser did not return") as late:
        connect(person, browser=False, seconds=0.05)

    assert (
        f"{systems.partner.entra_url}/{systems.partner.entra.tenant}/oauth2/v2.0/authorize?" in capsys.readouterr().out
    )
    assert (person.opened, stored_secret(systems)) == ([], PLACEHOLDER)
    assert "http://localhost" in late.value.remedy


@pytest.mark.usefixtures("systems")
def test_without_a_working_browser_the_person_is_asked_to_open_the_address(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SignInFailed):
        connect(seconds=0.05, open_browser=lambda _: False)

    assert "open the address yourself" in capsys.readouterr().out


def test_an_answer_with_another_state_is_ignored(systems: Systems, person: Person) -> None:
    answers: list[int] = []

    def send_foreign_answers_first(address: str) -> bool:
        redirect = parse_qs(urlsplit(address).query)["redirect_uri"][0]
        for query in ("code=x&state=guessed", "code=x", "error=access_denied&state=", ""):
            with httpx.Client(trust_env=False, timeout=60) as other:
                answers.append(other.post(redirect, content=query).status_code)
                answers.append(other.get(f"{redirect}/?{query}").status_code)
        return person(address)

    assert connect(open_browser=send_foreign_answers_first) is Exit.OK

    assert answers == [404] * 8
    assert stored_secret(systems) != PLACEHOLDER


def test_an_unused_connection_does_not_block_the_sign_in(person: Person) -> None:
    def connect_without_a_request_first(address: str) -> bool:
        redirect = urlsplit(parse_qs(urlsplit(address).query)["redirect_uri"][0])
        with socket.create_connection(("127.0.0.1", redirect.port or 0)):
            return person(address)

    assert connect(open_browser=connect_without_a_request_first) is Exit.OK


def test_a_port_that_is_in_use_is_reported(person: Person) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigurationError, match="--port"):
        connect(person, port=taken.getsockname()[1])


def test_a_refused_consent_is_reported_with_its_code(systems: Systems, person: Person) -> None:
    systems.partner.entra.settings.person = "refuses"

    with pytest.raises(ConsentNeeded) as refused:
        connect(person)

    assert (refused.value.code, stored_secret(systems)) == ("AADSTS65004", PLACEHOLDER)


TOKEN_ERRORS = (
    (70008, ConsentNeeded), (700082, ConsentNeeded), (50173, ConsentNeeded), (50076, MfaRequired),
    (50079, MfaRequired), (50078, MfaRequired), (50158, MfaRequired), (53003, SignInFailed),
    (65001, ConsentNeeded), (700007, SignInFailed), (700016, SignInFailed), (7000215, SignInFailed),
    (7000222, SignInFailed), (50057, SignInFailed), (50034, SignInFailed), (50126, SignInFailed),
    (500011, SignInFailed), (90033, Unavailable), (90024, Unavailable), (7000112, SignInFailed),
)  # fmt: skip
"""The codes of docs/reference/partner-center.md#token-endpoint-errors, and the code of a disabled app."""
REDIRECT_ERRORS = ((53003, SignInFailed), (65001, ConsentNeeded), (90094, ConsentNeeded), (50105, SignInFailed))


@pytest.mark.parametrize(
    ("at", "code", "kind"),
    [*(("token", *each) for each in TOKEN_ERRORS), *(("authorize", *each) for each in REDIRECT_ERRORS)],
)
def test_every_code_of_entra_becomes_its_own_error_and_nothing_is_stored(
    systems: Systems, person: Person, at: str, code: int, kind: type[CosellError]
) -> None:
    systems.partner.entra.fail_next(code, at=at)

    with pytest.raises(kind) as refused:
        connect(person)

    assert type(refused.value) is kind
    assert getattr(refused.value, "code", f"AADSTS{code}") == f"AADSTS{code}"
    assert stored_secret(systems) == PLACEHOLDER


@pytest.mark.slow
def test_the_command_exits_with_the_documented_code_and_prints_one_document(
    systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_registration_public(systems, monkeypatch)
    write_environment(Environment("local", {**systems.environ, "PARTNER_CENTER_PUBLIC_CLIENT": "true"}))
    systems.partner.entra.settings.device_interval = 1

    done = CliRunner().invoke(command, ["connect", "partner-center", "--env", "local", "--device-code", "--json"])

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["stored"] == [REFRESH_TOKEN]


def test_a_refusal_is_one_sentence_with_a_remedy_and_exit_code_four(systems: Systems) -> None:
    write_environment(Environment("local", systems.environ))

    done = CliRunner().invoke(
        command, ["connect", "partner-center", "--env", "local", "--no-browser", "--wait", "0.05", "--json"]
    )

    assert done.exit_code == 4, done.output
    assert "redirect URIs" in json.loads(done.stdout)["remedy"]
