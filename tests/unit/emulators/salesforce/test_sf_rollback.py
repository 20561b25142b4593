"""All or nothing: a rollback leaves rows and indexes as they were."""

from hypothesis import given
from hypothesis import strategies as st

from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.data.errors import ApiError
from tests.unit.emulators.salesforce.rest_bench import Api

DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
STEPS = st.lists(
    st.sampled_from(["create", "rename", "identify", "delete", "role", "unrole"]).flatmap(
        lambda kind: st.tuples(st.just(kind), st.integers(0, 3))
    ),
    max_size=8,
)


@given(before=STEPS, inside=STEPS)
def test_whatever_a_failed_transaction_did_is_undone(
    before: list[tuple[str, int]], inside: list[tuple[str, int]]
) -> None:
    emulator = SalesforceEmulator()
    emulator.clock.freeze()
    api = Api(emulator, emulator.oauth.open(emulator.seller))
    contact = emulator.insert("Contact", {"LastName": "Young"})
    for kind, which in before:
        _apply(api, contact, kind, which)
    names = ("Opportunity", "OpportunityContactRole", "Contact")
    state = [list(emulator.org.rows(name)) for name in names]
    indexes = [
        [_lookup(emulator, f"R{n}") for n in range(4)],
        list(emulator.org.lookup(names[1], "ContactId", contact)),
    ]
    mark = emulator.org.mark()
    with emulator.lock:
        for kind, which in inside:
            _apply(api, contact, kind, which, forget=False)
        emulator.org.roll_back(mark)
    assert [list(emulator.org.rows(name)) for name in names] == state
    again = [[_lookup(emulator, f"R{n}") for n in range(4)], list(emulator.org.lookup(names[1], "ContactId", contact))]
    assert again == indexes


def _lookup(emulator: SalesforceEmulator, value: str) -> list[str]:
    return [row["Id"] for row in emulator.org.lookup("Opportunity", "Referral_Identifier__c", value)]


def _apply(api: Api, contact: str, kind: str, which: int, *, forget: bool = True) -> None:
    org, by = api.emulator.org, api.emulator.seller
    deals = [row["Id"] for row in org.rows("Opportunity") if not row["IsDeleted"]]
    roles = [row["Id"] for row in org.rows("OpportunityContactRole") if not row["IsDeleted"]]
    try:
        if kind == "create":
            org.insert("Opportunity", DEAL, by)
        elif kind == "unrole":
            for role in roles[which:]:
                org.delete("OpportunityContactRole", role, by)
        elif deals:
            deal = deals[which % len(deals)]
            values = {"rename": {"Name": f"N{which}"}, "identify": {"Referral_Identifier__c": f"R{which}"}}
            if kind in values:
                org.update("Opportunity", deal, values[kind], by)
            elif kind == "delete":
                org.delete("Opportunity", deal, by)
            else:
                role = {"OpportunityId": deal, "ContactId": contact, "IsPrimary": True}
                org.insert("OpportunityContactRole", role, by)
    except ApiError as error:
        if error.code != "DUPLICATE_VALUE":
            raise
    if forget:
        org.forget_undo()
