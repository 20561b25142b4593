"""Which queries a poll sends, and from when they read (docs/protocol.md#the-salesforce-poll)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from shared.mapping.polls import ACCOUNT, CONTACT, DELETED, OPPORTUNITY, OWNER, ROLE, PollQuery
from shared.sync.poll_plan import MAX_QUERIES, cursor_name, plan_poll, turn_name

BEGIN, OVERLAP, MINUTE = datetime(2026, 11, 22, tzinfo=UTC), timedelta(minutes=10), timedelta(minutes=1)
ALWAYS = (OPPORTUNITY, ACCOUNT, ROLE, CONTACT)
RARE = (OWNER, DELETED, *(PollQuery(name, is_rare=True) for name in ("team", "team_user", "solution")))


def minutes(
    queries: Sequence[PollQuery], known: dict[str, datetime], count: int, start: datetime = BEGIN
) -> list[list[str]]:
    """The queries of each minute; every query reaches its last page."""
    ran: list[list[str]] = []
    for number in range(count):
        plan = plan_poll(queries, known, BEGIN, OVERLAP)
        ran.append(list(plan.queries))
        now = start + (number + 1) * MINUTE
        known |= {**plan.first, **{cursor_name(name): now for name in plan.queries}}
    return ran


def test_five_queries_or_fewer_run_each_minute() -> None:
    queries = (*ALWAYS, OWNER)
    assert minutes(queries, {}, 3) == [[query.name for query in queries]] * 3


def test_five_rare_queries_run_every_five_minutes_each() -> None:
    ran = minutes((*ALWAYS, *RARE), {}, 20)
    assert all(len(names) == MAX_QUERIES for names in ran)
    assert all(names[:4] == [query.name for query in ALWAYS] for names in ran)
    assert [names[4] for names in ran] == [query.name for query in RARE] * 4


def test_rare_queries_share_the_places_that_the_others_leave() -> None:
    ran = minutes((OPPORTUNITY, ACCOUNT, *RARE), {}, 10)
    assert all(len(names) == MAX_QUERIES for names in ran)
    for query in RARE:
        turns = [number for number, names in enumerate(ran) if query.name in names]
        assert max(after - before for before, after in pairwise(turns)) <= 2


def test_a_query_with_pages_left_waits_for_its_turn_like_the_others() -> None:
    known = dict[str, datetime]()
    minutes((*ALWAYS, *RARE), known, 5)
    behind = BEGIN - timedelta(days=3)
    known |= {cursor_name("owner"): behind, turn_name("owner"): BEGIN + 6 * MINUTE}
    assert "owner" not in plan_poll((*ALWAYS, *RARE), known, BEGIN, OVERLAP).queries
    ran = minutes((*ALWAYS, *RARE), known, 5, BEGIN + 6 * MINUTE)
    assert [names[-1] for names in ran] == ["deleted", "team", "team_user", "solution", "owner"]


def test_a_query_that_waits_keeps_its_cursor_and_reads_from_there() -> None:
    at = BEGIN + timedelta(hours=5)
    known = {cursor_name(query.name): at for query in (*ALWAYS, OWNER)} | {cursor_name("deleted"): BEGIN + MINUTE}
    plan = plan_poll((*ALWAYS, OWNER, DELETED), known, BEGIN, OVERLAP)
    assert plan.starts["deleted"] == BEGIN + MINUTE - OVERLAP
    assert plan.first == {}


def test_every_query_of_a_new_store_begins_at_the_beginning() -> None:
    queries, known = (*ALWAYS, OWNER, DELETED), dict[str, datetime]()
    first = plan_poll(queries, known, BEGIN, OVERLAP)
    assert set(first.starts.values()) == {BEGIN}
    known |= {**first.first, **{cursor_name(name): BEGIN + MINUTE for name in first.queries}}
    assert plan_poll(queries, known, BEGIN, OVERLAP).starts["deleted"] == BEGIN


def test_a_new_query_of_a_used_store_begins_where_the_others_stand() -> None:
    at, queries = BEGIN + timedelta(days=9), (*ALWAYS, OWNER, DELETED)
    known = dict.fromkeys((cursor_name("opportunity"), cursor_name("account")), at)
    plan = plan_poll(queries, known, BEGIN, OVERLAP)
    assert set(plan.starts.values()) == {at - OVERLAP}
    known |= {**plan.first, **{cursor_name(name): at + MINUTE for name in plan.queries}}
    assert plan_poll(queries, known, BEGIN, OVERLAP).starts["deleted"] == at - OVERLAP
