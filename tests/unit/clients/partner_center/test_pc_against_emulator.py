"""The client with its sign-in, over TLS, against the emulators of Partner Center and Entra ID."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
import trustme

from emulators.base.certificate_authority import Authority
from emulators.base.faults import Fault, FaultKind
from emulators.partner_center.emulator import BASE
from emulators.partner_center.serve import ServedPartnerCenter
from shared.clients.partner_center.referrals import Referrals
from shared.clients.partner_center.request import open_service
from shared.clients.partner_center.sign_in import AppRegistration, PartnerCenterSignIn
from shared.foundation.errors import (
    Ambiguous,
    Conflict,
    ConsentNeeded,
    MfaRequired,
    NotFound,
    Rejected,
    Throttled,
    Unavailable,
)
from shared.transport.client import open_client
from tests.unit.clients.partner_center.scripted_sign_in import NAMES, FakeVault

DEAL = {
    "name": "Northwind ERP renewal",
    "externalReferenceId": "0065g00000AbCdEAAV",
    "mpnId": "1234567",
    "qualification": "SalesQualified",
    "type": "Independent",
    "customerProfile": {
        "name": "Northwind Traders Ltd",
        "address": {"addressLine1": "1 Main Street", "city": "Seattle", "state": "WA", "country": "US"},
        "team": [{"firstName": "A", "lastName": "B", "phoneNumber": "+12065550100", "email": "a@northwind.example"}],
    },
    "consent": {
        "consentToToShareInfoWithOthers": True,
        "consentToContact": True,
        "consentToMicrosoftToContactSpecificPartners": True,
        "consentToShareReferralWithMicrosoftSellers": False,
    },
    "details": {
        "notes": "Replacing the finance system.",
        "dealValue": Decimal("120000.50"),
        "currency": "USD",
        "closingDateTime": "2027-06-30T00:00:00Z",
        "requirements": {
            "solutions": [{"type": "Name", "id": "SOL-12345-ABC", "name": "Contoso Ledger"}],
            "additionalRequirements": {"attributes": [{"id": "HaveNotDecided", "type": "CustomerMarketplaceIntent"}]},
        },
    },
    "team": [{"firstName": "S", "lastName": "One", "phoneNumber": "+4550000001", "email": "seller@contoso.example"}],
    "target": [],
}


class EmulatedSystems:
    """Both emulators, the client and the vault."""

    def __init__(self, there: ServedPartnerCenter, client: Referrals, vault: FakeVault) -> None:
        self.addresses, self.client, self.vault = there, client, vault
        self.emulator, self.entra = there.partner_center, there.entra

    def add_fault(self, kind: FaultKind, method: str, **details: Any) -> None:  # noqa: ANN401 - the fields depend on the kind of fault
        self.emulator.faults.append(Fault(kind, path=BASE, method=method, **details))

    def methods_and_statuses(self) -> list[tuple[str, int]]:
        return [(entry.method, entry.status) for entry in self.emulator.journal]


@pytest.fixture(scope="module")
def certificate() -> trustme.LeafCert:
    return trustme.CA(key_type=trustme.KeyType.RSA).issue_cert("app", key_type=trustme.KeyType.RSA)


@pytest.fixture
def emulated(
    authority: Authority, served: ServedPartnerCenter, certificate: trustme.LeafCert
) -> Iterator[EmulatedSystems]:
    with (
        open_client(authority.bundle) as http,
        closing(open_service(httpx.URL(served.url), authority.bundle, 60)) as exchange,
    ):
        for url in (served.url, served.entra_url):
            assert http.post(f"{url}/_control/reset").json() == {"ok": True}
        vault, entra = FakeVault(), served.entra
        vault.stored["cert"] = certificate.private_key_and_cert_chain_pem.bytes().decode()
        vault.stored["rt"] = entra.issue_refresh_token()
        entra.register_app(entra.client_id, certificate_pem=certificate.cert_chain_pems[0].bytes().decode())
        app = AppRegistration(entra.tenant, entra.client_id, authority=served.entra_url)
        sign_in = PartnerCenterSignIn(vault, app, http=http, log=lambda *_, **__: None, secrets=NAMES)
        yield EmulatedSystems(
            served, Referrals(served.url + "/v1.0/engagements", sign_in.token, service=exchange), vault
        )


def test_a_deal_is_created_listed_changed_and_read(emulated: EmulatedSystems) -> None:
    since = emulated.emulator.clock.now() - timedelta(minutes=1)

    created = emulated.client.create(DEAL)
    listed = [stamp for page in emulated.client.changed_since(since) for stamp in page]
    value = [{"op": "replace", "path": "/details/dealValue", "value": Decimal("150000.25")}]
    patched = emulated.client.patch(created["id"], value, created["eTag"])
    read = emulated.client.get(created["id"])

    assert [(stamp["id"], stamp["eTag"]) for stamp in listed] == [(created["id"], created["eTag"])]
    assert read["details"]["dealValue"] == Decimal("150000.25")
    assert read == patched
    assert read["eTag"] != created["eTag"]
    with pytest.raises(Conflict):
        emulated.client.patch(created["id"], value, created["eTag"])


def test_a_long_list_is_read_to_its_end(emulated: EmulatedSystems) -> None:
    since = emulated.emulator.clock.now() - timedelta(days=3650)
    emulated.emulator.populate(250)

    pages = list(emulated.client.changed_since(since))

    moments = [stamp["updatedDateTime"] for page in pages for stamp in page]
    assert (len(pages), len(set(moments)), len(moments)) == (3, len(moments), 250)
    assert len(emulated.methods_and_statuses()) == 3


@pytest.mark.parametrize("page_size", [1, 100])
def test_an_engagement_is_listed_to_its_end_with_whole_records(emulated: EmulatedSystems, page_size: int) -> None:
    created = emulated.client.create(DEAL)
    asked = emulated.emulator.portal_asks_for_help(created["id"], "GeneralOrOther", "Please call.")
    emulated.client.create(DEAL)
    emulated.emulator.switches.page_size = page_size

    listed = emulated.client.in_engagement(created["engagementId"])

    assert {referral["id"] for referral in listed} == {created["id"], asked["id"]}
    assert {referral["inviteContext"]["notes"] for referral in listed} == {None, "Please call."}


@pytest.mark.parametrize("engagement_id", ["", "x' or true", "../referrals"])
def test_an_impossible_engagement_is_not_asked_for(emulated: EmulatedSystems, engagement_id: str) -> None:
    with pytest.raises(NotFound):
        emulated.client.in_engagement(engagement_id)
    assert emulated.methods_and_statuses() == []


def test_a_refused_filter_of_engagements_is_a_rejection(emulated: EmulatedSystems) -> None:
    emulated.emulator.switches.unfilterable = ("engagementId",)
    with pytest.raises(Rejected):
        emulated.client.in_engagement("b8a1d7c2-3e44-4f0a-8a6f-9d1e2c3b4a5f")


def test_a_deal_that_breaks_a_rule_is_rejected_with_the_services_reason(emulated: EmulatedSystems) -> None:
    with pytest.raises(Rejected) as rejected:
        emulated.client.create({**DEAL, "customerProfile": {**DEAL["customerProfile"], "address": {"country": "USA"}}})  # type: ignore[dict-item]  # the example above is a mapping

    assert rejected.value.cause.code == "invalidRequest"
    assert emulated.emulator.referrals() == []


def test_a_lost_reply_to_a_create_is_ambiguous_and_makes_one_referral(emulated: EmulatedSystems) -> None:
    for kind in (FaultKind.DROP_AFTER, FaultKind.TRUNCATE):
        emulated.add_fault(kind, "POST")
        with pytest.raises(Ambiguous):
            emulated.client.create(DEAL)

    assert len(emulated.emulator.referrals()) == 2
    assert [method for method, _ in emulated.methods_and_statuses()] == ["POST", "POST"]


def test_a_read_succeeds_after_two_bad_answers(emulated: EmulatedSystems) -> None:
    known = emulated.emulator.microsoft_sends()
    emulated.add_fault(FaultKind.DROP, "GET")
    emulated.add_fault(FaultKind.ANSWER, "GET", status=502, body="<html>bad gateway</html>")

    assert emulated.client.get(known)["id"] == known
    with pytest.raises(NotFound):
        emulated.client.get("00000000-0000-4000-8000-000000000000")


def test_a_silent_service_is_abandoned_at_the_deadline(emulated: EmulatedSystems) -> None:
    emulated.client._sender._seconds = 0.3
    emulated.client._sender._token(False)  # noqa: FBT003 - a Callable has no keywords
    emulated.add_fault(FaultKind.DELAY, "GET", times=9, seconds=20)

    with pytest.raises(Unavailable):
        emulated.client.get(emulated.emulator.microsoft_sends())


def test_a_throttled_write_states_how_long_to_wait(emulated: EmulatedSystems) -> None:
    emulated.add_fault(FaultKind.ANSWER, "POST", status=429, headers={"Retry-After": "57"}, body="{}")

    with pytest.raises(Throttled) as throttled:
        emulated.client.create(DEAL)

    assert throttled.value.after == 57


def test_a_revoked_access_token_is_renewed_and_the_new_refresh_token_kept(emulated: EmulatedSystems) -> None:
    emulated.entra.settings.apply_changes({"rotation": "invalidate"})
    first = emulated.vault.stored["rt"]
    known = emulated.emulator.microsoft_sends()
    emulated.client.get(known)
    second = emulated.vault.stored["rt"]
    emulated.entra.revoke_access_tokens()

    assert emulated.client.get(known)["id"] == known
    assert len({first, second, emulated.vault.stored["rt"]}) == 3
    assert emulated.methods_and_statuses() == [("GET", 200), ("GET", 401), ("GET", 200)]


def test_an_expired_consent_needs_a_person(emulated: EmulatedSystems) -> None:
    emulated.entra.fail_next(700082)

    with pytest.raises(ConsentNeeded) as expired:
        emulated.client.get("00000000-0000-4000-8000-000000000000")

    assert expired.value.code == "AADSTS700082"


def test_a_token_without_mfa_has_its_own_error(emulated: EmulatedSystems) -> None:
    emulated.entra.settings.apply_changes({"mfa": False})

    with pytest.raises(MfaRequired):
        emulated.client.get("00000000-0000-4000-8000-000000000000")
