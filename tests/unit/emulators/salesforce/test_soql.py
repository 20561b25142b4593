"""The grammar of queries (docs/reference/salesforce.md#soql-that-the-emulator-understands)."""

import pytest

from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.query.soql import Combined, Comparison, Literal, Membership, Path, Select, parse_soql


def test_a_query_is_parsed_into_a_tree() -> None:
    select = parse_soql(
        "SELECT Id, Account.Name, (SELECT Id FROM OpportunityContactRoles) FROM Opportunity "
        "WHERE (Name LIKE 'A%' OR Amount >= -1.5) AND NOT Id IN ('a', 'b') ORDER BY Name DESC NULLS LAST, Id "
        "LIMIT 5 OFFSET 2"
    )
    assert [item.names if isinstance(item, Path) else item.sobject for item in select.items] == [
        ("Id",),
        ("Account", "Name"),
        "OpportunityContactRoles",
    ]
    assert isinstance(select.where, Combined)
    either, negated = select.where.parts
    assert isinstance(either, Combined)
    assert either.connective == "OR"
    assert isinstance(either.parts[1], Comparison)
    assert either.parts[1].literal == Literal("number", -1.5)
    assert isinstance(negated, Combined)
    assert isinstance(negated.parts[0], Membership)
    assert [(o.path.names, o.descending, o.nulls_last) for o in select.order] == [
        (("Name",), True, True),
        (("Id",), False, False),
    ]
    assert (select.limit, select.offset) == (5, 2)


def _parse_literal(text: str) -> Literal:
    where = parse_soql(f"SELECT Id FROM Account WHERE X = {text}").where  # noqa: S608 - the test varies the literal
    assert isinstance(where, Comparison)
    return where.literal


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (r"'O\'Brien \\ \"x\" \n\t\u00e9'", "string", 'O\'Brien \\ "x" \n\t\u00e9'),
        ("''", "string", ""),
        ("2026-11-22T01:02:03Z", "datetime", "2026-11-22T01:02:03Z"),
        ("2026-11-22T01:02:03.004+00:00", "datetime", "2026-11-22T01:02:03.004+00:00"),
        ("2026-11-22", "date", "2026-11-22"),
        ("12", "number", 12.0),
        ("true", "boolean", True),
        ("NULL", "null", None),
    ],
)
def test_literals_keep_their_kind(text: str, kind: str, value: object) -> None:
    literal = _parse_literal(text)
    assert (literal.kind, literal.value) == (kind, value)


def test_keywords_may_have_any_case() -> None:
    select = parse_soql("select Id from Account where Name = 'x' order by Name asc nulls first limit 1")
    assert isinstance(select, Select)
    assert select.limit == 1


@pytest.mark.parametrize(
    ("query", "token"),
    [
        ("SELECT Id FORM Opportunity", "FORM"),
        ("SELECT FROM Opportunity", "FROM"),
        ("SELECT Id FROM Opportunity o", "o"),
        ("SELECT Id Name FROM Opportunity", "Name"),
        ("SELECT Id FROM Opportunity WHERE", "<EOF>"),
        ("SELECT Id FROM Opportunity WHERE Name = 'x' AND IsWon = true OR IsWon = false", "OR"),
        ("SELECT Id FROM Opportunity WHERE Name == 'x'", "="),
        ("SELECT Id FROM Opportunity WHERE Name = x", "x"),
        ("SELECT Id FROM Opportunity WHERE CreatedDate = TODAY", "TODAY"),
        ("SELECT Id FROM Opportunity WHERE Name IN ()", ")"),
        ("SELECT Id FROM Opportunity WHERE Name INCLUDES ('x')", "INCLUDES"),
        ("SELECT Id FROM Opportunity ORDER BY Name NULLS", "<EOF>"),
        ("SELECT Id FROM Opportunity LIMIT -1", "-1"),
        ("SELECT Id FROM Opportunity GROUP BY Id", "GROUP"),
        ("SELECT Id FROM Opportunity FOR VIEW", "FOR"),
        ("SELECT Id FROM Opportunity ALL ROWS", "ALL"),
        ("SELECT MAX(Amount) FROM Opportunity", "("),
        ("SELECT FIELDS(ALL) FROM Opportunity LIMIT 200", "("),
        ("SELECT COUNT(Id) FROM Opportunity", "Id"),
        ("SELECT Id FROM Opportunity WHERE Name = 'it's'", "'"),
        ("SELECT Id FROM Opportunity;", ";"),
        ("", "<EOF>"),
    ],
)
def test_any_other_query_is_malformed(query: str, token: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse_soql(query)
    assert (refused.value.status, refused.value.code) == (400, "MALFORMED_QUERY")
    assert refused.value.message.endswith(f"unexpected token: '{token}'")


def test_the_error_marks_the_position() -> None:
    with pytest.raises(ApiError) as refused:
        parse_soql("SELECT Id\nFROM Opportunity\nWHERE Name ~ 'x'")
    assert refused.value.message == "\nWHERE Name ~ 'x'\n           ^\nERROR at Row:3:Column:12\nunexpected token: '~'"


def test_an_illegal_escape_and_a_too_long_query_are_malformed() -> None:
    for query in (r"SELECT Id FROM Account WHERE Name = '\q'", "SELECT Id FROM Account" + " " * 100_000):
        with pytest.raises(ApiError) as refused:
            parse_soql(query)
        assert refused.value.code == "MALFORMED_QUERY"


@pytest.mark.parametrize("condition", ["(" * 2000 + "Name = 'x'" + ")" * 2000, "NOT " * 2000 + "Name = 'x'"])
def test_a_condition_that_is_nested_too_deeply_is_malformed(condition: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse_soql(f"SELECT Id FROM Account WHERE {condition}")  # noqa: S608 - the test varies the condition
    assert (refused.value.code, "nested too deeply" in refused.value.message) == ("MALFORMED_QUERY", True)
    assert parse_soql("SELECT Id FROM Account WHERE " + "(" * 50 + "Name = 'x'" + ")" * 50).where is not None
