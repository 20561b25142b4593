"""A patch changes only listed paths, respects ETags and locks, and is all or nothing."""

import pytest

from emulators.partner_center.emulator import BASE
from tests.unit.emulators.partner_center.referral_client import ReferralClient, error_code, replace_operation

VISIBLE = "/consent/consentToShareReferralWithMicrosoftSellers"
PERSON = {"firstName": "Seller", "lastName": "Two", "phoneNumber": "+4550000002", "email": "seller.two@contoso.example"}


def test_a_patch_has_an_empty_answer_unless_the_client_prefers_a_body(client: ReferralClient) -> None:
    record = client.create()

    empty_answer = client.patch(record["id"], replace_operation("/details/dealValue", "12000"))
    assert (empty_answer.status, empty_answer.body) == (204, b"")
    full_answer = client.patch(
        record["id"], replace_operation("/details/dealValue", 12.5), Prefer="return=representation"
    )
    assert (full_answer.status, full_answer.json()["details"]["dealValue"]) == (200, 12.5)
    assert client.get(record["id"]).json()["details"]["dealValue"] == 12.5


def test_every_patch_changes_etag_and_date_even_if_no_value_differs(client: ReferralClient) -> None:
    record = client.create()
    client.emulator.clock.freeze()
    same = replace_operation("/details/notes", record["details"]["notes"])

    versions = [client.patch(record["id"], same, Prefer="return=representation").json() for _ in range(3)]

    assert len({v["eTag"] for v in versions} | {record["eTag"]}) == 4
    times = [v["updatedDateTime"] for v in versions]
    assert len(set(times)) == 3
    assert versions[-1]["createdDateTime"] == record["createdDateTime"]


def test_a_stale_etag_is_a_412_and_changes_nothing(client: ReferralClient) -> None:
    record = client.create()
    first = client.patch(record["id"], replace_operation("/salesStage", "40"), If_Match=record["eTag"])
    second = client.patch(record["id"], replace_operation("/salesStage", "60"), If_Match=record["eTag"])

    assert (first.status, second.status, error_code(second)) == (204, 412, "preconditionFailed")
    assert client.get(record["id"]).json()["salesStage"] == "40"
    assert first.headers["ETag"] == client.get(record["id"]).headers["ETag"]


def test_an_append_keeps_the_other_items(client: ReferralClient) -> None:
    record = client.create()
    solution = {"type": "Name", "id": "SOL-2", "name": "Contoso Two"}
    client.patch(
        record["id"],
        {"op": "add", "path": "/team/-", "value": PERSON},
        {"op": "add", "path": "/details/requirements/solutions/-", "value": solution},
    )

    after = client.get(record["id"]).json()
    assert [m["email"] for m in after["team"]] == ["seller.one@contoso.example", "seller.two@contoso.example"]
    assert [s["id"] for s in after["details"]["requirements"]["solutions"]] == ["SOL-12345-ABC", "SOL-2"]
    assert after["team"][1]["contactPreference"] == {"locale": None, "disableNotifications": None}


def test_one_invalid_operation_stops_the_whole_patch(client: ReferralClient) -> None:
    record = client.create()

    response = client.patch(
        record["id"], replace_operation("/details/dealValue", 1), replace_operation("/customerProfile/name", "Other")
    )

    assert response.status == 400
    assert client.get(record["id"]).json() == record


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/details/notes"},
        {"op": "remove", "path": "/details/notes", "value": None},
        {"op": "test", "path": "/details/notes", "value": "x"},
        {"op": "replace", "path": "/name", "value": "Other"},
        {"op": "replace", "path": "/mpnId", "value": "1"},
        {"op": "replace", "path": "details/notes", "value": "no slash"},
        {"op": "replace", "path": "/team/-", "value": PERSON},
        {"op": "replace", "path": "/team/0", "value": PERSON},
        {"op": "replace", "path": "/team", "value": []},
        {"op": "add", "path": "/team/-", "value": {"email": "half@contoso.example"}},
        {"op": "add", "path": "/team/-", "value": {**PERSON, "email": "nobody"}},
        {"op": "replace", "path": "/details/dealValue", "value": 0},
        {"op": "replace", "path": "/details/currency", "value": "XXX"},
        {"op": "replace", "path": "/details/dealValue", "value": "much"},
        {"op": "replace", "path": "/details/dealValue", "value": True},
        {"op": "replace", "path": "/details/closingDateTime", "value": None},
        {"op": "replace", "path": "/details/requirements/solutions", "value": []},
        {"op": "replace", "path": VISIBLE, "value": False},
        {"op": "add", "path": "/registrations/-", "value": {}},
        {"op": "replace", "path": "/status", "value": "Paused"},
        "not an operation",
    ],
)
def test_an_operation_that_is_not_allowed_is_a_400(client: ReferralClient, operation: object) -> None:
    record = client.create()

    assert client.patch(record["id"], operation).status == 400
    assert client.get(record["id"]).json() == record


def test_a_switch_allows_a_further_path(client: ReferralClient) -> None:
    record = client.create()
    client.emulator.switches.extra_paths = ("/name",)

    assert client.patch(record["id"], replace_operation("/name", "Renamed")).status == 204
    assert client.emulator.referral(record["id"])["name"] == "Renamed"


def test_an_object_or_an_empty_array_is_not_a_patch(client: ReferralClient) -> None:
    record = client.create()

    assert client.call("PATCH", f"{BASE}/{record['id']}", {"name": "x"}).status == 400
    assert client.call("PATCH", f"{BASE}/{record['id']}", []).status == 400


@pytest.mark.parametrize("slashes", ["", "/", "//"])
def test_trailing_slashes_name_the_same_referral(client: ReferralClient, slashes: str) -> None:
    record = client.create()

    response = client.call("PATCH", f"{BASE}/{record['id']}{slashes}", [replace_operation("/campaignId", "summer")])
    assert response.status == 204


def test_a_visible_deal_is_shared_and_its_customer_contact_is_locked(client: ReferralClient) -> None:
    record = client.create()
    contact = {**PERSON, "email": "new@northwind.example"}

    assert client.patch(record["id"], replace_operation("/customerProfile/team", [contact])).status == 204
    assert client.patch(record["id"], replace_operation(VISIBLE, value=True)).status == 204
    after = client.get(record["id"]).json()
    assert (after["type"], after["customerProfile"]["team"][0]["email"]) == ("Shared", "new@northwind.example")
    assert client.patch(record["id"], replace_operation("/customerProfile/team", [])).status == 400
    assert client.patch(record["id"], replace_operation(VISIBLE, value=False)).status == 400


def test_a_deal_is_accepted_and_won_and_then_cannot_change(client: ReferralClient) -> None:
    inbound = client.emulator.microsoft_sends()
    assert client.get(inbound).json()["acceptedDateTime"] is None

    assert (
        client.patch(
            inbound, replace_operation("/status", "Active"), replace_operation("/substatus", "Accepted")
        ).status
        == 204
    )
    accepted = client.get(inbound).json()
    assert accepted["acceptedDateTime"] == accepted["updatedDateTime"]
    assert (
        client.patch(inbound, replace_operation("/status", "Closed"), replace_operation("/substatus", "Won")).status
        == 204
    )
    assert client.get(inbound).json()["closedDateTime"] is not None
    refusal = client.patch(inbound, replace_operation("/details/notes", "too late"))
    assert (refusal.status, refusal.json()["error"]["innerError"]["code"]) == (400, "invalidTransition")


def test_a_registration_of_a_won_deal_is_not_emulated_and_of_another_closed_deal_refused(
    client: ReferralClient,
) -> None:
    registrations = (
        {"op": "add", "path": "/registrations/-", "value": {}},
        {"op": "replace", "path": "/Registrations/0/contract/value", "value": 1},
    )
    for substatus, inner in (("Won", "notEmulated"), ("Lost", "invalidTransition")):
        record = client.create()
        ending = [("/status", "Closed"), ("/substatus", substatus), ("/statusReason", "Others")]
        client.patch(record["id"], *(replace_operation(path, value) for path, value in ending))
        for operation in registrations:
            refusal = client.patch(record["id"], operation)
            assert (refusal.status, refusal.json()["error"]["innerError"]["code"]) == (400, inner)
        both = client.patch(record["id"], registrations[0], replace_operation("/details/notes", "too late"))
        assert both.json()["error"]["innerError"]["code"] == "invalidTransition"


@pytest.mark.parametrize(
    ("status", "substatus"),
    [
        ("New", "Pending"),
        ("Active", "Won"),
        ("Closed", "Accepted"),
        ("Closed", "Expired"),
        ("None", "None"),
    ],
)
def test_a_transition_that_is_not_in_the_table_is_refused(client: ReferralClient, status: str, substatus: str) -> None:
    record = client.create()

    assert (
        client.patch(
            record["id"], replace_operation("/status", status), replace_operation("/substatus", substatus)
        ).status
        == 400
    )
    assert client.get(record["id"]).json() == record


def test_a_status_with_a_substatus_of_another_status_is_refused(client: ReferralClient) -> None:
    assert client.patch(client.create()["id"], replace_operation("/status", "Closed")).status == 400


def test_switches_decide_on_error_closing_on_reasons_and_on_accepting_first(client: ReferralClient) -> None:
    close = (replace_operation("/status", "Closed"), replace_operation("/substatus", "Error"))
    reason = replace_operation("/statusReason", "Test referral")
    assert client.patch(client.create()["id"], *close).status == 400
    assert client.patch(client.create()["id"], *close, reason).status == 204
    client.emulator.switches.error_substatus = False
    assert client.patch(client.create()["id"], *close, reason).status == 400
    client.emulator.switches.reset()
    client.emulator.switches.demand_reasons = client.emulator.switches.listed_reasons = False
    assert client.patch(client.create()["id"], *close).status == 204
    won = (replace_operation("/status", "Closed"), replace_operation("/substatus", "Won"))
    assert client.patch(client.emulator.microsoft_sends(), *won).status == 400
    client.emulator.switches.answer_before_closing = False
    assert client.patch(client.emulator.microsoft_sends(), *won).status == 204


def test_an_inbound_deal_expires_after_fourteen_days(client: ReferralClient) -> None:
    ignored, answered = client.emulator.microsoft_sends(), client.emulator.microsoft_sends()
    client.patch(answered, replace_operation("/status", "Active"), replace_operation("/substatus", "Accepted"))

    client.emulator.clock.advance(14 * 86_400 - 60)
    assert client.get(ignored).json()["status"] == "New"
    client.emulator.clock.advance(120)
    assert client.get(ignored).json()["substatus"] == "Expired"
    assert client.get(answered).json()["substatus"] == "Accepted"


def test_we_can_read_but_not_change_microsofts_record(client: ReferralClient) -> None:
    inbound = client.emulator.referral(client.emulator.microsoft_sends())
    theirs = next(r for r in client.emulator.referrals("msft") if r["engagementId"] == inbound["engagementId"])

    assert client.get(theirs["id"]).status == 200
    refused = client.patch(theirs["id"], replace_operation("/details/notes", "ours"))
    assert (refused.status, error_code(refused)) == (403, "accessDenied")


def test_an_unknown_referral_or_one_of_strangers_is_a_404(client: ReferralClient) -> None:
    foreign = client.emulator.partner_creates()

    for response in (
        client.get(foreign),
        client.get("nonsense"),
        client.patch(foreign, replace_operation("/salesStage", "20")),
    ):
        assert (response.status, error_code(response)) == (404, "itemNotFound")


def test_put_and_delete_are_not_allowed(client: ReferralClient) -> None:
    record = client.create()

    assert client.call("PUT", f"{BASE}/{record['id']}", record, If_Match=record["eTag"]).status == 405
    assert client.call("DELETE", f"{BASE}/{record['id']}").status == 405
