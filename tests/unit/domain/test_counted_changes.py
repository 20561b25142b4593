"""Changes that many deals make at once are counted, by value or by kind (docs/protocol.md#the-mass-change-stop)."""

from shared.domain.counted_changes import (
    NEW_OPPORTUNITY,
    NEW_REFERRAL,
    NEW_REQUEST,
    Counted,
    Kind,
    counted,
    counted_changes,
    counts_of,
)
from shared.domain.deal import (
    PRIVATE,
    SHOWN_AMOUNT,
    SHOWN_SOLUTIONS,
    STATUS,
    VISIBILITY,
    VISIBLE,
    Change,
    Side,
    Status,
    Value,
    fingerprint,
)

EMPTY = fingerprint(None)


def test_only_a_status_may_be_a_close() -> None:
    assert counts_of("partner_center.status", "5f2a") == (
        "value|partner_center|status|5f2a",
        "closure|partner_center",
    )
    assert counts_of("partner_center.closing", "5f2a") == ("value|partner_center|closing|5f2a",)


def test_the_other_kinds_are_known_by_key_or_mark() -> None:
    keys = (NEW_REFERRAL.key, NEW_REQUEST.key, "partner_center.visibility")
    assert [counts_of(key, "5f2a")[1] for key in keys] == [
        "creation|partner_center",
        "creation|partner_center",
        "visibility|partner_center",
    ]
    assert counts_of("salesforce.notes", EMPTY)[1] == "emptied|salesforce"


def change(field: str, new: Value | None) -> Change:
    return Change(field, field, "old", new)


def test_each_change_is_counted_for_its_side_by_its_kind_or_by_field_and_value() -> None:
    won = Status("Closed", "Won")
    ours = [change(STATUS, won), change(VISIBILITY, VISIBLE), change("notes", None), change("notes", "n")]
    found = counted_changes(ours, [change("title", "t")], asks=False)
    assert [one.count for one in found] == [
        "closure|partner_center",
        "visibility|partner_center",
        "emptied|partner_center",
        f"value|partner_center|notes|{fingerprint('n')}",
        f"value|salesforce|title|{fingerprint('t')}",
    ]
    assert found[0] == Counted(
        Side.PARTNER_CENTER, Kind.CLOSURE, STATUS, fingerprint(won), "partner_center.status", "closure|partner_center"
    )
    assert [(one.field, one.mark) for one in found[1:4]] == [
        (VISIBILITY, fingerprint(VISIBLE)),
        ("notes", EMPTY),
        ("notes", fingerprint("n")),
    ]
    assert counted_changes([], [], asks=True) == (NEW_REQUEST,)


def test_an_open_status_is_a_value_and_what_only_shows_or_hides_is_not_counted() -> None:
    active = Status("Active", "Accepted")
    [one] = counted_changes([change(STATUS, active)], [], asks=False)
    assert one.kind is Kind.VALUE
    silent = [change(SHOWN_AMOUNT, "1"), change(SHOWN_SOLUTIONS, "a"), change(VISIBILITY, PRIVATE)]
    assert counted_changes(silent, silent, asks=False) == ()


def test_a_creation_is_counted_for_the_side_that_gets_the_record() -> None:
    assert (
        Counted(Side.PARTNER_CENTER, Kind.CREATION, "*", "", "partner_center.*", "creation|partner_center")
        == NEW_REFERRAL
    )
    assert (NEW_OPPORTUNITY.count, NEW_REQUEST.key) == ("creation|salesforce", "partner_center.help")
    assert counted(Side.SALESFORCE, Kind.EMPTIED, "notes", "m").count == "emptied|salesforce"
