"""The order in which the connector's own columns are written to a record that refuses them together."""

import pytest

from shared.domain.cause import Cause
from shared.domain.own_columns import ColumnTries, kept_refusal

ALL = {"A__c": 1, "B__c": 2, "C__c": 3}
OF_B, OF_ALL = Cause("INVALID", "B__c", "No.", ""), Cause("TRIGGER", None, "No.", "")


def test_all_columns_are_written_together() -> None:
    tries = ColumnTries(ALL).after(None)
    assert (tries.coming, tries.taken, tries.refusal) == ({}, ALL, None)


def test_a_column_that_a_refusal_names_is_left_out() -> None:
    first = ColumnTries(ALL).after(OF_B)
    assert (first.coming, first.left, first.refusal) == ({"A__c": 1, "C__c": 3}, None, OF_B)
    last = first.after(None)
    assert (last.coming, last.taken, last.refusal) == ({}, {"A__c": 1, "C__c": 3}, OF_B)


def test_columns_are_written_singly_once_if_a_refusal_names_none_of_them() -> None:
    tries, asked = ColumnTries(ALL).after(OF_ALL), list[dict[str, object]]()
    for answer in (None, OF_B, None):
        asked.append(dict(tries.coming))
        tries = tries.after(answer)
    assert asked == [{"A__c": 1}, {"B__c": 2}, {"C__c": 3}]
    assert (tries.coming, tries.left, tries.taken, tries.refusal) == ({}, {}, {"A__c": 1, "C__c": 3}, OF_ALL)


def test_a_single_column_is_written_once() -> None:
    tries = ColumnTries({"A__c": 1}).after(OF_ALL)
    assert (tries.coming, tries.taken, tries.refusal) == ({}, {}, OF_ALL)


def test_of_several_refusals_the_first_is_told() -> None:
    assert ColumnTries(ALL).after(OF_ALL).after(OF_B).refusal == OF_ALL
    again = ColumnTries(ALL).after(OF_B).after(OF_ALL)
    assert (again.refusal, again.coming, again.left) == (OF_B, {"A__c": 1}, {"C__c": 3})


@pytest.mark.parametrize(
    ("code", "text", "kept"),
    [
        (
            "STRING_TOO_LONG",
            "Audit: data value too large: Ask Ann\nLee (max length=10)",
            "too large: … (max length=10)",
        ),
        ("STRING_TOO_LONG", "Audit: data value too large: Ask Ann\nLee, whose te", "too large: …"),
        ("STRING_TOO_LONG", "Audit: data value too large", "data value too large"),
        ("TRIGGER", "The box is too large: ask (max length=10)", "The box is too large: ask (max length=10)"),
    ],
)
def test_of_a_refusal_the_value_that_it_repeats_is_not_kept(code: str, text: str, kept: str) -> None:
    found = kept_refusal(Cause(code, "Audit__c", text, "Shorten it."))
    assert found is not None
    assert found.reason.endswith(kept)
    assert (found.code, found.field, found.remedy) == (code, "Audit__c", "Shorten it.")
    assert "Ann" not in found.reason


def test_where_nothing_was_refused_nothing_is_kept() -> None:
    assert kept_refusal(None) is None
