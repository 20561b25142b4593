"""The stamps of a record that was read, and which of a poll's records a link knows (docs/protocol.md#stamps)."""

from copy import replace
from datetime import UTC, datetime

import pytest

from shared.mapping.polls import ACCOUNT, CONTACT, DELETED, OPPORTUNITY, ROLE, SOLUTION, TEAM, TEAM_USER
from shared.mapping.stamps import covers, stamps_in, unread_rows, with_stamps

READ = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
ROLES = "(SELECT IsPrimary, Contact.Email FROM OpportunityContactRoles)"


def stamp(minute: int, second: int = 0) -> str:
    return f"2026-11-22T09:{minute:02}:{second:02}.000+0000"


def rows(*stamps: str) -> dict[str, object]:
    return {"totalSize": len(stamps), "done": True, "records": [{"SystemModstamp": each} for each in stamps]}


def test_a_parent_and_the_newest_of_several_rows_have_a_stamp_each() -> None:
    record = {
        "SystemModstamp": stamp(10),
        "Account": {"SystemModstamp": stamp(20)},
        "OpportunityContactRoles": rows(stamp(5), stamp(40), stamp(7)),
    }
    found = stamps_in(record, (OPPORTUNITY, ACCOUNT, ROLE), READ)
    assert found == {"opportunity": stamp(10), "account": stamp(20), "role": stamp(40)}


def test_a_stamp_of_the_last_thirty_seconds_is_not_known() -> None:
    record = {"SystemModstamp": stamp(59, 45), "OpportunityContactRoles": rows(stamp(5), stamp(59, 31))}
    assert stamps_in(record, (OPPORTUNITY, ROLE), READ) == {"role": stamp(5)}


def test_a_record_without_parents_and_rows_says_nothing_of_them() -> None:
    queries = (OPPORTUNITY, ACCOUNT, ROLE, CONTACT, SOLUTION)
    assert stamps_in({"SystemModstamp": stamp(10)}, queries, READ) == {"opportunity": stamp(10)}
    empty = {"SystemModstamp": stamp(10), "Account": None, "OpportunityContactRoles": None}
    assert stamps_in(empty, (OPPORTUNITY, ACCOUNT, ROLE), READ) == {"opportunity": stamp(10)}


@pytest.mark.parametrize(("known", "expected"), [(stamp(9), False), (stamp(10), True), (stamp(11), True)])
def test_a_row_is_known_up_to_the_newest_stamp(known: str, *, expected: bool) -> None:
    assert covers({"role": known}, ROLE, stamp(10), is_deleted=False) is expected


def test_a_row_of_a_link_without_its_stamp_is_not_known() -> None:
    assert not covers({"opportunity": stamp(59)}, ROLE, stamp(10), is_deleted=False)


def test_a_deleted_row_is_known_by_the_time_of_a_read_without_it() -> None:
    read = stamps_in({"Cosell_Solutions__r": rows(stamp(1))}, (SOLUTION,), READ)
    assert covers(read, SOLUTION, stamp(58), is_deleted=True)
    assert not covers(read, SOLUTION, stamp(59, 45), is_deleted=True)
    assert not covers(read, SOLUTION, stamp(58), is_deleted=False), "the row may be one that the read missed"
    assert not covers({"solution": stamp(59)}, SOLUTION, stamp(58), is_deleted=True)


def test_a_row_that_went_with_its_opportunity_is_known_once_the_opportunity_was_missing() -> None:
    known = {"deleted": READ.isoformat()}
    assert covers(known, SOLUTION, stamp(58), is_deleted=True)
    assert covers(known, DELETED, stamp(58), is_deleted=True)
    assert not covers(known, DELETED, "2026-11-22T10:00:01.000+0000", is_deleted=True)


def test_a_subquery_reads_the_stamps_that_the_poll_asks_for_once() -> None:
    expected = "(SELECT SystemModstamp, Contact.SystemModstamp, IsPrimary, Contact.Email FROM OpportunityContactRoles)"
    assert with_stamps(["Amount", ROLES], (OPPORTUNITY, ROLE, CONTACT)) == ("Amount", expected)
    assert with_stamps([expected], (OPPORTUNITY, ROLE, CONTACT)) == (expected,)
    assert with_stamps([ROLES], (OPPORTUNITY, replace(ROLE, rows="Others"))) == (ROLES,)


def test_rows_that_no_field_reads_are_read_for_their_stamps() -> None:
    assert unread_rows(["Amount", ROLES], (OPPORTUNITY, ROLE, CONTACT)) == ()
    unread = unread_rows(["Amount", ROLES], (ROLE, TEAM, TEAM_USER))
    assert with_stamps(unread, (ROLE, TEAM, TEAM_USER)) == (
        "(SELECT SystemModstamp, User.SystemModstamp, Id FROM OpportunityTeamMembers)",
    )
