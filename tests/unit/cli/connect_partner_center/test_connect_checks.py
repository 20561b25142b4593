"""The checks of a consent before it is stored, and the credential of the app registration."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emulators.base.faults import Fault, FaultKind
from emulators.entra.tokens import REFERRALS_AUDIENCE, USER, WEBHOOKS_AUDIENCE
from local.systems import Systems
from shared.app import App
from shared.cli import self_signed_certificate
from shared.cli.connect_partner_center import ConnectOptions, run_connect_partner_center
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.clients.partner_center.consent import NEXT_CERTIFICATE
from shared.domain.deal import Side
from shared.foundation.errors import ConfigurationError, ConsentNeeded, CosellError, SignInFailed, Unavailable
from shared.store.stored_values import SideState
from tests.unit.cli.connect_partner_center.sign_in_steps import (
    CERTIFICATE,
    LOCAL,
    PLACEHOLDER,
    Person,
    connect,
    stored_secret,
)

CLIENT_SECRET = "partner-center-client-secret"


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
def test_a_failed_check_is_reported_with_its_remedy_and_nothing_is_stored(
    systems: Systems, person: Person, capsys: pytest.CaptureFixture[str], settings: dict[str, object],
    failed: str | None, remedy: str,
) -> None:  # fmt: skip
    for name, value in settings.items():
        setattr(systems.partner.entra.settings, name, value)

    code = run_connect_partner_center(LOCAL, Output(as_json=True), ConnectOptions(seconds=5.0, open_browser=person))

    document = json.loads(capsys.readouterr().out)
    remedies = {check["name"]: check["remedy"] for check in document["checks"] if check["result"] == "failed"}
    assert list(remedies) == ([failed] if failed else [])
    assert remedy in remedies.get(failed or "", "")
    assert (code, document["ok"]) == ((Exit.SIGN_IN, False) if failed else (Exit.OK, True))
    assert (stored_secret(systems) == PLACEHOLDER) == bool(failed)


def test_a_consent_for_the_events_api_only_gives_no_token(systems: Systems, person: Person) -> None:
    systems.partner.entra.settings.consented = (WEBHOOKS_AUDIENCE,)

    with pytest.raises(ConsentNeeded) as refused:
        connect(person)

    assert refused.value.code == "AADSTS65001"


def test_a_second_run_succeeds_after_the_correction(systems: Systems, person: Person) -> None:
    systems.partner.entra.settings.mfa = False
    assert connect(person) is Exit.SIGN_IN

    systems.partner.entra.settings.mfa = True
    assert connect(person) is Exit.OK


def test_nothing_is_stored_while_partner_center_does_not_answer(systems: Systems, person: Person) -> None:
    systems.partner_center.faults.append(Fault(FaultKind.ANSWER, times=100, status=503))

    with pytest.raises(Unavailable):
        connect(person)

    assert stored_secret(systems) == PLACEHOLDER


def test_a_vault_that_refuses_writes_is_an_error(systems: Systems, person: Person) -> None:
    systems.vault.access.write = False

    with pytest.raises(CosellError):
        connect(person)


def test_a_missing_credential_is_reported_before_the_person_signs_in(systems: Systems, person: Person) -> None:
    systems.vault.secret_store.delete("partner-center-client-secret")
    try:
        with pytest.raises(SignInFailed) as refused:
            connect(person)
    finally:
        systems.vault.secret_store.recover("partner-center-client-secret")

    assert (refused.value.code, person.opened) == ("credentialMissing", [])


def test_a_new_certificate_is_put_into_use_only_after_a_sign_in_with_it(
    systems: Systems, person: Person, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert connect(make_certificate=True) is Exit.OK
    file = tmp_path / "cosell-local.cer"
    uploaded, output = file.read_text(encoding="ascii"), capsys.readouterr().out
    certificate = self_signed_certificate.parse_certificate(stored_secret(systems, NEXT_CERTIFICATE))
    assert certificate is not None
    assert uploaded == certificate.public_pem
    assert "PRIVATE" not in uploaded + output
    assert all(word in output for word in ("cosell-local.cer", certificate.thumbprint, systems.partner.entra.client_id))

    assert connect(person) is Exit.OK
    output = capsys.readouterr().out
    assert "does not know the new certificate yet" in output
    assert "signs in with the client secret" in output

    systems.partner.entra.register_app(systems.partner.entra.client_id, certificate_pem=uploaded)
    assert connect(person) is Exit.OK
    stored = systems.vault.secret_store.find(CERTIFICATE).latest
    assert stored.value == certificate.pem
    assert datetime.fromtimestamp(stored.attributes["exp"], UTC) == certificate.ends

    assert connect(person) is Exit.OK
    assert "the certificate in use" in capsys.readouterr().out


def test_a_certificate_that_is_not_uploaded_is_reported_before_the_person_signs_in(
    systems: Systems, person: Person
) -> None:
    systems.vault.secret_store.delete("partner-center-client-secret")
    try:
        connect(make_certificate=True)
        with pytest.raises(SignInFailed) as early:
            connect(person)
    finally:
        systems.vault.secret_store.recover("partner-center-client-secret")

    assert (early.value.code, person.opened) == ("AADSTS700027", [])
    assert "Upload the certificate" in early.value.remedy


def test_a_client_secret_is_stored_with_its_end_date(
    systems: Systems, person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    systems.partner.entra.register_app(systems.partner.entra.client_id, secret="another-secret")
    end = datetime(2027, 3, 31, tzinfo=UTC)

    options = {"client_secret": True, "secret_ends": end, "ask_secret": lambda: "another-secret\n"}
    assert connect(person, **options) is Exit.OK

    stored = systems.vault.secret_store.find("partner-center-client-secret").latest
    assert (stored.value, stored.attributes["exp"]) == ("another-secret", int(end.timestamp()))
    assert "another-secret" not in capsys.readouterr().out


def test_a_client_secret_is_stored_only_after_a_sign_in_with_it(systems: Systems, person: Person) -> None:
    former = stored_secret(systems, CLIENT_SECRET)
    options = {"client_secret": True, "ask_secret": lambda: "mistyped"}

    with pytest.raises(SignInFailed) as early:
        connect(person, **options)
    assert (early.value.code, person.opened) == ("AADSTS7000215", []), "before the person signs in"
    assert stored_secret(systems, CLIENT_SECRET) == former

    systems.partner.entra.register_app(systems.partner.entra.client_id, secret="another-secret")
    systems.partner.entra.settings.mfa = False
    assert connect(person, client_secret=True, ask_secret=lambda: "another-secret") is Exit.SIGN_IN
    assert stored_secret(systems, CLIENT_SECRET) == former


def test_a_new_client_secret_beside_a_certificate_is_told(
    systems: Systems, person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    systems.vault.secret_store.put(CERTIFICATE, {"value": "-----BEGIN CERTIFICATE-----"})
    options = {"client_secret": True, "ask_secret": lambda: systems.partner.entra.client_secret}
    assert connect(person, **options) is Exit.OK
    assert "has a certificate too" in capsys.readouterr().out


@pytest.mark.parametrize(("reason", "is_paused"), [("sign_in", False), ("throttled", True)])
def test_a_sign_in_that_works_ends_the_pause_of_a_failed_one(
    person: Person, capsys: pytest.CaptureFixture[str], reason: str, is_paused: bool
) -> None:
    app = App()
    until = datetime.now(UTC) + timedelta(minutes=10)
    app.store.write_side_state(Side.PARTNER_CENTER, SideState(until, reason))
    assert connect(person) is Exit.OK
    state = app.store.side_state(Side.PARTNER_CENTER, fresh=True)
    assert (state.paused_until is not None) is is_paused
    assert ("The pause has ended" in capsys.readouterr().out) is not is_paused
    app.close()


def test_a_sign_in_that_fails_ends_no_pause(systems: Systems, person: Person) -> None:
    app = App()
    app.store.write_side_state(Side.PARTNER_CENTER, SideState(datetime.now(UTC) + timedelta(minutes=10), "sign_in"))
    systems.partner.entra.settings.mfa = False
    assert connect(person) is Exit.SIGN_IN
    assert app.store.side_state(Side.PARTNER_CENTER, fresh=True).paused_until is not None
    app.close()


def test_an_empty_client_secret_is_refused(person: Person) -> None:
    with pytest.raises(ConfigurationError, match="not the Secret ID"):
        connect(person, client_secret=True, ask_secret=lambda: "\n")
