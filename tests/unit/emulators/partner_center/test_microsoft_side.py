"""Microsoft answers a request for help, and nothing of that changes our own record."""

import pytest

from emulators.partner_center.closing_reasons import MISTAKE, NOT_WON
from emulators.partner_center.emulator import ANOTHER
from emulators.partner_center.service_errors import ServiceError
from tests.unit.emulators.partner_center.co_sell_deal import make_co_sell_deal
from tests.unit.emulators.partner_center.referral_client import ReferralClient, error_code, replace_operation

SELLER = {"firstName": "Account", "lastName": "Manager", "phoneNumber": "+14255550101", "email": "am@microsoft.example"}
FOURTEEN_DAYS = 14 * 86_400


def answer(status: str, substatus: str, reason: str | None = None) -> list[dict[str, object]]:
    operations = [replace_operation("/status", status), replace_operation("/substatus", substatus)]
    return operations if reason is None else [*operations, replace_operation("/statusReason", reason)]


def test_microsoft_accepts_with_its_id_its_seller_and_its_notes(client: ReferralClient) -> None:
    ours, theirs = make_co_sell_deal(client)

    received = client.emulator.microsoft_receives(ours["engagementId"])
    accepted = client.emulator.microsoft_accepts(
        ours["engagementId"], msx_id="7-ABCDE", seller=SELLER, notes="We call on Monday."
    )

    assert (received["status"], received["substatus"]) == ("New", "Received")
    assert (accepted["status"], accepted["substatus"]) == ("Active", "Accepted")
    assert (accepted["trackingInfo"]["microsoftMsxId"], accepted["details"]["notes"]) == (
        "7-ABCDE",
        "We call on Monday.",
    )
    assert [member["email"] for member in accepted["team"]] == ["seller.one@contoso.example", SELLER["email"]]
    assert accepted["acceptedDateTime"] == accepted["updatedDateTime"] != theirs["updatedDateTime"]
    assert client.get(theirs["id"]).json() == {**client.get(theirs["id"]).json(), **accepted}


def test_microsofts_record_can_name_its_own_sellers_alone(client: ReferralClient) -> None:
    ours, _ = make_co_sell_deal(client)
    client.emulator.switches.microsoft_team = "own"

    client.emulator.microsoft_accepts(ours["engagementId"], seller=SELLER)
    client.emulator.microsoft_adds_news(ours["engagementId"], seller=SELLER)
    assert [m["email"] for m in client.emulator.microsoft_record(ours["engagementId"])["team"]] == [SELLER["email"]]


def test_microsoft_adds_news(client: ReferralClient) -> None:
    ours, _ = make_co_sell_deal(client)
    client.emulator.microsoft_accepts(ours["engagementId"])
    before = client.emulator.microsoft_record(ours["engagementId"])

    after = client.emulator.microsoft_adds_news(ours["engagementId"], notes="The demo is on 3 May.", seller=SELLER)

    assert after["details"] == {**before["details"], "notes": "The demo is on 3 May."}
    assert after["team"] == [*before["team"], after["team"][-1]]
    assert (after["team"][-1]["email"], after["substatus"]) == (SELLER["email"], "Accepted")
    assert after["eTag"] != before["eTag"]


def test_microsofts_changes_leave_our_record_and_its_etag(client: ReferralClient) -> None:
    ours, theirs = make_co_sell_deal(client)
    client.emulator.microsoft_accepts(ours["engagementId"])
    client.emulator.microsoft_adds_news(ours["engagementId"], notes="News")

    assert client.emulator.referral(ours["id"]) == client.emulator.engagement(ours["engagementId"])[0]
    assert client.get(ours["id"]).json()["eTag"] == ours["eTag"]
    assert client.patch(ours["id"], replace_operation("/salesStage", "40"), If_Match=ours["eTag"]).status == 204
    again = client.emulator.microsoft_record(ours["engagementId"])
    assert client.emulator.microsoft_adds_news(ours["engagementId"])["eTag"] != again["eTag"] != theirs["eTag"]


def test_a_patch_of_microsofts_record_is_denied_whatever_etag_it_names(client: ReferralClient) -> None:
    _, theirs = make_co_sell_deal(client)

    for etag in (theirs["eTag"], '"stale"', "*"):
        refused = client.patch(theirs["id"], *answer("Active", "Accepted"), If_Match=etag)
        assert (refused.status, error_code(refused)) == (403, "accessDenied")
    assert client.emulator.microsoft_record(theirs["engagementId"]) == client.emulator.referral(theirs["id"])


@pytest.mark.parametrize("action", ["microsoft_accepts", "microsoft_declines", "microsoft_closes",
                                    "microsoft_receives", "microsoft_adds_news"])  # fmt: skip
def test_microsoft_changes_nothing_after_its_record_closed(client: ReferralClient, action: str) -> None:
    ours, theirs = make_co_sell_deal(client)
    client.emulator.microsoft_declines(ours["engagementId"], "No capacity")

    with pytest.raises(ServiceError, match="closed"):
        getattr(client.emulator, action)(ours["engagementId"])
    assert client.emulator.referral(theirs["id"])["statusReason"] == "No capacity"


def test_microsoft_opens_only_what_it_has_not_answered(client: ReferralClient) -> None:
    ours, _ = make_co_sell_deal(client)
    client.emulator.microsoft_accepts(ours["engagementId"])

    with pytest.raises(ServiceError, match="answered"):
        client.emulator.microsoft_receives(ours["engagementId"])


def test_microsoft_closes_with_a_known_substatus_and_a_reason(client: ReferralClient) -> None:
    ours, _ = make_co_sell_deal(client)

    with pytest.raises(ServiceError):
        client.emulator.microsoft_closes(ours["engagementId"], "Accepted")
    lost = client.emulator.microsoft_closes(ours["engagementId"], "Lost", "Budget not adequate")
    assert (lost["substatus"], lost["statusReason"]) == ("Lost", "Budget not adequate")
    assert client.patch(ours["id"], *answer("Closed", "Won")).status == 204
    assert client.emulator.microsoft_record(ours["engagementId"]) == lost


def test_one_unanswered_record_expires_without_the_others(client: ReferralClient) -> None:
    _, one = make_co_sell_deal(client)
    _, two = make_co_sell_deal(client)
    inbound = client.emulator.microsoft_sends()

    assert client.emulator.let_expire(one["id"])["substatus"] == "Expired"
    assert client.emulator.let_expire(inbound)["substatus"] == "Expired"
    assert client.emulator.referral(two["id"])["substatus"] == "Pending"
    with pytest.raises(ServiceError, match="new"):
        client.emulator.let_expire(one["id"])
    late = client.patch(inbound, *answer("Active", "Accepted"))
    assert late.json()["error"]["innerError"]["code"] == "invalidTransition"


def test_microsofts_answer_ends_its_fourteen_days(client: ReferralClient) -> None:
    ours, _ = make_co_sell_deal(client)
    client.emulator.microsoft_accepts(ours["engagementId"])
    client.emulator.pass_time(FOURTEEN_DAYS + 1)

    assert client.emulator.microsoft_record(ours["engagementId"])["substatus"] == "Accepted"


def test_a_deal_is_declined_only_instead_of_accepted(client: ReferralClient) -> None:
    inbound = client.emulator.microsoft_sends()
    client.emulator.portal_edits(inbound, answer("Active", "Accepted"))

    refused = client.patch(inbound, *answer("Closed", "Declined", "Not a customer"))
    assert (refused.status, refused.json()["error"]["innerError"]["code"]) == (400, "invalidTransition")
    client.emulator.switches.decline_accepted = True
    assert client.patch(inbound, *answer("Closed", "Declined", "Not a customer")).status == 204


@pytest.mark.parametrize(("substatus", "known"), [("Declined", NOT_WON), ("Lost", NOT_WON), ("Error", MISTAKE)])
def test_a_reason_of_the_list_is_demanded(client: ReferralClient, substatus: str, known: tuple[str, ...]) -> None:
    client.emulator.switches.answer_before_closing = False
    for reason in (None, "", " ", "Because", "Otherwise", "Test referrals"):
        refused = client.patch(client.emulator.microsoft_sends(), *answer("Closed", substatus, reason))
        assert (refused.status, refused.json()["error"]["target"]) == (400, "statusReason")
    for reason in (*known, f"{known[0]}: more words", known[-1].upper()):
        assert (
            client.patch(client.emulator.microsoft_sends(), *answer("Closed", substatus, reason)).status == 204
        )  # fmt: skip


def test_the_two_lists_of_reasons_are_not_mixed_and_a_win_needs_none(client: ReferralClient) -> None:
    assert client.patch(client.create()["id"], *answer("Closed", "Lost", "Test referral")).status == 400
    assert client.patch(client.create()["id"], *answer("Closed", "Error", "Not a customer")).status == 400
    assert client.patch(client.create()["id"], *answer("Closed", "Won")).status == 204


def test_an_unanswered_deal_is_not_won_in_one_step(client: ReferralClient) -> None:
    inbound = client.emulator.microsoft_sends()

    both = (*answer("Active", "Accepted"), *answer("Closed", "Won"))
    assert client.patch(inbound, *both).json()["error"]["innerError"]["code"] == "invalidTransition"
    assert client.get(inbound).json()["substatus"] == "Pending"
    assert client.patch(inbound, *answer("Active", "Accepted")).status == 204
    assert client.patch(inbound, *answer("Closed", "Won")).status == 204


def test_an_unanswered_deal_can_be_closed_as_a_mistake(client: ReferralClient) -> None:
    assert client.patch(client.emulator.microsoft_sends(), *answer("Closed", "Error", "Data error")).status == 204


def test_another_partner_joins_our_engagement(client: ReferralClient) -> None:
    ours = client.create(externalReferenceId="0065", consent={**client.emulator.example_body()["consent"]})

    theirs = client.emulator.partner_joins(ours["engagementId"], name="The part of Fabrikam")
    assert (theirs["organizationId"], theirs["substatus"]) == (ANOTHER.id, "Pending")
    assert (theirs["name"], theirs["mpnId"], theirs["externalReferenceId"]) == (
        "The part of Fabrikam", ANOTHER.location, None,
    )  # fmt: skip
    accepted = client.emulator.partner_edits(ours["engagementId"], answer("Active", "Accepted"))
    assert client.get(theirs["id"]).json()["substatus"] == accepted["substatus"] == "Accepted"
    assert client.patch(theirs["id"], replace_operation("/salesStage", "20")).status == 403
    with pytest.raises(ServiceError, match="404"):
        client.emulator.partner_joins(client.emulator.referral(client.emulator.partner_creates())["engagementId"])
