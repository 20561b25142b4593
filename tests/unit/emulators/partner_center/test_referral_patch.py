import pytest

from emulators.partner_center.emulator import BASE
from tests.unit.emulators.partner_center.referral_desk import Desk, code, replace

VISIBLE = "/consent/consentToShareReferralWithMicrosoftSellers"
PERSON = {"firstName": "Seller", "lastName": "Two", "phoneNumber": "+4550000002", "email": "seller.two@contoso.example"}


def test_a_patch_is_answered_empty_unless_a_body_is_preferred(desk: Desk) -> None:
    record = desk.created()

    silent = desk.patch(record["id"], replace("/details/dealValue", "12000"))
    assert (silent.status, silent.body) == (204, b"")
    spoken = desk.patch(record["id"], replace("/details/dealValue", 12.5), Prefer="return=representation")
    assert (spoken.status, spoken.json()["details"]["dealValue"]) == (200, 12.5)
    assert desk.get(record["id"]).json()["details"]["dealValue"] == 12.5


def test_every_patch_moves_etag_and_date_even_if_nothing_differs(desk: Desk) -> None:
    record = desk.created()
    desk.pc.clock.freeze()
    same = replace("/details/notes", record["details"]["notes"])

    versions = [desk.patch(record["id"], same, Prefer="return=representation").json() for _ in range(3)]

    assert len({v["eTag"] for v in versions} | {record["eTag"]}) == 4
    stamps = [v["updatedDateTime"] for v in versions]
    assert len(set(stamps)) == 3
    assert versions[-1]["createdDateTime"] == record["createdDateTime"]


def test_a_stale_etag_is_a_412_and_changes_nothing(desk: Desk) -> None:
    record = desk.created()
    first = desk.patch(record["id"], replace("/salesStage", "40"), If_Match=record["eTag"])
    second = desk.patch(record["id"], replace("/salesStage", "60"), If_Match=record["eTag"])

    assert (first.status, second.status, code(second)) == (204, 412, "preconditionFailed")
    assert desk.get(record["id"]).json()["salesStage"] == "40"
    assert first.headers["ETag"] == desk.get(record["id"]).headers["ETag"]


def test_appending_adds_to_what_is_there(desk: Desk) -> None:
    record = desk.created()
    solution = {"type": "Name", "id": "SOL-2", "name": "Contoso Two"}
    desk.patch(
        record["id"],
        {"op": "add", "path": "/team/-", "value": PERSON},
        {"op": "add", "path": "/details/requirements/solutions/-", "value": solution},
    )

    after = desk.get(record["id"]).json()
    assert [m["email"] for m in after["team"]] == ["seller.one@contoso.example", "seller.two@contoso.example"]
    assert [s["id"] for s in after["details"]["requirements"]["solutions"]] == ["SOL-12345-ABC", "SOL-2"]
    assert after["team"][1]["contactPreference"] == {"locale": None, "disableNotifications": None}


def test_all_or_nothing(desk: Desk) -> None:
    record = desk.created()

    response = desk.patch(record["id"], replace("/details/dealValue", 1), replace("/customerProfile/name", "Other"))

    assert response.status == 400
    assert desk.get(record["id"]).json() == record


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
def test_what_may_not_be_patched_is_a_400(desk: Desk, operation: object) -> None:
    record = desk.created()

    assert desk.patch(record["id"], operation).status == 400
    assert desk.get(record["id"]).json() == record


def test_a_further_path_opens_by_switch(desk: Desk) -> None:
    record = desk.created()
    desk.pc.switches.extra_paths = ("/name",)

    assert desk.patch(record["id"], replace("/name", "Renamed")).status == 204
    assert desk.pc.referral(record["id"])["name"] == "Renamed"


def test_an_object_or_an_empty_array_is_no_patch(desk: Desk) -> None:
    record = desk.created()

    assert desk.call("PATCH", f"{BASE}/{record['id']}", {"name": "x"}).status == 400
    assert desk.call("PATCH", f"{BASE}/{record['id']}", []).status == 400


@pytest.mark.parametrize("slashes", ["", "/", "//"])
def test_trailing_slashes_name_the_same_referral(desk: Desk, slashes: str) -> None:
    record = desk.created()

    response = desk.call("PATCH", f"{BASE}/{record['id']}{slashes}", [replace("/campaignId", "summer")])
    assert response.status == 204


def test_visibility_makes_the_deal_shared_and_locks_the_customer_contact(desk: Desk) -> None:
    record = desk.created()
    contact = {**PERSON, "email": "new@northwind.example"}

    assert desk.patch(record["id"], replace("/customerProfile/team", [contact])).status == 204
    assert desk.patch(record["id"], replace(VISIBLE, value=True)).status == 204
    after = desk.get(record["id"]).json()
    assert (after["type"], after["customerProfile"]["team"][0]["email"]) == ("Shared", "new@northwind.example")
    assert desk.patch(record["id"], replace("/customerProfile/team", [])).status == 400
    assert desk.patch(record["id"], replace(VISIBLE, value=False)).status == 400


def test_a_deal_is_accepted_then_won_and_then_frozen(desk: Desk) -> None:
    inbound = desk.pc.microsoft_sends()
    assert desk.get(inbound).json()["acceptedDateTime"] is None

    assert desk.patch(inbound, replace("/status", "Active"), replace("/substatus", "Accepted")).status == 204
    accepted = desk.get(inbound).json()
    assert accepted["acceptedDateTime"] == accepted["updatedDateTime"]
    assert desk.patch(inbound, replace("/status", "Closed"), replace("/substatus", "Won")).status == 204
    assert desk.get(inbound).json()["closedDateTime"] is not None
    frozen = desk.patch(inbound, replace("/details/notes", "too late"))
    assert (frozen.status, frozen.json()["error"]["innerError"]["code"]) == (400, "invalidTransition")


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
def test_moves_outside_the_table_are_refused(desk: Desk, status: str, substatus: str) -> None:
    record = desk.created()

    assert desk.patch(record["id"], replace("/status", status), replace("/substatus", substatus)).status == 400
    assert desk.get(record["id"]).json() == record


def test_status_without_a_fitting_substatus_is_refused(desk: Desk) -> None:
    assert desk.patch(desk.created()["id"], replace("/status", "Closed")).status == 400


def test_closing_as_error_a_reason_and_answering_first_are_switches(desk: Desk) -> None:
    close = (replace("/status", "Closed"), replace("/substatus", "Error"))
    desk.pc.switches.error_substatus = False
    assert desk.patch(desk.created()["id"], *close).status == 400
    desk.pc.switches.reset()
    assert desk.patch(desk.created()["id"], *close).status == 204
    desk.pc.switches.demand_reasons = True
    assert desk.patch(desk.created()["id"], *close).status == 400
    assert desk.patch(desk.created()["id"], *close, replace("/statusReason", "Test referral")).status == 204
    desk.pc.switches.answer_before_closing = True
    won = (replace("/status", "Closed"), replace("/substatus", "Won"))
    assert desk.patch(desk.pc.microsoft_sends(), *won).status == 400


def test_an_inbound_deal_expires_after_fourteen_days(desk: Desk) -> None:
    ignored, answered = desk.pc.microsoft_sends(), desk.pc.microsoft_sends()
    desk.patch(answered, replace("/status", "Active"), replace("/substatus", "Accepted"))

    desk.pc.clock.advance(14 * 86_400 - 60)
    assert desk.get(ignored).json()["status"] == "New"
    desk.pc.clock.advance(120)
    assert desk.get(ignored).json()["substatus"] == "Expired"
    assert desk.get(answered).json()["substatus"] == "Accepted"


def test_microsofts_record_is_seen_but_not_changed_by_us(desk: Desk) -> None:
    inbound = desk.pc.referral(desk.pc.microsoft_sends())
    theirs = next(r for r in desk.pc.referrals("msft") if r["engagementId"] == inbound["engagementId"])

    assert desk.get(theirs["id"]).status == 200
    refused = desk.patch(theirs["id"], replace("/details/notes", "ours"))
    assert (refused.status, code(refused)) == (403, "accessDenied")


def test_an_unknown_or_foreign_referral_is_a_404(desk: Desk) -> None:
    foreign = desk.pc.partner_creates()

    for response in (desk.get(foreign), desk.get("nonsense"), desk.patch(foreign, replace("/salesStage", "20"))):
        assert (response.status, code(response)) == (404, "itemNotFound")


def test_put_and_delete_are_not_allowed(desk: Desk) -> None:
    record = desk.created()

    assert desk.call("PUT", f"{BASE}/{record['id']}", record, If_Match=record["eTag"]).status == 405
    assert desk.call("DELETE", f"{BASE}/{record['id']}").status == 405
