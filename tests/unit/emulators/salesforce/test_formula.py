"""The formula language: values, the fields that a formula reads, and refusals."""

from typing import Any

import pytest

from emulators.salesforce.data.formula import FormulaError, parse_formula

VALUES: dict[str, Any] = {"a__c": "x", "empty__c": None, "flag__c": True}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('IF(ISPICKVAL(A__c, "x"), "yes", "no")', "yes"),
        ('IF(ISPICKVAL(Empty__c, ""), "yes", "no")', "yes"),
        ('"a" & TEXT(A__c) & Empty__c', "ax"),
        ("NOT(Flag__c) || ISBLANK(Empty__c)", True),
        ("Flag__c && ISBLANK(A__c)", False),
        ('CASE(A__c, "w", "1", "x", "2", "other")', "2"),
        ('CASE(A__c, "w", "1", "other")', "other"),
        ('AND(Flag__c, A__c = "x", A__c <> "y")', True),
        ('OR(A__c == "q", A__c != "x")', False),
        ('(IF(TRUE, "t\\n\\"u\\"", NULL))', 't\n"u"'),
        ("1 = 1.0", True),
        ('CONTAINS("New TBD deal", "TBD")', True),
        ('CONTAINS("New tbd deal", "TBD") || CONTAINS(Empty__c, "TBD")', False),
    ],
)
def test_a_formula_is_evaluated(source: str, value: object) -> None:
    assert parse_formula(source).evaluate(VALUES) == value


def test_a_formula_lists_the_fields_that_it_reads() -> None:
    assert parse_formula('IF(Flag__c, A__c, "")').fields == {"flag__c", "a__c"}


@pytest.mark.parametrize(
    "source", ["", "IF(TRUE, 1)", "TODAY()", "A__c +", "(A__c", "A__c B__c", "NOT()", "{!A__c}", ", A"]
)
def test_an_unknown_or_wrong_formula_is_refused(source: str) -> None:
    with pytest.raises(FormulaError):
        parse_formula(source)
