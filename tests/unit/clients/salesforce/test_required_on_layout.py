"""The fields that the org requires stand on our own layout."""

from pathlib import Path

import pytest

from shared.clients.salesforce.required_on_layout import OUR_LAYOUT, add_required
from shared.clients.salesforce.source_format import package_folders, read_source

PROJECT = Path(__file__).parents[4] / "infra" / "salesforce"
LAYOUT = read_source(*package_folders(PROJECT)).files[OUR_LAYOUT]


def test_a_missing_field_is_added_once_as_required() -> None:
    changed = add_required(LAYOUT, ["Region__c"])
    assert changed.count(b"<field>Region__c</field>") == 1
    assert add_required(changed, ["Region__c"]) == changed


@pytest.mark.parametrize("required", [[], ["Name"], ["Products__c"]])
def test_a_layout_that_has_them_stays_as_it_is(required: list[str]) -> None:
    assert add_required(LAYOUT, required) == LAYOUT
