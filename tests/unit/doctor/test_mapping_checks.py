"""The checks that `cosell mapping check` adds to the doctor's: types, lists of values, solution ids, latches."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.systems import Systems
from shared.doctor.finding import Result, Verdict
from shared.doctor.installation import Installation
from shared.doctor.mapping_checks import (
    check_column_types,
    check_latches,
    check_solution_ids,
    check_value_lists,
)
from tests.unit.doctor.test_doctor_salesforce import use_mapping_file

type Check = Callable[[Installation], Verdict]


@pytest.fixture
def org(systems: Systems) -> Iterator[Systems]:
    yield systems
    systems.salesforce.reset_state()


def verdict_of(check: Check) -> Verdict:
    installation = Installation()
    try:
        return check(installation)
    finally:
        installation.close()


@pytest.mark.usefixtures("org")
@pytest.mark.parametrize("check", [check_column_types, check_value_lists, check_solution_ids, check_latches])
def test_the_default_file_passes(check: Check) -> None:
    assert verdict_of(check).result is Result.OK


@pytest.mark.usefixtures("org")
def test_a_column_of_a_wrong_type_or_too_short_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    overlay = '[fields.closing]\nsalesforce = "NextStep"\n[fields.name]\nlength = 500\n'
    use_mapping_file(monkeypatch, tmp_path, overlay)
    verdict = verdict_of(check_column_types)
    assert verdict.result is Result.FAILED
    assert verdict.found == (
        "name: length = 500, but Name holds 120 characters; closing: NextStep is of type string, not date or datetime"
    )


@pytest.mark.usefixtures("org")
@pytest.mark.parametrize(
    ("direction", "told"),
    [
        ("both", ("offers", "does not offer 'Gone'")),
        ("to_partner_center", ("offers",)),
        ("to_salesforce", ("does not offer 'Gone'",)),
    ],
)
def test_a_value_without_a_counterpart_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, direction: str, told: tuple[str, ...]
) -> None:
    overlay = f'[fields.campaign]\nsalesforce = "Type"\ndirection = "{direction}"\nvalues = {{ "Gone" = "Old" }}\n'
    use_mapping_file(monkeypatch, tmp_path, overlay)
    verdict = verdict_of(check_value_lists)
    assert verdict.result is Result.FAILED
    assert all(words in verdict.found for words in told), verdict.found
    assert verdict.found.count("campaign: Type") == len(told)


def test_an_id_that_no_solution_has_is_named_with_its_deal(org: Systems) -> None:
    deal = org.seller_creates("Odd deal", Products__c="SOL-1-ABC, our ledger")
    verdict = verdict_of(check_solution_ids)
    assert verdict.found == f"no solution ids: 1 x 'our', such as {deal}; 1 x 'ledger', such as {deal}"


@pytest.mark.usefixtures("org")
def test_latches_name_what_partner_center_may_refuse() -> None:
    found = verdict_of(check_latches).found
    assert "sent with a new referral only: account, size" in found
    assert "locked once Microsoft sees the deal: contacts" in found
