"""The daily look at the registration, over TLS, against the emulators: repaired, made again, or left to others."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from emulators.base.certificate_authority import Authority
from emulators.base.emulator import Fault, FaultKind
from emulators.entra.emulator import EntraEmulator
from emulators.partner_center.events import NAMES, TEST_EVENT
from emulators.partner_center.serve import Addresses
from shared.clients.partner_center.referrals import Referrals
from shared.clients.partner_center.sign_in import WEBHOOKS_SCOPE, AppRegistration, PartnerCenterSignIn
from shared.clients.partner_center.webhook_bodies import EVENTS, Registration
from shared.clients.partner_center.webhook_registration import RegistrationOutcome, Webhooks, keep_registration
from shared.foundation.errors import ConsentNeeded, MfaRequired
from shared.transport.client import open_client
from tests.unit.clients.partner_center.signing_in import NAMES as SECRETS
from tests.unit.clients.partner_center.signing_in import Vault

URL = "https://func-contoso.example/api/events"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


class World:
    """The emulators, the client, what the log and the store have."""

    def __init__(self, there: Addresses, webhooks: Webhooks, referrals: Referrals, vault: Vault) -> None:
        self.there, self.webhooks, self.referrals, self.vault = there, webhooks, referrals, vault
        self.logged: list[tuple[str, dict[str, object]]] = []
        self.cursors: dict[str, datetime] = {}

    @property
    def entra(self) -> EntraEmulator:
        return self.there.entra

    def cursor(self, name: str) -> datetime | None:
        return self.cursors.get(name)

    def move_cursor(self, name: str, to: datetime) -> None:
        self.cursors[name] = to

    def log(self, event: str, **fields: object) -> None:
        self.logged.append((event, fields))

    def keep(self, *, may_register: bool = True) -> RegistrationOutcome:
        self.logged.clear()
        return keep_registration(
            self.webhooks, URL, memory=self, log=self.log, may_register=may_register, now=lambda: NOW
        )

    def slot(self) -> tuple[str, set[str], bool] | None:
        found = self.there.partner_center.dispatcher.registration
        return None if found is None else (found.url, set(found.events), found.x_ms_signature)

    def writes(self) -> list[str]:
        return [entry.method for entry in self.there.partner_center.journal if entry.method != "GET"]


@pytest.fixture
def world(authority: Authority, served: Addresses) -> Iterator[World]:
    with open_client(authority.bundle) as http:
        for url in (served.url, served.entra_url):
            assert http.post(f"{url}/_control/reset").json() == {"ok": True}
        vault, entra = Vault(), served.entra
        vault.stored = {"rt": entra.refresh_token(), "secret": entra.client_secret}
        app = AppRegistration(entra.tenant, entra.client_id, authority=served.entra_url)
        sign_in = PartnerCenterSignIn(vault, app, http=http, log=lambda *_, **__: None, secrets=SECRETS)
        webhooks = Webhooks(f"{served.url}/webhooks/v1", sign_in.for_audience(WEBHOOKS_SCOPE).token, client=http)
        yield World(served, webhooks, Referrals(f"{served.url}/v1.0/engagements", sign_in.token, client=http), vault)


def test_where_there_is_none_it_is_made_once_and_then_found_fine(world: World) -> None:
    assert world.keep() is RegistrationOutcome.REGISTERED
    assert world.slot() == (URL, set(EVENTS), True)
    assert world.logged == [("registration_kept", {"outcome": "registered"})]

    assert world.keep() is RegistrationOutcome.FINE
    assert world.writes() == ["POST"]


def test_our_own_is_repaired_and_keeps_what_else_it_holds(world: World) -> None:
    world.there.partner_center.register_events(URL, ["referral-created", "invoice-ready"], x_ms_signature=False)

    assert world.keep() is RegistrationOutcome.REPAIRED

    assert world.slot() == (URL, {*EVENTS, "invoice-ready"}, True)
    assert world.keep() is RegistrationOutcome.FINE
    assert world.writes() == ["PUT"]


def test_a_foreign_one_is_named_and_left(world: World) -> None:
    world.keep()
    world.there.partner_center.register_events("https://cipp.example/hook?code=hunter2", ["invoice-ready"])

    assert world.keep() is RegistrationOutcome.FOREIGN

    assert world.logged == [("registration_foreign", {"host": "cipp.example"})]
    assert world.slot() == ("https://cipp.example/hook?code=hunter2", {"invoice-ready"}, True)


def test_without_leave_it_is_made_again_only_where_it_was_ours_before(world: World) -> None:
    assert world.keep(may_register=False) is RegistrationOutcome.MISSING
    assert (world.logged, world.slot()) == ([("registration_missing", {})], None)

    world.there.partner_center.register_events(URL, [*NAMES, TEST_EVENT])
    assert world.keep(may_register=False) is RegistrationOutcome.FINE
    world.there.partner_center.dispatcher.registration = None
    assert world.keep(may_register=False) is RegistrationOutcome.REGISTERED


@pytest.mark.parametrize("winner", [URL, "https://cipp.example/hook"])
def test_whoever_is_faster_keeps_it(world: World, monkeypatch: pytest.MonkeyPatch, winner: str) -> None:
    real = world.webhooks._write_registration

    def slower(method: str, url: str, events: tuple[str, ...]) -> Registration:
        """Between the look and the write of ours another instance, or another tool, writes."""
        world.there.partner_center.register_events(winner, EVENTS)
        return real(method, url, events)

    monkeypatch.setattr(world.webhooks, "_write_registration", slower)
    assert world.keep() is (RegistrationOutcome.FINE if winner == URL else RegistrationOutcome.FOREIGN)
    assert world.slot() == (winner, set(EVENTS), True)


def test_a_lost_reply_leaves_one_registration_and_no_doubt(world: World) -> None:
    world.there.partner_center.faults.append(Fault(FaultKind.DROP_AFTER, path="registration$", method="POST"))
    assert world.keep() is RegistrationOutcome.REGISTERED
    assert world.writes() == ["POST"]


def test_both_audiences_live_on_one_refresh_token_that_dies_with_each_use(world: World) -> None:
    world.entra.settings.change({"rotation": "invalidate"})
    for _ in range(3):
        world.keep()
        list(world.referrals.changed_since(NOW))
        world.entra.revoke_access_tokens()
    assert world.entra.journal[-1].status == 200
    assert {entry.status for entry in world.entra.journal if "token" in entry.tags} == {200}


def test_a_consent_for_the_other_audience_alone_asks_for_a_person(world: World) -> None:
    world.entra.settings.change({"consented": ["https://api.partner.microsoft.com"]})
    with pytest.raises(ConsentNeeded) as consent:
        world.keep()
    assert consent.value.code == "AADSTS65001"
    list(world.referrals.changed_since(NOW))


def test_a_token_without_mfa_is_told_apart(world: World) -> None:
    world.entra.settings.change({"mfa": False})
    with pytest.raises(MfaRequired):
        world.keep()


def test_the_client_reads_either_spelling_and_either_answer(world: World) -> None:
    world.there.partner_center.switches.webhook_names = "camel"
    world.there.partner_center.switches.validation_answer = "string"
    assert world.keep() is RegistrationOutcome.REGISTERED
    world.there.partner_center.dispatcher.spacing = 0.001
    found = world.webhooks.follow_test_event(world.webhooks.send_test_event(), seconds=0)
    assert found.correlation_id
    assert world.there.partner_center.dispatcher.wait_idle(10)
    assert world.webhooks.read_validation(found.correlation_id).is_over
