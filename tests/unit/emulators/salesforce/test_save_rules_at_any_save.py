"""A validation rule is checked at every save of its object, whatever the save writes.

The requirement: docs/reference/salesforce.md#validation-rules.
"""

import pytest

from tests.unit.emulators.salesforce.api_session import ApiSession
from tests.unit.emulators.salesforce.control_calls import control, control_answer
from tests.unit.emulators.salesforce.write_paths import codes_by_path, errors_by_path

DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
REFUSED = {("FIELD_CUSTOM_VALIDATION_EXCEPTION",)}
STEP = {"sobject": "Opportunity", "formula": "ISBLANK(NextStep)", "message": "Say the next step.", "field": "NextStep"}


def test_every_creation_meets_the_rule(api: ApiSession) -> None:
    control(api.emulator, "save_rule", **STEP)
    found = errors_by_path(api, "Opportunity", DEAL, key_field="Referral_Identifier__c")
    assert {(each["message"], *each["fields"]) for errors in found.values() for each in errors} == {
        ("Say the next step.", "NextStep")
    }
    assert codes_by_path(api, "Opportunity", DEAL, key_field="Referral_Identifier__c") == REFUSED
    assert codes_by_path(api, "Opportunity", {**DEAL, "NextStep": "call"}) == {()}


def test_every_update_of_another_column_meets_the_rule(api: ApiSession) -> None:
    deal = api.create_deal()
    control(api.emulator, "save_rule", **STEP)
    assert codes_by_path(api, "Opportunity", {"Name": "New"}, edited=deal) == REFUSED
    assert codes_by_path(api, "Opportunity", {"NextStep": "call"}, edited=deal) == {()}
    assert codes_by_path(api, "Opportunity", {"Name": "New"}, edited=deal) == {()}


@pytest.mark.parametrize(
    ("sobject", "formula", "refused", "saved"),
    [
        ("Account", "ISBLANK(Phone)", {"Name": "A"}, {"Name": "A", "Phone": "1"}),
        ("Contact", "ISBLANK(Email) && ISBLANK(Phone)", {"LastName": "L"}, {"LastName": "L", "Phone": "1"}),
        ("Opportunity", "Amount < 100", {**DEAL, "Amount": 99}, {**DEAL, "Amount": 100}),
        ("Opportunity", "OR(Amount >= 100, Amount > 100)", {**DEAL, "Amount": 100}, DEAL),
        ("Opportunity", "Amount <= 100", {**DEAL, "Amount": 100}, {**DEAL, "Amount": 101}),
    ],
)
def test_a_rule_may_belong_to_any_object(
    api: ApiSession, sobject: str, formula: str, refused: dict[str, object], saved: dict[str, object]
) -> None:
    control(api.emulator, "save_rule", sobject=sobject, formula=formula, message="Not so.")
    assert codes_by_path(api, sobject, refused) == REFUSED
    assert codes_by_path(api, sobject, saved) == {()}


@pytest.mark.parametrize("change", [{"formula": "ISBLANK("}, {"formula": "ISBLANK(Nope)"}, {"field": "Nope"}])
def test_a_rule_that_cannot_be_read_is_refused(api: ApiSession, change: dict[str, object]) -> None:
    assert control_answer(api.emulator, "save_rule", **{**STEP, **change}).status == 400
