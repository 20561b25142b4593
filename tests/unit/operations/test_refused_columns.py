"""The remedy for refused columns is what mends them, by what Salesforce says."""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime

import pytest

from shared.app import App
from shared.domain.cause import Cause
from shared.domain.link import Link, Unshown
from shared.operations.refused_columns import column_remedy, columns_text
from shared.operations.status_report import Group, status_report

NOON = datetime(2026, 12, 3, 12, tzinfo=UTC)
RULE, HIDDEN = "FIELD_CUSTOM_VALIDATION_EXCEPTION", "INVALID_FIELD_FOR_INSERT_UPDATE"


def refusal(code: str) -> Cause:
    return Cause(code, "Audit__c", "It says no.", "Change the record so that the validation rule is met.")


@pytest.mark.parametrize(
    ("code", "begins"),
    [
        (RULE, "A validation rule, a flow or a trigger of the org says this. "),
        (HIDDEN, "`cosell doctor` names what the integration user may not see or write: "),
        ("INSUFFICIENT_ACCESS_OR_READONLY", "Give the integration user edit access to this record"),
        ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "The picklist of the column, or the record type"),
        ("CANNOT_EXECUTE_FLOW_TRIGGER", "The administrator of Salesforce corrects what this message names"),
    ],
)
def test_the_remedy_goes_by_the_code_and_names_the_doctor_only_where_it_helps(code: str, begins: str) -> None:
    remedy = column_remedy(refusal(code))
    assert remedy.startswith(begins)
    assert ("cosell doctor" in remedy) is (code == HIDDEN)


def test_a_link_of_an_earlier_build_says_that_the_next_try_stores_the_reason() -> None:
    text = columns_text(("Audit__c", "Sync_Status__c"), None)
    assert text.startswith("Columns that cannot be written back: Audit__c, Sync_Status__c. The store does not have")


@pytest.mark.usefixtures("systems")
def test_deals_with_another_remedy_are_another_group() -> None:
    refused = {f"006AA000000000{n}AAA": code for n, code in enumerate((RULE, RULE, HIDDEN))}
    with closing(App()) as app:
        for key, code in refused.items():
            app.store.insert_link(Link(key, unshown=Unshown(("Audit__c",), NOON, refusal(code))))
        groups = status_report(app).groups
    assert counts(groups) == [(2, column_remedy(refusal(RULE))), (1, column_remedy(refusal(HIDDEN)))]


def counts(groups: Sequence[Group]) -> list[tuple[int, str]]:
    return [(group.count, group.remedy) for group in groups]
