"""`cosell connect partner-center` by browser, and its surface, against the emulated systems."""

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
from tests.unit.cli.connect_partner_center.connect_bench import (
    PLACEHOLDER,
    RT,
    Person,
    connect,
    forms,
    public,
    stored,
)


def test_a_person_signs_in_and_the_refresh_token_is_stored(
    systems: Systems, person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    assert connect(person) is Exit.OK

    assert stored(systems) in systems.partner.entra._grants
    assert "close this window" in person.pages[0]
    said = capsys.readouterr().out
    assert "Stored in Key Vault: partner-center-refresh-token." in said
    assert "Signed in as integration@contoso.example." in said
    assert stored(systems) not in said


def test_the_address_carries_challenge_state_and_a_loopback(person: Person) -> None:
    connect(person)

    asked = person.asked
    assert (asked["response_type"], asked["code_challenge_method"], asked["prompt"]) == ("code", "S256", "login")
    assert asked["response_mode"] == "form_post"
    assert len(asked["state"]) >= 16
    assert len(asked["code_challenge"]) == 43
    assert urlsplit(asked["redirect_uri"]).hostname == "localhost"
    assert {"offline_access", f"{REFERRALS_AUDIENCE}/.default"} <= set(asked["scope"].split())


def test_both_audiences_are_redeemed_from_the_same_consent_even_where_each_token_dies_at_once(
    systems: Systems, person: Person
) -> None:
    systems.partner.entra.settings.rotation = "invalidate"

    assert connect(person) is Exit.OK

    assert systems.partner.entra._grants[stored(systems)].expires > 0
    assert forms(systems).count("token") == 3


def test_without_a_browser_the_address_is_printed_and_nothing_opened(
    systems: Systems, person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SignInFailed, match="nobody came back") as late:
        connect(person, browser=False, seconds=0.05)

    assert (
        f"{systems.partner.entra_url}/{systems.partner.entra.tenant}/oauth2/v2.0/authorize?" in capsys.readouterr().out
    )
    assert (person.opened, stored(systems)) == ([], PLACEHOLDER)
    assert "http://localhost" in late.value.remedy


@pytest.mark.usefixtures("systems")
def test_a_machine_without_a_browser_is_told_to_open_the_address(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SignInFailed):
        connect(seconds=0.05, open_browser=lambda _: False)

    assert "open the address yourself" in capsys.readouterr().out


def test_a_stranger_with_another_state_is_not_listened_to(systems: Systems, person: Person) -> None:
    answers: list[int] = []

    def stranger_first(address: str) -> bool:
        back = parse_qs(urlsplit(address).query)["redirect_uri"][0]
        for query in ("code=x&state=guessed", "code=x", "error=access_denied&state=", ""):
            with httpx.Client(trust_env=False) as other:
                answers.append(other.post(back, content=query).status_code)
                answers.append(other.get(f"{back}/?{query}").status_code)
        return person(address)

    assert connect(open_browser=stranger_first) is Exit.OK

    assert answers == [404] * 8
    assert stored(systems) != PLACEHOLDER


def test_a_silent_connection_holds_nobody_up(person: Person) -> None:
    def speculative(address: str) -> bool:
        back = urlsplit(parse_qs(urlsplit(address).query)["redirect_uri"][0])
        with socket.create_connection(("127.0.0.1", back.port or 0)):
            return person(address)

    assert connect(open_browser=speculative) is Exit.OK


def test_a_port_that_is_taken_is_a_sentence(person: Person) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigurationError, match="--port"):
        connect(person, port=taken.getsockname()[1])


def test_a_person_who_refuses_is_told_what_to_do(systems: Systems, person: Person) -> None:
    systems.partner.entra.settings.person = "refuses"

    with pytest.raises(ConsentNeeded) as refused:
        connect(person)

    assert (refused.value.code, stored(systems)) == ("AADSTS65004", PLACEHOLDER)


NUMBERS = (
    (70008, ConsentNeeded), (700082, ConsentNeeded), (50173, ConsentNeeded), (50076, MfaRequired),
    (50079, MfaRequired), (50078, MfaRequired), (50158, MfaRequired), (53003, SignInFailed),
    (65001, ConsentNeeded), (700007, SignInFailed), (700016, SignInFailed), (7000215, SignInFailed),
    (7000222, SignInFailed), (50057, SignInFailed), (50034, SignInFailed), (50126, SignInFailed),
    (500011, SignInFailed), (90033, Unavailable), (90024, Unavailable), (7000112, SignInFailed),
)  # fmt: skip
"""The table of reference/partner-center.md 12.7, and what Entra says of a disabled app."""
BROUGHT_BACK = ((53003, SignInFailed), (65001, ConsentNeeded), (90094, ConsentNeeded), (50105, SignInFailed))


@pytest.mark.parametrize(
    ("at", "code", "kind"),
    [*(("token", *each) for each in NUMBERS), *(("authorize", *each) for each in BROUGHT_BACK)],
)
def test_every_number_of_entras_ends_in_its_own_error_and_stores_nothing(
    systems: Systems, person: Person, at: str, code: int, kind: type[CosellError]
) -> None:
    systems.partner.entra.fail_next(code, at=at)

    with pytest.raises(kind) as refused:
        connect(person)

    assert type(refused.value) is kind
    assert getattr(refused.value, "code", f"AADSTS{code}") == f"AADSTS{code}"
    assert stored(systems) == PLACEHOLDER


def test_the_command_ends_with_the_documented_code_and_one_document(
    systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    public(systems, monkeypatch)
    write_environment(Environment("local", {**systems.environ, "PARTNER_CENTER_PUBLIC_CLIENT": "true"}))
    systems.partner.entra.settings.device_interval = 1

    done = CliRunner().invoke(command, ["connect", "partner-center", "--env", "local", "--device-code", "--json"])

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["stored"] == [RT]


def test_a_refusal_is_one_sentence_with_a_remedy_and_exit_code_four(systems: Systems) -> None:
    write_environment(Environment("local", systems.environ))

    done = CliRunner().invoke(
        command, ["connect", "partner-center", "--env", "local", "--no-browser", "--wait", "0.05", "--json"]
    )

    assert done.exit_code == 4, done.output
    assert "redirect URIs" in json.loads(done.stdout)["remedy"]
