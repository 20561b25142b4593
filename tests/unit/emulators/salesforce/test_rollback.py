"""A rollback restores records and indexes exactly."""

from hypothesis import given
from hypothesis import strategies as st

from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.data.errors import ApiError
from tests.unit.emulators.salesforce.api_session import ApiSession

DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
STEPS = st.lists(
    st.sampled_from(["create", "rename", "identify", "delete", "add role", "remove roles"]).flatmap(
        lambda kind: st.tuples(st.just(kind), st.integers(0, 3))
    ),
    max_size=8,
)


@given(before=STEPS, inside=STEPS)
def test_a_rollback_undoes_every_step_of_a_transaction(
    before: list[tuple[str, int]], inside: list[tuple[str, int]]
) -> None:
    emulator = SalesforceEmulator()
    emulator.clock.freeze()
    api = ApiSession(emulator, emulator.oauth.issue_session_id(emulator.seller))
    contact = emulator.insert("Contact", {"LastName": "Young"})
    for kind, which in before:
        _apply_step(api, contact, kind, which)
    names = ("Opportunity", "OpportunityContactRole", "Contact")
    state = [list(emulator.org.stored_records(name)) for name in names]
    indexes = [
        [_ids_with_identifier(emulator, f"R{n}") for n in range(4)],
        list(emulator.org.records_by_value(names[1], "ContactId", contact)),
    ]
    position = emulator.org.undo_position()
    with emulator.lock:
        for kind, which in inside:
            _apply_step(api, contact, kind, which, clear_undo_log=False)
        emulator.org.roll_back(position)
    assert [list(emulator.org.stored_records(name)) for name in names] == state
    restored = [
        [_ids_with_identifier(emulator, f"R{n}") for n in range(4)],
        list(emulator.org.records_by_value(names[1], "ContactId", contact)),
    ]
    assert restored == indexes


def _ids_with_identifier(emulator: SalesforceEmulator, value: str) -> list[str]:
    return [record["Id"] for record in emulator.org.records_by_value("Opportunity", "Referral_Identifier__c", value)]


def _apply_step(api: ApiSession, contact: str, kind: str, which: int, *, clear_undo_log: bool = True) -> None:
    org, user = api.emulator.org, api.emulator.seller
    deals = [record["Id"] for record in org.stored_records("Opportunity") if not record["IsDeleted"]]
    roles = [record["Id"] for record in org.stored_records("OpportunityContactRole") if not record["IsDeleted"]]
    try:
        if kind == "create":
            org.insert("Opportunity", DEAL, user)
        elif kind == "remove roles":
            for role in roles[which:]:
                org.delete("OpportunityContactRole", role, user)
        elif deals:
            deal = deals[which % len(deals)]
            values = {"rename": {"Name": f"N{which}"}, "identify": {"Referral_Identifier__c": f"R{which}"}}
            if kind in values:
                org.update("Opportunity", deal, values[kind], user)
            elif kind == "delete":
                org.delete("Opportunity", deal, user)
            else:
                role = {"OpportunityId": deal, "ContactId": contact, "IsPrimary": True}
                org.insert("OpportunityContactRole", role, user)
    except ApiError as error:
        if error.code != "DUPLICATE_VALUE":
            raise
    if clear_undo_log:
        org.clear_undo_log()
