import re

import pytest

from emulators.base.server import Request
from emulators.entra.emulator import EntraEmulator
from emulators.partner_center.certificate_host import CertificateHost
from emulators.partner_center.emulator import BASE, ORGANIZATION, PartnerCenterEmulator
from tests.unit.emulators.partner_center.referral_desk import Desk, code

SHARED = {
    "consentToToShareInfoWithOthers": True,
    "consentToContact": True,
    "consentToShareReferralWithMicrosoftSellers": True,
}
MSFT = [{"type": "BusinessProfileLocation", "id": "msft"}]


def test_a_create_is_answered_with_the_whole_record(desk: Desk) -> None:
    response = desk.create(externalReferenceId="0065g00000AbCdEAAV")

    record = response.json()
    assert response.status == 200
    assert (record["status"], record["substatus"]) == ("Active", "Accepted")
    assert record["organizationId"] == record["inviteContext"]["invitedBy"]["organizationId"] == ORGANIZATION
    assert record["externalReferenceId"] == "0065g00000AbCdEAAV"
    assert record["acceptedDateTime"] == record["createdDateTime"] == record["updatedDateTime"]
    assert record["registrations"] == record["tags"] == record["details"]["requirements"]["offers"] == []
    assert record["trackingInfo"]["microsoftMsxId"] is None
    assert record["links"]["relatedReferrals"]["uri"].endswith(f"$filter=engagementId eq {record['engagementId']}")
    assert response.headers["ETag"] == record["eTag"]
    assert re.fullmatch(r'"[0-9a-f]{8}-0000-0100-0000-[0-9a-f]{8}0000"', record["eTag"])


def test_the_same_seed_gives_the_same_ids(certificates: CertificateHost, entra: EntraEmulator) -> None:
    def ids() -> list[str]:
        emulator = PartnerCenterEmulator(seed=3, entra=entra, certificates=certificates)
        emulator.clock.freeze()
        emulator.populate(3)
        return [record["id"] for record in emulator.referrals()]

    assert ids() == ids()


def test_property_names_are_read_in_any_case(desk: Desk) -> None:
    body = desk.pc.example_body()
    shouted = {name[0].upper() + name[1:]: value for name, value in body.items()}
    shouted["Consent"] = {name[0].upper() + name[1:]: value for name, value in body["consent"].items()}
    shouted["CUSTOMERPROFILE"] = shouted.pop("CustomerProfile")

    record = desk.call("POST", BASE, shouted).json()

    assert record["name"] == body["name"]
    assert record["customerProfile"]["name"] == body["customerProfile"]["name"]
    assert record["consent"]["consentToContact"] is True


@pytest.mark.parametrize("name", ["type", "customerProfile", "consent", "details"])
def test_the_required_properties_are_required(desk: Desk, name: str) -> None:
    response = desk.create(**{name: None})

    assert (response.status, code(response)) == (400, "invalidRequest")
    assert response.json()["error"]["target"] == name
    assert desk.pc.referrals() == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("details/requirements/solutions", []),
        ("details/requirements/solutions", [{"type": "Name", "id": "x"}] * 51),
        ("details/dealValue", None),
        ("details/dealValue", -1),
        ("details/currency", "US"),
        ("details/closingDateTime", "next month"),
        ("team", []),
        ("team", [{"firstName": "Seller", "lastName": "One", "email": "s@contoso.example"}]),
        ("team", "nobody"),
        ("customerProfile/address/country", "United States"),
        ("customerProfile/address/country", None),
        ("consent/consentToToShareInfoWithOthers", False),
        ("consent/consentToShareReferralWithMicrosoftSellers", "yes"),
        ("name", ""),
        ("type", "Joint"),
        ("qualification", "Hot"),
        ("salesStage", "55"),
    ],
)
def test_what_the_portal_would_refuse_is_refused(desk: Desk, path: str, value: object) -> None:
    body = desk.pc.example_body()
    *way, last = path.split("/")
    holder = body
    for part in way:
        holder = holder[part]
    holder[last] = value

    response = desk.call("POST", BASE, body)

    assert response.status == 400, response.body
    assert desk.pc.referrals() == []


def test_a_thin_deal_passes_where_completeness_is_switched_off(desk: Desk) -> None:
    desk.pc.switches.demand_complete = False
    body = desk.pc.example_body()
    body["details"] = {"requirements": body["details"]["requirements"]}
    body["team"] = [{"email": "seller.one@contoso.example"}]

    assert desk.call("POST", BASE, body).status == 200


def test_help_needs_a_customer_contact(desk: Desk) -> None:
    wanted = {"assistanceRequestCode": "ProofOfConceptOrDemo"}
    body = desk.pc.example_body()
    assert desk.call("POST", BASE, {**body, "inviteContext": wanted}).status == 200
    body["customerProfile"]["team"] = []

    assert desk.call("POST", BASE, {**body, "inviteContext": wanted}).status == 400


def test_the_type_follows_the_consent(desk: Desk) -> None:
    assert desk.created(type="Shared")["type"] == "Independent"
    assert desk.created(type="Independent", consent=SHARED)["type"] == "Shared"


def test_microsofts_record_joins_the_engagement_and_waits_fourteen_days(desk: Desk) -> None:
    ours = desk.created(type="Shared", consent=SHARED)
    theirs = desk.created(type="Shared", consent=SHARED, target=MSFT, engagementId=ours["engagementId"])

    assert theirs["engagementId"] == ours["engagementId"]
    assert (theirs["organizationId"], theirs["status"], theirs["substatus"]) == ("msft", "New", "Pending")
    assert theirs["inviteContext"]["invitedBy"]["organizationId"] == ORGANIZATION
    listed = desk.list(f"$filter=engagementId%20eq%20'{ours['engagementId']}'").json()["value"]
    assert {record["id"] for record in listed} == {ours["id"], theirs["id"]}

    desk.pc.clock.advance(14 * 86_400 + 1)
    assert desk.pc.referral(theirs["id"])["substatus"] == "Expired"
    assert desk.pc.referral(ours["id"])["status"] == "Active"


def test_nobody_keeps_a_client_from_inviting_twice(desk: Desk) -> None:
    ours = desk.created(consent=SHARED)
    for _ in range(2):
        desk.created(consent=SHARED, target=MSFT, engagementId=ours["engagementId"])

    assert len(desk.pc.referrals("msft")) == 2


def test_microsoft_is_not_invited_to_a_private_deal(desk: Desk) -> None:
    ours = desk.created()

    assert desk.create(consent=SHARED, target=MSFT, engagementId=ours["engagementId"]).status == 400
    assert desk.pc.referrals("msft") == []


def test_a_foreign_engagement_cannot_be_joined(desk: Desk) -> None:
    foreign = desk.pc.referral(desk.pc.partner_creates())

    assert desk.create(consent=SHARED, target=MSFT, engagementId=foreign["engagementId"]).status == 400
    assert desk.create(consent=SHARED, target=MSFT, engagementId=17).status == 400


def test_one_create_invites_microsoft_only_by_switch(desk: Desk) -> None:
    desk.created(consent=SHARED, target=MSFT)
    assert desk.pc.referrals("msft") == []

    desk.pc.switches.single_create_invites = True
    desk.created(consent=SHARED, target=MSFT)
    assert len(desk.pc.referrals("msft")) == 1


def test_inviting_another_partner_is_refused_not_ignored(desk: Desk) -> None:
    response = desk.create(target=[{"type": "BusinessProfileLocation", "id": "7654321"}])

    assert response.status == 400
    assert response.json()["error"]["innerError"]["code"] == "notEmulated"


@pytest.mark.parametrize("body", ["[]", '"text"', "{", "null", '{"type": []}', '{"details": 5, "type": "Shared"}'])
def test_a_body_that_is_no_referral_is_a_400(desk: Desk, body: str, pc: PartnerCenterEmulator) -> None:
    headers = {"Authorization": f"Bearer {desk.token}", "Content-Type": "application/json"}

    assert pc.handle(Request.of("POST", BASE, headers, body.encode())).status == 400
