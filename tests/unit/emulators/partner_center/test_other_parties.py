import pytest

from emulators.partner_center.emulator import ANOTHER, ORGANIZATION, PartnerCenterEmulator
from emulators.partner_center.service_errors import ServiceError
from tests.unit.emulators.partner_center.referral_desk import Desk, replace


def test_microsoft_sends_a_deal_that_waits_for_our_answer(pc: PartnerCenterEmulator) -> None:
    ours = pc.referral(pc.microsoft_sends(name="Fabrikam rollout", details={"dealValue": 5000, "currency": "EUR"}))

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
    theirs = pc.referrals("msft")[0]
    assert (theirs["engagementId"], theirs["status"]) == (ours["engagementId"], "Active")


def test_a_partner_sends_a_deal_too(pc: PartnerCenterEmulator) -> None:
    ours = pc.referral(pc.partner_sends())
    assert ours["inviteContext"]["invitedBy"]["organizationId"] == ANOTHER.id
    assert pc.referrals(ANOTHER.id)[0]["engagementId"] == ours["engagementId"]


@pytest.mark.parametrize(("on", "ours_set", "theirs_set"), [("theirs", 0, 1), ("ours", 1, 0), ("both", 1, 1)])
def test_microsofts_number_appears_where_the_switch_says(
    pc: PartnerCenterEmulator, on: str, ours_set: int, theirs_set: int
) -> None:
    inbound = pc.referral(pc.microsoft_sends())
    pc.switches.msx_id_on = on
    theirs = pc.microsoft_accepts(inbound["engagementId"])

    assert bool(pc.referral(inbound["id"])["trackingInfo"]["microsoftMsxId"]) == bool(ours_set)
    assert bool(theirs["trackingInfo"]["microsoftMsxId"]) == bool(theirs_set)


def test_microsoft_declines_and_closes_its_own_record_only(pc: PartnerCenterEmulator) -> None:
    one, two = pc.referral(pc.microsoft_sends()), pc.referral(pc.microsoft_sends())

    declined = pc.microsoft_declines(one["engagementId"], "Not a managed customer")
    closed = pc.microsoft_closes(two["engagementId"], "Lost")

    assert (declined["substatus"], declined["statusReason"]) == ("Declined", "Not a managed customer")
    assert (closed["status"], closed["substatus"]) == ("Closed", "Lost")
    assert {pc.referral(r["id"])["status"] for r in (one, two)} == {"New"}


def test_microsoft_cannot_answer_a_deal_it_was_never_invited_to(pc: PartnerCenterEmulator) -> None:
    private = pc.referral(pc.portal_creates())
    with pytest.raises(ServiceError):
        pc.microsoft_accepts(private["engagementId"])


def test_a_colleague_edits_in_the_portal_even_the_name(pc: PartnerCenterEmulator) -> None:
    referral = pc.portal_creates({"externalReferenceId": "0065"})
    before = pc.referral(referral)
    after = pc.portal_edits(
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
        pc.portal_edits(referral, [{"op": "replace", "path": "/mpnId", "value": "1"}])


def test_a_damaged_record_still_answers(pc: PartnerCenterEmulator, desk: Desk) -> None:
    referral = pc.portal_creates()
    pc.raw_patch(referral, {"/details": None, "/consent": None, "/team": None})

    assert desk.patch(referral, replace("/details/notes", "x")).status == 400
    assert desk.patch(referral, replace("/salesStage", "20")).status == 204
    assert desk.list("$filter=details/dealValue%20gt%205").json()["value"] == []


def test_anything_can_be_written_raw_loudly_or_in_silence(pc: PartnerCenterEmulator, desk: Desk) -> None:
    referral = pc.portal_creates()
    before = pc.referral(referral)

    loud = pc.raw_patch(referral, {"/status": "Frozen", "/novelty": {"x": 1}, "/team": None}, ["/registrations"])
    assert (loud["status"], loud["novelty"], loud["team"]) == ("Frozen", {"x": 1}, None)
    assert "registrations" not in desk.get(referral).json()
    assert loud["eTag"] != before["eTag"]
    silent = pc.raw_patch(referral, {"/details/dealValue": 1}, touch=False)
    assert silent["eTag"] == loud["eTag"]
    assert [r["status"] for r in desk.list().json()["value"]] == ["Frozen"]
