"""A create is checked as the documentation and the portal do, and invites Microsoft in a second call."""

import re

import pytest

from emulators.base.server import Request
from emulators.entra.emulator import EntraEmulator
from emulators.partner_center.certificate_host import CertificateHost
from emulators.partner_center.emulator import BASE, ORGANIZATION, PartnerCenterEmulator
from tests.unit.emulators.partner_center.co_sell_deal import HELP, MSFT, SHARED, invite_microsoft
from tests.unit.emulators.partner_center.referral_client import ReferralClient, error_code

PERSON = {"firstName": "Seller", "lastName": "One", "phoneNumber": "+4550000001", "email": "s@contoso.example"}


def test_a_create_is_answered_with_the_whole_record(client: ReferralClient) -> None:
    response = client.try_create(externalReferenceId="0065g00000AbCdEAAV")

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


def test_property_names_are_read_in_any_case(client: ReferralClient) -> None:
    body = client.emulator.example_body()
    other_case = {name[0].upper() + name[1:]: value for name, value in body.items()}
    other_case["Consent"] = {name[0].upper() + name[1:]: value for name, value in body["consent"].items()}
    other_case["CUSTOMERPROFILE"] = other_case.pop("CustomerProfile")

    record = client.call("POST", BASE, other_case).json()

    assert record["name"] == body["name"]
    assert record["customerProfile"]["name"] == body["customerProfile"]["name"]
    assert record["consent"]["consentToContact"] is True


@pytest.mark.parametrize("name", ["type", "customerProfile", "consent", "details"])
def test_the_required_properties_are_required(client: ReferralClient, name: str) -> None:
    response = client.try_create(**{name: None})

    assert (response.status, error_code(response)) == (400, "invalidRequest")
    assert response.json()["error"]["target"] == name
    assert client.emulator.referrals() == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("details/requirements/solutions", []),
        ("details/requirements/solutions", [{"type": "Name", "id": "x"}] * 51),
        ("details/dealValue", None),
        ("details/dealValue", -1),
        ("details/dealValue", 0),
        ("details/dealValue", "0.00"),
        ("details/currency", "US"),
        ("details/currency", "XXX"),
        ("details/currency", "ABC"),
        ("details/closingDateTime", "next month"),
        ("team", []),
        ("team", [{"firstName": "Seller", "lastName": "One", "email": "s@contoso.example"}]),
        ("team", "nobody"),
        ("team", [{**PERSON, "email": "nobody"}]),
        ("team", [{**PERSON, "email": "one@two@contoso.example"}]),
        ("team", [{**PERSON, "email": "seller one@contoso.example"}]),
        ("team", [{**PERSON, "email": "seller@localhost"}]),
        ("customerProfile/team", [{**PERSON, "email": "@northwind.example"}]),
        ("customerProfile/size", "banana"),
        ("customerProfile/size", 250),
        ("customerProfile/address/country", "ZZ"),
        ("customerProfile/address/country", "UK"),
        ("customerProfile/address/country", "United States"),
        ("customerProfile/address/country", None),
        ("customerProfile/address/addressLine1", None),
        ("customerProfile/address/addressLine1", " "),
        ("customerProfile/address/city", None),
        ("customerProfile/address/city", 7),
        ("details/requirements/solutions", [{"type": "Product", "id": "SOL-12345-ABC"}]),
        ("consent/consentToContact", "yes"),
        ("consent/consentToMicrosoftToContactSpecificPartners", "yes"),
        ("consent/consentToToShareInfoWithOthers", False),
        ("consent/consentToShareReferralWithMicrosoftSellers", "yes"),
        ("name", ""),
        ("type", "Joint"),
        ("qualification", "Hot"),
        ("salesStage", "55"),
    ],
)
def test_a_create_that_the_portal_would_refuse_is_a_400(client: ReferralClient, path: str, value: object) -> None:
    body = client.emulator.example_body()
    *parents, last = path.split("/")
    holder = body
    for part in parents:
        holder = holder[part]
    holder[last] = value

    response = client.call("POST", BASE, body)

    assert (response.status, error_code(response)) == (400, "invalidRequest"), response.body
    assert client.emulator.referrals() == []


@pytest.mark.parametrize("size", [None, "", "1to9employees", "Morethan500employees"])
def test_a_documented_size_or_none_is_accepted(client: ReferralClient, size: str | None) -> None:
    body = client.emulator.example_body()
    body["customerProfile"]["size"] = size

    assert client.call("POST", BASE, body).status == 200


def test_an_incomplete_deal_is_accepted_if_the_switch_allows_it(client: ReferralClient) -> None:
    client.emulator.switches.demand_complete = False
    body = client.emulator.example_body()
    body["details"] = {"requirements": body["details"]["requirements"]}
    body["team"] = [{"email": "seller.one@contoso.example"}]

    assert client.call("POST", BASE, body).status == 200


def test_a_request_for_help_needs_a_customer_contact(client: ReferralClient) -> None:
    body = {**client.emulator.example_body(), "consent": SHARED, "inviteContext": HELP}
    assert client.call("POST", BASE, body).status == 200
    body["customerProfile"]["team"] = []

    assert client.call("POST", BASE, body).status == 400


def test_the_type_follows_the_consent(client: ReferralClient) -> None:
    assert client.create(type="Shared")["type"] == "Independent"
    assert client.create(type="Independent", consent=SHARED)["type"] == "Shared"


def test_microsofts_record_joins_the_engagement_and_waits_fourteen_days(client: ReferralClient) -> None:
    ours = client.create(type="Shared", consent=SHARED)
    theirs = invite_microsoft(client, ours["engagementId"]).json()

    assert theirs["engagementId"] == ours["engagementId"]
    assert (theirs["organizationId"], theirs["status"], theirs["substatus"]) == ("msft", "New", "Pending")
    assert theirs["inviteContext"]["invitedBy"]["organizationId"] == ORGANIZATION
    listed = client.list(f"$filter=engagementId%20eq%20'{ours['engagementId']}'").json()["value"]
    assert {record["id"] for record in listed} == {ours["id"], theirs["id"]}

    client.emulator.clock.advance(14 * 86_400 + 1)
    assert client.emulator.referral(theirs["id"])["substatus"] == "Expired"
    assert client.emulator.referral(ours["id"])["status"] == "Active"


def test_microsoft_is_invited_to_an_engagement_once(client: ReferralClient) -> None:
    ours = client.create(consent=SHARED)

    assert invite_microsoft(client, ours["engagementId"]).status == 200
    again = invite_microsoft(client, ours["engagementId"])
    assert (again.status, error_code(again)) == (400, "invalidRequest")
    assert len(client.emulator.referrals("msft")) == 1


def test_a_deal_that_microsoft_sent_needs_no_invitation(client: ReferralClient) -> None:
    inbound = client.emulator.referral(client.emulator.microsoft_sends())

    assert invite_microsoft(client, inbound["engagementId"]).status == 400
    assert len(client.emulator.referrals("msft")) == 1


@pytest.mark.parametrize("context", [{}, None, {"assistanceRequestCode": "Unknown"}, {"notes": "Please help."}])
def test_an_invitation_without_a_help_code_is_refused(client: ReferralClient, context: object) -> None:
    ours = client.create(consent=SHARED)

    refused = invite_microsoft(client, ours["engagementId"], inviteContext=context)
    assert (refused.status, error_code(refused)) == (400, "invalidRequest")
    client.emulator.switches.single_create_invites = True
    assert client.try_create(consent=SHARED, target=MSFT, inviteContext=context).status == 400
    assert client.emulator.referrals("msft") == []
    assert len(client.emulator.referrals()) == 1


def test_microsoft_is_not_invited_to_a_private_deal(client: ReferralClient) -> None:
    ours = client.create()

    assert invite_microsoft(client, ours["engagementId"]).status == 400
    assert client.emulator.referrals("msft") == []


def test_an_engagement_of_strangers_cannot_be_joined(client: ReferralClient) -> None:
    foreign = client.emulator.referral(client.emulator.partner_creates())

    assert invite_microsoft(client, foreign["engagementId"]).status == 400
    assert invite_microsoft(client, 17).status == 400


def test_a_single_create_invites_microsoft_only_if_the_switch_says_so(client: ReferralClient) -> None:
    client.create(consent=SHARED, target=MSFT, inviteContext=HELP)
    assert client.emulator.referrals("msft") == []

    client.emulator.switches.single_create_invites = True
    client.create(consent=SHARED, target=MSFT, inviteContext=HELP)
    assert len(client.emulator.referrals("msft")) == 1


def test_an_invitation_of_another_partner_is_refused(client: ReferralClient) -> None:
    response = client.try_create(target=[{"type": "BusinessProfileLocation", "id": "7654321"}])

    assert response.status == 400
    assert response.json()["error"]["innerError"]["code"] == "notEmulated"


@pytest.mark.parametrize("body", ["[]", '"text"', "{", "null", '{"type": []}', '{"details": 5, "type": "Shared"}'])
def test_a_body_that_is_not_a_referral_is_a_400(
    client: ReferralClient, body: str, emulator: PartnerCenterEmulator
) -> None:
    headers = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"}

    assert emulator.handle(Request.of("POST", BASE, headers, body.encode())).status == 400
