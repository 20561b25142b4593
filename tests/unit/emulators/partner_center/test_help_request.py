"""Microsoft is asked for help once in an engagement, with all that it needs, and only while the deal is open."""

import pytest

from emulators.partner_center.emulator import ANOTHER
from emulators.partner_center.service_errors import ServiceError
from tests.unit.emulators.partner_center.co_sell_deal import (
    HELP,
    MSFT,
    SHARED,
    VISIBLE,
    invite_microsoft,
    make_co_sell_deal,
)
from tests.unit.emulators.partner_center.referral_client import ReferralClient, error_code, replace_operation

PERSON = {"firstName": "Contact", "lastName": "Two", "phoneNumber": "+12065550101", "email": "two@northwind.example"}
CODE, NOTES = "/inviteContext/assistanceRequestCode", "/inviteContext/notes"


def close(client: ReferralClient, referral_id: str, substatus: str = "Lost") -> None:
    ending = [("/status", "Closed"), ("/substatus", substatus), ("/statusReason", "Others")]
    closed = client.patch(referral_id, *(replace_operation(path, value) for path, value in ending))
    assert closed.status == 204, closed.body


def accept(client: ReferralClient, referral_id: str) -> None:
    client.patch(referral_id, replace_operation("/status", "Active"), replace_operation("/substatus", "Accepted"))


def inner_code(client: ReferralClient, referral_id: str, *operations: object) -> str:
    response = client.patch(referral_id, *operations)
    assert (response.status, error_code(response)) == (400, "invalidRequest")
    return str(response.json()["error"]["innerError"]["code"])


def test_microsofts_record_has_the_help_code_and_the_notes(client: ReferralClient) -> None:
    ours, theirs = make_co_sell_deal(client)

    context = theirs["inviteContext"]
    assert (context["assistanceRequestCode"], context["notes"]) == (HELP["assistanceRequestCode"], HELP["notes"])
    assert (theirs["target"], theirs["expirationDateTime"] is None) == (MSFT, False)
    assert client.get(ours["id"]).json() == ours


@pytest.mark.parametrize("missing", ["firstName", "lastName", "phoneNumber", "email"])
def test_help_needs_a_whole_customer_contact_even_where_a_deal_does_not(client: ReferralClient, missing: str) -> None:
    client.emulator.switches.demand_complete = False
    ours = client.create(consent=SHARED)
    body = client.emulator.example_body()["customerProfile"]

    for team in ([], [PERSON, {**PERSON, missing: None}]):
        refused = invite_microsoft(client, ours["engagementId"], customerProfile={**body, "team": team})
        assert (refused.status, refused.json()["error"]["target"]) == (400, "customerProfile/team")
    assert client.emulator.referrals("msft") == []


def test_a_help_code_on_our_own_record_needs_visibility_too(client: ReferralClient) -> None:
    assert client.try_create(inviteContext=HELP).json()["error"]["target"] == "consent"
    assert client.create(inviteContext=HELP, consent=SHARED)["inviteContext"]["notes"] == HELP["notes"]


@pytest.mark.parametrize("code", ["Other", "generalorother", "", 6, "No help required at this time"])
def test_a_help_code_that_is_none_of_the_six_is_refused(client: ReferralClient, code: object) -> None:
    ours = client.create(consent=SHARED)

    assert invite_microsoft(client, ours["engagementId"], inviteContext={"assistanceRequestCode": code}).status == 400
    assert client.emulator.referrals("msft") == []


def test_notes_are_text_and_nobody_invites_for_another(client: ReferralClient) -> None:
    ours = client.create(consent=SHARED)

    for context in ({**HELP, "notes": 7}, {**HELP, "invitedBy": {"organizationId": "msft"}}):
        assert invite_microsoft(client, ours["engagementId"], inviteContext=context).status == 400
    mine = {**HELP, "invitedBy": {"organizationId": client.emulator.organization.id}}
    assert invite_microsoft(client, ours["engagementId"], inviteContext=mine).status == 200


def test_microsoft_is_a_target_by_its_location(client: ReferralClient) -> None:
    ours = client.create(consent=SHARED)
    target = [{"type": "SolutionProfile", "id": "msft"}]

    assert invite_microsoft(client, ours["engagementId"], target=target).json()["error"]["target"] == "target"


def test_help_needs_one_solution_that_is_co_sell_ready_or_microsofts_own(client: ReferralClient) -> None:
    client.emulator.switches.solutions_not_ready = ("SOL-12345-ABC",)
    ours = client.create(consent=SHARED)
    details = client.emulator.example_body()["details"]
    mine = details["requirements"]["solutions"][0]

    refused = invite_microsoft(client, ours["engagementId"], details=details)
    assert refused.json()["error"]["innerError"]["code"] == "solutionNotCoSellReady"
    for other in ({"type": "Name", "id": "SOL-2"}, {"type": "Category", "id": "DevOps"},
                  {"type": "Name", "id": "5d0f3f5e-7c1f-4b0e-9d55-0c9a1f2e3d4c"}):  # fmt: skip
        deal = client.create(consent=SHARED)
        wanted = {**details, "requirements": {"solutions": [mine, other]}}
        assert invite_microsoft(client, deal["engagementId"], details=wanted).status == 200


@pytest.mark.parametrize("end", ["declines", "closes", "expires"])
def test_help_is_asked_for_once_even_after_microsofts_answer(client: ReferralClient, end: str) -> None:
    ours, theirs = make_co_sell_deal(client)
    match end:
        case "declines":
            client.emulator.microsoft_declines(ours["engagementId"])
        case "closes":
            client.emulator.microsoft_closes(ours["engagementId"])
        case "expires":
            client.emulator.let_expire(theirs["id"])

    again = invite_microsoft(client, ours["engagementId"])
    assert (again.status, again.json()["error"]["target"]) == (400, "target")
    assert len(client.emulator.engagement(ours["engagementId"])) == 2


@pytest.mark.parametrize("substatus", ["Won", "Lost", "Error"])
def test_help_with_a_closed_deal_is_refused(client: ReferralClient, substatus: str) -> None:
    ours = client.create(consent=SHARED)
    close(client, ours["id"], substatus)

    refused = invite_microsoft(client, ours["engagementId"])
    assert refused.json()["error"]["innerError"]["code"] == "invalidTransition"
    assert client.emulator.referrals("msft") == []


def test_help_with_an_inbound_deal_of_a_partner_comes_after_our_answer(client: ReferralClient) -> None:
    inbound = client.emulator.referral(client.emulator.partner_sends())
    assert invite_microsoft(client, inbound["engagementId"]).json()["error"]["target"] == "status"

    accept(client, inbound["id"])
    assert invite_microsoft(client, inbound["engagementId"]).status == 200


def test_we_have_one_record_in_an_engagement(client: ReferralClient) -> None:
    ours = client.create(consent=SHARED)

    assert client.try_create(consent=SHARED, engagementId=ours["engagementId"]).status == 400
    assert len(client.emulator.engagement(ours["engagementId"])) == 1


def test_help_and_notes_cannot_be_patched(client: ReferralClient) -> None:
    _, theirs = make_co_sell_deal(client)
    ours = client.create()

    for operation in (replace_operation(CODE, "GeneralOrOther"), replace_operation(NOTES, "Other notes")):
        assert inner_code(client, ours["id"], operation) == "pathNotAllowed"
        assert client.patch(theirs["id"], operation).status == 403


def test_help_and_notes_are_locked_by_the_first_share_where_a_switch_lets_them_be_patched(
    client: ReferralClient,
) -> None:
    client.emulator.switches.extra_paths = (CODE, NOTES)
    ours = client.create()
    help_wanted, notes = replace_operation(CODE, "GeneralOrOther"), replace_operation(NOTES, "Please call first.")

    assert client.patch(ours["id"], replace_operation(CODE, "Nonsense")).status == 400
    assert client.patch(ours["id"], help_wanted).status == 400  # without visibility
    assert client.patch(ours["id"], notes, help_wanted, replace_operation(VISIBLE, value=True)).status == 204
    for operation in (help_wanted, notes, replace_operation("/customerProfile/team", [PERSON])):
        assert inner_code(client, ours["id"], operation) == "locked"


def test_a_private_deal_becomes_partner_led_and_then_co_sell(client: ReferralClient) -> None:
    ours = client.create()
    assert (ours["type"], invite_microsoft(client, ours["engagementId"]).status) == ("Independent", 400)

    assert client.patch(ours["id"], replace_operation(VISIBLE, value=True)).status == 204
    assert client.get(ours["id"]).json()["type"] == "Shared"
    assert invite_microsoft(client, ours["engagementId"]).status == 200
    assert client.patch(ours["id"], replace_operation(VISIBLE, value=False)).status == 400


def test_a_colleague_asks_for_help_in_the_portal(client: ReferralClient) -> None:
    private = client.create(externalReferenceId="0065")

    theirs = client.emulator.portal_asks_for_help(private["id"], "QuotesOrLicensing", "Which licence?")

    ours, also_theirs = client.emulator.engagement(private["engagementId"])
    assert (also_theirs, theirs["organizationId"], theirs["substatus"]) == (theirs, "msft", "Pending")
    assert theirs["inviteContext"]["assistanceRequestCode"] == "QuotesOrLicensing"
    assert (theirs["inviteContext"]["notes"], theirs["externalReferenceId"]) == ("Which licence?", None)
    assert (ours["type"], ours["id"], theirs["createdVia"]) == ("Shared", private["id"], "Portal")
    assert invite_microsoft(client, private["engagementId"]).status == 400


def test_a_refused_request_in_the_portal_changes_nothing(client: ReferralClient) -> None:
    customer = client.emulator.example_body()["customerProfile"]
    private = client.create(customerProfile={**customer, "team": []})

    with pytest.raises(ServiceError, match="contact"):
        client.emulator.portal_asks_for_help(private["id"])
    assert client.get(private["id"]).json() == private
    client.emulator.partner_sends()
    with pytest.raises(ServiceError, match="403"):
        client.emulator.portal_asks_for_help(client.emulator.referrals(ANOTHER.id)[0]["id"])
