"""`cosell connect partner-center` against the emulated systems; the person before the browser is scripted."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import stamina
from typer.testing import CliRunner

from infra.local.emulator import Fault, FaultKind
from infra.local.partner_center.clients import App as Registration
from infra.local.partner_center.tokens import REFERRALS_AUDIENCE, USER, WEBHOOKS_AUDIENCE
from infra.local.systems import Systems, started
from shared.cli import certificate
from shared.cli.connect_partner_center import Wanted, work
from shared.cli.environment import Environment, write
from shared.cli.exits import Exit
from shared.cli.main import app as command
from shared.cli.output import Output
from shared.clients.partner_center.consent import NEXT_CERTIFICATE
from shared.errors import ConfigurationError, ConsentNeeded, CosellError, MfaRequired, SignInFailed, Unavailable

RT = "partner-center-refresh-token"
CERTIFICATE = "partner-center-certificate"
HERE = Environment("local")
PLACEHOLDER = "placeholder: run `cosell connect partner-center`"


@pytest.fixture(scope="module")
def all_systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systems]:
    with started(tmp_path_factory.mktemp("systems")) as systems:
        yield systems


@pytest.fixture
def systems(all_systems: Systems, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Systems]:
    for name, value in {**all_systems.environ, "STORE_FILE": str(tmp_path / "store.sqlite")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    all_systems.reset()
    all_systems.vault.shelf.put(RT, {"value": PLACEHOLDER})
    all_systems.partner_center.populate(1)
    with stamina.set_testing(True, attempts=2, cap=True):
        yield all_systems


class Person:
    """Opens what the command asks for, as a browser does: a form that posts itself is posted, to the loopback too."""

    def __init__(self, systems: Systems) -> None:
        self.systems = systems
        self.opened: list[str] = []
        self.pages: list[str] = []

    def __call__(self, address: str) -> bool:
        self.opened.append(address)
        context = self.systems.authority.client()
        with httpx.Client(verify=context, trust_env=False) as browser:
            page = browser.get(address).text
            if action := re.search(r'<form method="post" action="([^"]+)"', page):
                fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page))
                page = browser.post(action[1], data={name: unescape(value) for name, value in fields.items()}).text
        self.pages.append(page)
        return True

    @property
    def asked(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.opened[0]).query).items()}


@pytest.fixture
def person(systems: Systems) -> Person:
    return Person(systems)


def connect(person: Person | None = None, **wanted: object) -> Exit:
    chosen: dict[str, object] = {"seconds": 5.0, "pause": lambda _: None, **wanted}
    if person is not None:
        chosen["open_browser"] = person
    return work(HERE, Output(), Wanted(**chosen))  # type: ignore[arg-type]  # the options vary by case


def stored(systems: Systems, name: str = RT) -> str:
    return systems.vault.shelf.find(name).latest.value


def public(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    entra = systems.partner.entra
    entra.apps[entra.client_id] = Registration(entra.client_id, public=True)
    monkeypatch.setenv("PARTNER_CENTER_PUBLIC_CLIENT", "true")


def forms(systems: Systems) -> list[str]:
    return [tag for entry in systems.partner.entra.journal for tag in entry.tags]


# --- by browser


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


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (70008, ConsentNeeded), (700082, ConsentNeeded), (50173, ConsentNeeded), (50076, MfaRequired),
        (50079, MfaRequired), (50078, MfaRequired), (50158, MfaRequired), (53003, SignInFailed),
        (65001, ConsentNeeded), (700007, SignInFailed), (700016, SignInFailed), (7000215, SignInFailed),
        (7000222, SignInFailed), (50057, SignInFailed), (50034, SignInFailed), (50126, SignInFailed),
        (500011, SignInFailed), (90033, Unavailable), (90024, Unavailable), (90094, ConsentNeeded),
        (50105, SignInFailed), (7000112, SignInFailed),
    ],
)  # fmt: skip
@pytest.mark.parametrize("at", ["authorize", "token"])
def test_every_number_of_entras_ends_in_its_own_error_and_stores_nothing(
    systems: Systems, person: Person, code: int, kind: type[CosellError], at: str
) -> None:
    systems.partner.entra.fail_next(code, at=at)

    with pytest.raises(kind) as refused:
        connect(person)

    assert type(refused.value) is kind
    assert getattr(refused.value, "code", f"AADSTS{code}") == f"AADSTS{code}"
    assert stored(systems) == PLACEHOLDER


# --- what is tried before it is stored


@pytest.mark.parametrize(
    ("settings", "failed", "remedy"),
    [
        ({"mfa": False}, "multi-factor authentication", "with multi-factor authentication"),
        ({"roles": ()}, "referral role", "Referrals admin"),
        ({"roles": (USER,)}, None, ""),
        ({"consented": (REFERRALS_AUDIENCE,)}, "events API", "both Partner Center APIs"),
        ({"audiences": (REFERRALS_AUDIENCE,)}, "events API", "service principal"),
    ],
)
def test_what_is_missing_is_named_with_its_remedy_and_nothing_is_stored(
    systems: Systems, person: Person, capsys: pytest.CaptureFixture[str], settings: dict[str, object],
    failed: str | None, remedy: str,
) -> None:  # fmt: skip
    for name, value in settings.items():
        setattr(systems.partner.entra.settings, name, value)

    code = work(HERE, Output(as_json=True), Wanted(seconds=5.0, open_browser=person))

    said = json.loads(capsys.readouterr().out)
    wrong = {check["name"]: check["remedy"] for check in said["checks"] if check["result"] == "failed"}
    assert list(wrong) == ([failed] if failed else [])
    assert remedy in wrong.get(failed or "", "")
    assert (code, said["ok"]) == ((Exit.SIGN_IN, False) if failed else (Exit.OK, True))
    assert (stored(systems) == PLACEHOLDER) == bool(failed)


def test_a_consent_for_events_alone_never_gets_as_far_as_a_token(systems: Systems, person: Person) -> None:
    systems.partner.entra.settings.consented = (WEBHOOKS_AUDIENCE,)

    with pytest.raises(ConsentNeeded) as refused:
        connect(person)

    assert refused.value.code == "AADSTS65001"


def test_a_second_run_succeeds_after_what_was_missing_is_mended(systems: Systems, person: Person) -> None:
    systems.partner.entra.settings.mfa = False
    assert connect(person) is Exit.SIGN_IN

    systems.partner.entra.settings.mfa = True
    assert connect(person) is Exit.OK


def test_partner_center_away_stores_nothing(systems: Systems, person: Person) -> None:
    systems.partner_center.faults.append(Fault(FaultKind.ANSWER, times=100, status=503))

    with pytest.raises(Unavailable):
        connect(person)

    assert stored(systems) == PLACEHOLDER


def test_a_vault_that_takes_nothing_is_an_error(systems: Systems, person: Person) -> None:
    systems.vault.access.write = False

    with pytest.raises(CosellError):
        connect(person)


# --- the credential


def test_neither_certificate_nor_secret_is_told_before_anybody_signs_in(systems: Systems, person: Person) -> None:
    systems.vault.shelf.delete("partner-center-client-secret")
    try:
        with pytest.raises(SignInFailed) as refused:
            connect(person)
    finally:
        systems.vault.shelf.recover("partner-center-client-secret")

    assert (refused.value.code, person.opened) == ("credentialMissing", [])


def test_a_new_certificate_waits_until_a_sign_in_proves_it(
    systems: Systems, person: Person, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert connect(make_certificate=True) is Exit.OK
    file = tmp_path / "cosell-local.cer"
    uploaded, said = file.read_text(encoding="ascii"), capsys.readouterr().out
    waiting = certificate.read(stored(systems, NEXT_CERTIFICATE))
    assert waiting is not None
    assert uploaded == waiting.public_pem
    assert "PRIVATE" not in uploaded + said
    assert all(word in said for word in ("cosell-local.cer", waiting.thumbprint, systems.partner.entra.client_id))

    with pytest.raises(SignInFailed, match="AADSTS700027") as early:
        connect(person)
    assert "Upload the certificate" in early.value.remedy

    systems.partner.entra.register(systems.partner.entra.client_id, certificate_pem=uploaded)
    assert connect(person) is Exit.OK
    kept = systems.vault.shelf.find(CERTIFICATE).latest
    assert kept.value == waiting.pem
    assert datetime.fromtimestamp(kept.attributes["exp"], UTC) == waiting.ends

    assert connect(person) is Exit.OK
    assert "the certificate in use" in capsys.readouterr().out


def test_a_client_secret_is_asked_for_and_kept_with_its_end(
    systems: Systems, person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    systems.partner.entra.register(systems.partner.entra.client_id, secret="another-secret")
    end = datetime(2027, 3, 31, tzinfo=UTC)

    wanted = {"client_secret": True, "secret_ends": end, "ask_secret": lambda: "another-secret\n"}
    assert connect(person, **wanted) is Exit.OK

    kept = systems.vault.shelf.find("partner-center-client-secret").latest
    assert (kept.value, kept.attributes["exp"]) == ("another-secret", int(end.timestamp()))
    assert "another-secret" not in capsys.readouterr().out


def test_an_empty_client_secret_is_refused(person: Person) -> None:
    with pytest.raises(ConfigurationError, match="not the Secret ID"):
        connect(person, client_secret=True, ask_secret=lambda: "\n")


# --- a public registration


def test_a_device_code_is_for_a_public_registration_alone(systems: Systems) -> None:
    with pytest.raises(ConfigurationError, match="PARTNER_CENTER_PUBLIC_CLIENT=true"):
        connect(device_code=True)

    assert forms(systems) == []


def test_a_device_code_signs_in_without_a_credential(
    systems: Systems, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    public(systems, monkeypatch)

    assert connect(device_code=True) is Exit.OK

    assert "https://microsoft.com/devicelogin and enter the code" in capsys.readouterr().out
    assert stored(systems) in systems.partner.entra._grants


def test_a_public_registration_signs_in_by_browser_as_well(
    systems: Systems, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    public(systems, monkeypatch)

    assert connect(person) is Exit.OK


# Nobody waits here, and MSAL says so.
@pytest.mark.filterwarnings("ignore:Attempted too soon")
def test_the_code_is_asked_about_at_its_interval_until_the_person_is_done(
    systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    public(systems, monkeypatch)
    systems.partner.entra.settings.person = "waits"
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            systems.partner.entra.settings.person = "consents"

    assert connect(device_code=True, pause=pause) is Exit.OK
    assert pauses == [5, 5, 5]


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        (lambda entra: setattr(entra.settings, "person", "refuses"), "AADSTS65004"),
        (lambda entra: entra.clock.advance(1000), "AADSTS70019"),
        (lambda entra: entra.fail_next(53003, at="token"), "AADSTS53003"),
    ],
)
def test_a_device_code_that_comes_to_nothing_is_an_error(
    systems: Systems, monkeypatch: pytest.MonkeyPatch, prepare: Callable[[object], None], code: str
) -> None:
    public(systems, monkeypatch)

    with pytest.raises(SignInFailed) as refused:
        connect(device_code=True, pause=lambda _: prepare(systems.partner.entra))

    systems.partner.entra.clock.set(datetime.now(UTC))
    assert (refused.value.code, stored(systems)) == (code, PLACEHOLDER)


# Nobody waits here, and MSAL says so.
@pytest.mark.filterwarnings("ignore:Attempted too soon")
def test_nobody_who_types_the_code_is_an_error(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    public(systems, monkeypatch)
    systems.partner.entra.settings.person = "waits"

    with pytest.raises(SignInFailed, match="nobody typed the code"):
        connect(device_code=True, seconds=0.01)


@pytest.mark.usefixtures("systems")
def test_a_registration_that_is_confidential_after_all_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARTNER_CENTER_PUBLIC_CLIENT", "true")

    with pytest.raises(SignInFailed) as refused:
        connect(device_code=True)

    assert refused.value.code == "AADSTS7000218"
    assert "confidential" in refused.value.remedy


# --- the surface


def test_the_command_ends_with_the_documented_code_and_one_document(
    systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    public(systems, monkeypatch)
    write(Environment("local", {**systems.environ, "PARTNER_CENTER_PUBLIC_CLIENT": "true"}))
    systems.partner.entra.settings.device_interval = 1

    done = CliRunner().invoke(command, ["connect", "partner-center", "--env", "local", "--device-code", "--json"])

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["stored"] == [RT]


def test_a_refusal_is_one_sentence_with_a_remedy_and_exit_code_four(systems: Systems) -> None:
    write(Environment("local", systems.environ))

    done = CliRunner().invoke(
        command, ["connect", "partner-center", "--env", "local", "--no-browser", "--wait", "0.05", "--json"]
    )

    assert done.exit_code == 4, done.output
    assert "redirect URIs" in json.loads(done.stdout)["remedy"]
