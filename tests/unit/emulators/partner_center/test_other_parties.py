"""Microsoft, another partner and colleagues in the portal act on referrals."""

import pytest

from emulators.partner_center.emulator import ANOTHER, ORGANIZATION, PartnerCenterEmulator
from emulators.partner_center.service_errors import ServiceError
from tests.unit.emulators.partner_center.referral_client import ReferralClient, replace_operation


def test_microsoft_sends_a_deal_that_waits_for_our_answer(emulator: PartnerCenterEmulator) -> None:
    ours = emulator.referral(
        emulator.microsoft_sends(name="Fabrikam rollout", details={"dealValue": 5000, "currency": "EUR"})
    )

    assert (ours["name"], ours["details"]["dealValue"], ours["details"]["currency"]) == (
        "Fabrikam rollout",
        5000,
        "EUR",
    )
    assert (ours["status"], ours["substatus"], ours["type"]) == ("New", "Pending", "Shared")
    assert (ours["organizationId"], ours["direction"]) == (ORGANIZATION, "Incoming")
    assert ours["inviteContext"]["invitedBy"]["organizationId"] == "msft"
    assert ours["externalReferenceId"] is None
    assert ours["expirationDateTime"] is not None
    theirs = emulator.referrals("msft")[0]
    assert (theirs["engagementId"], theirs["status"]) == (ours["engagementId"], "Active")


def test_another_partner_sends_a_deal(emulator: PartnerCenterEmulator) -> None:
    ours = emulator.referral(emulator.partner_sends())
    assert ours["inviteContext"]["invitedBy"]["organizationId"] == ANOTHER.id
    assert emulator.referrals(ANOTHER.id)[0]["engagementId"] == ours["engagementId"]


@pytest.mark.parametrize(("on", "ours_set", "theirs_set"), [("theirs", 0, 1), ("ours", 1, 0), ("both", 1, 1)])
def test_the_msx_id_appears_on_the_record_that_the_switch_names(
    emulator: PartnerCenterEmulator, on: str, ours_set: int, theirs_set: int
) -> None:
    inbound = emulator.referral(emulator.microsoft_sends())
    emulator.switches.msx_id_on = on
    theirs = emulator.microsoft_accepts(inbound["engagementId"])

    assert bool(emulator.referral(inbound["id"])["trackingInfo"]["microsoftMsxId"]) == bool(ours_set)
    assert bool(theirs["trackingInfo"]["microsoftMsxId"]) == bool(theirs_set)


def test_microsoft_closes_only_its_own_record(emulator: PartnerCenterEmulator) -> None:
    one, two = emulator.referral(emulator.microsoft_sends()), emulator.referral(emulator.microsoft_sends())

    declined = emulator.microsoft_declines(one["engagementId"], "Not a managed customer")
    closed = emulator.microsoft_closes(two["engagementId"], "Lost")

    assert (declined["substatus"], declined["statusReason"]) == ("Declined", "Not a managed customer")
    assert (closed["status"], closed["substatus"]) == ("Closed", "Lost")
    assert {emulator.referral(r["id"])["status"] for r in (one, two)} == {"New"}


def test_microsoft_cannot_accept_a_deal_without_an_invitation(emulator: PartnerCenterEmulator) -> None:
    private_deal = emulator.referral(emulator.portal_creates())
    with pytest.raises(ServiceError):
        emulator.microsoft_accepts(private_deal["engagementId"])


def test_a_colleague_can_edit_the_name_in_the_portal(emulator: PartnerCenterEmulator) -> None:
    referral = emulator.portal_creates({"externalReferenceId": "0065"})
    before = emulator.referral(referral)
    after = emulator.portal_edits(
        referral,
        [
            {"op": "replace", "path": "/name", "value": "Renamed"},
            {"op": "replace", "path": "/details/closingDateTime", "value": "2031-07-01"},
        ],
    )

    assert (before["createdVia"], after["name"]) == ("Portal", "Renamed")
    assert after["details"]["closingDateTime"] == "2031-07-01T00:00:00Z"
    assert after["eTag"] != before["eTag"]
    with pytest.raises(ServiceError):
        emulator.portal_edits(referral, [{"op": "replace", "path": "/mpnId", "value": "1"}])


def test_a_damaged_record_does_not_break_the_api(emulator: PartnerCenterEmulator, client: ReferralClient) -> None:
    referral = emulator.portal_creates()
    emulator.raw_patch(referral, {"/details": None, "/consent": None, "/team": None})

    assert client.patch(referral, replace_operation("/details/notes", "x")).status == 400
    assert client.patch(referral, replace_operation("/salesStage", "20")).status == 204
    assert client.list("$filter=details/dealValue%20gt%205").json()["value"] == []


def test_any_value_can_be_written_raw_with_or_without_a_new_etag(
    emulator: PartnerCenterEmulator, client: ReferralClient
) -> None:
    referral = emulator.portal_creates()
    before = emulator.referral(referral)

    with_event = emulator.raw_patch(
        referral, {"/status": "Frozen", "/unknown": {"x": 1}, "/team": None}, ["/registrations"]
    )
    assert (with_event["status"], with_event["unknown"], with_event["team"]) == ("Frozen", {"x": 1}, None)
    assert "registrations" not in client.get(referral).json()
    assert with_event["eTag"] != before["eTag"]
    without_event = emulator.raw_patch(referral, {"/details/dealValue": 1}, touch=False)
    assert without_event["eTag"] == with_event["eTag"]
    assert [r["status"] for r in client.list().json()["value"]] == ["Frozen"]
