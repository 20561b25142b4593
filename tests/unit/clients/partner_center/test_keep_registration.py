"""The daily check of the registration against the emulators: it is repaired, made again, or left to its owner."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import httpx
import pytest

from emulators.base.certificate_authority import Authority
from emulators.base.faults import Fault, FaultKind
from emulators.entra.emulator import EntraEmulator
from emulators.partner_center.events import NAMES, TEST_EVENT
from emulators.partner_center.serve import ServedPartnerCenter
from shared.clients.partner_center.referrals import Referrals
from shared.clients.partner_center.request import open_service
from shared.clients.partner_center.sign_in import WEBHOOKS_SCOPE, AppRegistration, PartnerCenterSignIn
from shared.clients.partner_center.webhook_bodies import EVENTS, Registration
from shared.clients.partner_center.webhook_registration import RegistrationOutcome, Webhooks, keep_registration
from shared.foundation.errors import ConsentNeeded, MfaRequired
from shared.transport.client import open_client
from tests.unit.clients.partner_center.scripted_sign_in import NAMES as SECRETS
from tests.unit.clients.partner_center.scripted_sign_in import FakeVault

URL = "https://func-contoso.example/api/events"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


class EmulatedSystems:
    """The emulators and the clients, with a log and a memory of the registration."""

    def __init__(self, there: ServedPartnerCenter, webhooks: Webhooks, referrals: Referrals, vault: FakeVault) -> None:
        self.addresses, self.webhooks, self.referrals, self.vault = there, webhooks, referrals, vault
        self.logged: list[tuple[str, dict[str, object]]] = []
        self.cursors: dict[str, datetime] = {}

    @property
    def entra(self) -> EntraEmulator:
        return self.addresses.entra

    def cursor(self, name: str) -> datetime | None:
        return self.cursors.get(name)

    def move_cursor(self, name: str, to: datetime) -> None:
        self.cursors[name] = to

    def log(self, event: str, **fields: object) -> None:
        self.logged.append((event, fields))

    def check_registration(self, *, may_register: bool = True) -> RegistrationOutcome:
        self.logged.clear()
        return keep_registration(
            self.webhooks, URL, memory=self, log=self.log, may_register=may_register, now=lambda: NOW
        )

    def emulated_registration(self) -> tuple[str, set[str], bool] | None:
        registration = self.addresses.partner_center.dispatcher.registration
        return (
            None if registration is None else (registration.url, set(registration.events), registration.x_ms_signature)
        )

    def write_methods(self) -> list[str]:
        return [entry.method for entry in self.addresses.partner_center.journal if entry.method != "GET"]


@pytest.fixture
def emulated(authority: Authority, served: ServedPartnerCenter) -> Iterator[EmulatedSystems]:
    with (
        open_client(authority.bundle) as http,
        closing(open_service(httpx.URL(served.url), authority.bundle, 60)) as exchange,
    ):
        for url in (served.url, served.entra_url):
            assert http.post(f"{url}/_control/reset").json() == {"ok": True}
        vault, entra = FakeVault(), served.entra
        vault.stored = {"rt": entra.issue_refresh_token(), "secret": entra.client_secret}
        app = AppRegistration(entra.tenant, entra.client_id, authority=served.entra_url)
        sign_in = PartnerCenterSignIn(vault, app, http=http, log=lambda *_, **__: None, secrets=SECRETS)
        webhooks = Webhooks(f"{served.url}/webhooks/v1", sign_in.for_audience(WEBHOOKS_SCOPE).token, service=exchange)
        yield EmulatedSystems(
            served, webhooks, Referrals(f"{served.url}/v1.0/engagements", sign_in.token, service=exchange), vault
        )


def test_a_missing_registration_is_made_once_and_is_then_fine(emulated: EmulatedSystems) -> None:
    assert emulated.check_registration() is RegistrationOutcome.REGISTERED
    assert emulated.emulated_registration() == (URL, set(EVENTS), True)
    assert emulated.logged == [("registration_kept", {"outcome": "registered"})]

    assert emulated.check_registration() is RegistrationOutcome.FINE
    assert emulated.write_methods() == ["POST"]


def test_our_own_registration_is_repaired_and_keeps_its_further_events(emulated: EmulatedSystems) -> None:
    emulated.addresses.partner_center.register_events(URL, ["referral-created", "invoice-ready"], x_ms_signature=False)

    assert emulated.check_registration() is RegistrationOutcome.REPAIRED

    assert emulated.emulated_registration() == (URL, {*EVENTS, "invoice-ready"}, True)
    assert emulated.check_registration() is RegistrationOutcome.FINE
    assert emulated.write_methods() == ["PUT"]


def test_a_foreign_registration_is_logged_and_kept(emulated: EmulatedSystems) -> None:
    emulated.check_registration()
    emulated.addresses.partner_center.register_events("https://cipp.example/hook?code=hunter2", ["invoice-ready"])

    assert emulated.check_registration() is RegistrationOutcome.FOREIGN

    assert emulated.logged == [("registration_foreign", {"host": "cipp.example"})]
    assert emulated.emulated_registration() == ("https://cipp.example/hook?code=hunter2", {"invoice-ready"}, True)


def test_without_permission_it_is_made_only_if_it_was_ours_before(emulated: EmulatedSystems) -> None:
    assert emulated.check_registration(may_register=False) is RegistrationOutcome.MISSING
    assert (emulated.logged, emulated.emulated_registration()) == ([("registration_missing", {})], None)

    emulated.addresses.partner_center.register_events(URL, [*NAMES, TEST_EVENT])
    assert emulated.check_registration(may_register=False) is RegistrationOutcome.FINE
    emulated.addresses.partner_center.dispatcher.registration = None
    assert emulated.check_registration(may_register=False) is RegistrationOutcome.REGISTERED


@pytest.mark.parametrize("winner", [URL, "https://cipp.example/hook"])
def test_a_registration_that_is_made_first_is_kept(
    emulated: EmulatedSystems, monkeypatch: pytest.MonkeyPatch, winner: str
) -> None:
    real = emulated.webhooks._write_registration

    def slower(method: str, url: str, events: tuple[str, ...]) -> Registration:
        """Another instance or another tool writes between our read and our write."""
        emulated.addresses.partner_center.register_events(winner, EVENTS)
        return real(method, url, events)

    monkeypatch.setattr(emulated.webhooks, "_write_registration", slower)
    assert emulated.check_registration() is (RegistrationOutcome.FINE if winner == URL else RegistrationOutcome.FOREIGN)
    assert emulated.emulated_registration() == (winner, set(EVENTS), True)


def test_after_a_lost_reply_there_is_exactly_one_registration(emulated: EmulatedSystems) -> None:
    emulated.addresses.partner_center.faults.append(Fault(FaultKind.DROP_AFTER, path="registration$", method="POST"))
    assert emulated.check_registration() is RegistrationOutcome.REGISTERED
    assert emulated.write_methods() == ["POST"]


def test_both_audiences_share_one_refresh_token_that_is_invalid_after_each_use(emulated: EmulatedSystems) -> None:
    emulated.entra.settings.apply_changes({"rotation": "invalidate"})
    for _ in range(3):
        emulated.check_registration()
        list(emulated.referrals.changed_since(NOW))
        emulated.entra.revoke_access_tokens()
    assert emulated.entra.journal[-1].status == 200
    assert {entry.status for entry in emulated.entra.journal if "token" in entry.tags} == {200}


def test_a_consent_for_the_other_audience_only_needs_a_person(emulated: EmulatedSystems) -> None:
    emulated.entra.settings.apply_changes({"consented": ["https://api.partner.microsoft.com"]})
    with pytest.raises(ConsentNeeded) as consent:
        emulated.check_registration()
    assert consent.value.code == "AADSTS65001"
    list(emulated.referrals.changed_since(NOW))


def test_a_token_without_mfa_has_its_own_error(emulated: EmulatedSystems) -> None:
    emulated.entra.settings.apply_changes({"mfa": False})
    with pytest.raises(MfaRequired):
        emulated.check_registration()


def test_the_client_reads_either_spelling_and_either_answer(emulated: EmulatedSystems) -> None:
    emulated.addresses.partner_center.switches.webhook_names = "camel"
    emulated.addresses.partner_center.switches.validation_answer = "string"
    assert emulated.check_registration() is RegistrationOutcome.REGISTERED
    emulated.addresses.partner_center.dispatcher.spacing = 0.001
    state = emulated.webhooks.follow_test_event(emulated.webhooks.send_test_event(), seconds=0)
    assert state.correlation_id
    assert emulated.addresses.partner_center.dispatcher.wait_idle(60)
    assert emulated.webhooks.read_validation(state.correlation_id).is_over
