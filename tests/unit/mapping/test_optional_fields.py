"""An optional field is as if the file lacked it where the org lacks its column; and the sales stage is read."""

from pathlib import Path
from typing import cast

import pytest

from shared.domain.currencies import OrgCurrencies
from shared.domain.org_shape import Column, OrgShape
from shared.mapping.field_base import UnreadableValue
from shared.mapping.new_referral import ReferralConstants
from shared.mapping.sales_stage_field import PERCENTAGES, SalesStageField
from shared.mapping.seen_columns import rules_of, seen_fields
from shared.mapping.translation import Translation
from shared.mapping.validation import load_mapping

FILE, HASH = load_mapping()
COLUMN = "Partner_Center_Sales_Stage__c"
LACKS = OrgShape(OrgCurrencies(has_several=True), asked=frozenset({COLUMN.casefold()}))
STAGE = cast("SalesStageField", FILE.fields["sales_stage"])


def test_an_optional_field_without_its_column_is_absent_and_nothing_is_told_of_it() -> None:
    seen = seen_fields(FILE.fields, LACKS)
    assert seen.absent == ("sales_stage",)
    assert "sales_stage" not in seen.fields
    assert not seen.hidden
    assert not seen.left_out
    assert "sales_stage" not in rules_of(seen, FILE, FILE, HASH).by_field


def test_a_field_that_is_absent_makes_another_mapping() -> None:
    translation = Translation(ReferralConstants("1234567"))
    lacking = translation.for_org(LACKS)
    assert translation.rules.mapping == translation.hash == lacking.hash
    assert lacking.rules.mapping != lacking.hash
    assert (lacking.absent, translation.absent) == (("sales_stage",), ())
    assert COLUMN not in lacking.selects


def test_an_optional_field_is_read_from_the_column_as_the_org_spells_it() -> None:
    spelled = OrgShape(OrgCurrencies(has_several=True), columns={COLUMN.casefold(): Column(COLUMN.upper())})
    rules = Translation(ReferralConstants("1234567")).for_org(spelled).rules
    assert rules["sales_stage"].source == STAGE.to_rule("sales_stage").source


def test_the_key_changes_neither_the_hash_of_a_file_without_it_nor_how_a_value_is_read() -> None:
    notes = FILE.fields["notes"]
    assert '"optional"' not in FILE.model_copy(update={"fields": {"notes": notes}}).content
    assert notes.to_rule("notes").source == notes.model_copy(update={"optional": True}).to_rule("notes").source


def test_a_required_field_that_is_marked_as_optional_needs_its_column_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('extends = "default"\n[fields.solutions]\noptional = true\n', "utf-8")
    with pytest.raises(Exception, match=r"fields\.solutions\.optional: expected false, because no referral can be"):
        load_mapping(path)


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("20", "20"), (20, "20"), (20.0, "20"), ("20%", "20"), (" 20 % ", "20"), ("100", "100"), (100.0, "100"),
        ("develop", "40"), ("Close", "80"), (None, None), ("", None), ("  ", None),
    ],
)  # fmt: skip
def test_a_sales_stage_is_read_in_any_spelling(raw: object, read: str | None) -> None:
    assert STAGE.read_record({COLUMN: raw}) == read
    assert STAGE.read_referral({"salesStage": raw}) == read


@pytest.mark.parametrize("raw", ["0", 0, 50, 40.5, "forty", "1000", True, ["40"], {"id": "40"}])
def test_an_unknown_sales_stage_names_the_value_and_those_that_are_known(raw: object) -> None:
    for read, source in ((STAGE.read_record, {COLUMN: raw}), (STAGE.read_referral, {"salesStage": raw})):
        with pytest.raises(UnreadableValue) as refusal:
            read(source)
        assert "10, 20, 40, 60, 80, 100" in refusal.value.cause.remedy
        assert str(raw) in refusal.value.cause.reason


@pytest.mark.parametrize("value", [*PERCENTAGES, None])
def test_a_column_gets_the_kind_of_value_that_it_holds(value: str | None) -> None:
    number = OrgShape(OrgCurrencies(has_several=True), columns={COLUMN.casefold(): Column(COLUMN, is_number=True)})
    assert STAGE.record_values(value) == {COLUMN: value}
    written = STAGE.for_org(number).record_values(value)
    assert written == {COLUMN: value and int(value)}
    assert STAGE.read_record(written) == value
