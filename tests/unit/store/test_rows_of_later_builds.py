"""What a later build stored in a row is kept, or holds that pair alone (docs/protocol.md#rows-of-other-builds)."""

import sys
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import FrameType
from typing import Any

import pytest

from shared.domain.audit import Line, text_line
from shared.domain.cause import Cause
from shared.domain.deal import Company, Deal, Money, Person, Side, Status
from shared.domain.help_request import HelpRequest
from shared.domain.link import Difference, Effect, EffectKind, Intent, Link, Pointer, Unshown
from shared.domain.link_states import Mark, State
from shared.domain.sentences import LineDirection
from shared.foundation.errors import UnreadableRow
from shared.store.link_json import link_to_json
from shared.store.link_store import DEPLOY_AGAIN, LinkStore
from shared.store.row_codec import FORMAT_VERSION, pack, unpack
from shared.store.rows import Put
from shared.store.sqlite_rows import SqliteRows
from shared.store.stored_values import KnownPath, RetryEntry, SideState

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
LATER = {"from a later build": [1, {"deep": None}]}
DEAL = Deal(
    name="Robots",
    notes=None,
    money=Money(Decimal("1200.00"), "USD"),
    status=Status("Closed", "Lost", "Budget"),
    closing=date(2026, 12, 31),
    account=Company("Contoso", "US"),
    team=(Person("Lee", "Ann"),),
    solutions=("SOL-1",),
)
EFFECT = Effect(EffectKind.PATCH_REFERRAL, DEAL, Deal(name="Old"), '"1"', NOW)
LINK = Link(
    "006A",
    State.PARKED,
    "r1",
    base=DEAL,
    intent=Intent((EFFECT,)),
    refused={"salesforce.name": Difference("f1", "ignored", NOW)},
    waiting={"status": Difference("f2", "irreversible", NOW)},
    cause=Cause("code", None, "reason", "remedy"),
    mark=Mark.FAILED,
    mapping="0123456789ab",
    sources={"name": "01234567"},
    help=HelpRequest("GeneralOrOther", "0123456789abcdef", NOW),
    unshown=Unshown(("Audit__c",), NOW, Cause("TRIGGER", None, "Not so.", "Ask.")),
)
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def rows() -> Iterator[SqliteRows]:
    with SqliteRows(":memory:") as opened:
        yield opened


@pytest.fixture
def events() -> list[tuple[str, Mapping[str, Any]]]:
    return []


@pytest.fixture
def store(rows: SqliteRows, events: list[tuple[str, Mapping[str, Any]]]) -> LinkStore:
    return LinkStore(rows, log=lambda event, **fields: events.append((event, fields)))


def stored(rows: SqliteRows, partition: str, key: str) -> Any:  # noqa: ANN401 - JSON of any shape
    row = rows.get(partition, key)
    assert row is not None
    return unpack(row.data)


def put_link(rows: SqliteRows, change: Change, opportunity_id: str = "006A") -> dict[str, Any]:
    """Store a link as a later build did: the row of this build with a change. Returns what was stored."""
    row = deepcopy({**link_to_json(LINK), "opportunity_id": opportunity_id})
    change(row)
    rows.write(f"O|{opportunity_id}", [Put("link", pack(row))])
    return row


def test_each_value_has_its_stored_shape() -> None:
    assert link_to_json(LINK)["base"] == {
        "name": "Robots",
        "notes": None,
        "money": ["money", "1200.00", "USD"],
        "status": ["status", "Closed", "Lost", "Budget"],
        "closing": ["date", "2026-12-31"],
        "account": ["company", {
            "name": "Contoso", "country": "US", "street": None, "city": None, "state": None, "postal_code": None,
        }],
        "team": ["list", [{"last_name": "Lee", "first_name": "Ann", "email": None, "phone": None, "title": None}]],
        "solutions": ["list", ["SOL-1"]],
    }  # fmt: skip


def test_writing_a_link_enters_no_function_outside_the_store() -> None:
    entered: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            entered.add(str(frame.f_globals["__name__"]))

    sys.setprofile(note)
    try:
        pack(link_to_json(LINK))
    finally:
        sys.setprofile(None)
    assert {name for name in entered if name.startswith("shared")} == {
        "shared.store.link_json",
        "shared.store.refusal_json",
        "shared.store.row_codec",
        "shared.store.value_shapes",
    }


# --- unknown keys are kept --------------------------------------------------------------------------------------------

PLACES: dict[str, Change] = {
    "link": lambda row: row.update(LATER),
    "effect": lambda row: row["intent"][0].update(LATER),
    "cause": lambda row: row["cause"].update(LATER),
    "help": lambda row: row["help"].update(LATER),
    "cause of refused columns": lambda row: row["unshown"][2].update(LATER),
    "refused": lambda row: row["refused"]["salesforce.name"].extend([["told"], 7, LATER]),
    "waiting": lambda row: row["waiting"]["status"].extend([[], LATER]),
}


@pytest.mark.parametrize("change", PLACES.values(), ids=PLACES)
def test_what_a_later_build_added_to_a_link_is_written_back(rows: SqliteRows, store: LinkStore, change: Change) -> None:
    row = put_link(rows, change)
    entry = store.link("006A")
    assert entry is not None
    written = store.replace_link(entry, entry.value)
    assert stored(rows, "O|006A", "link") == row
    store.replace_link(written, replace(entry.value, intent=None))
    assert stored(rows, "O|006A", "link") == {**row, "intent": None}


def test_unknown_keys_are_kept_in_a_link_or_pointer_that_was_made_anew(rows: SqliteRows, store: LinkStore) -> None:
    put_link(rows, PLACES["link"])
    rows.write("R|r1", [Put("pointer", pack({"opportunity_id": None, "intent": [], **LATER}))])
    link, pointer = store.link("006A"), store.pointer("R1")
    assert link is not None
    assert pointer is not None
    store.replace_link(link, Link("006A"))
    store.replace_pointer("R1", pointer, Pointer("006A"))
    assert stored(rows, "O|006A", "link") == {**link_to_json(Link("006A")), **LATER}
    assert stored(rows, "R|r1", "pointer") == {"opportunity_id": "006A", "intent": None, **LATER}


def test_why_columns_were_refused_stands_behind_what_earlier_builds_know(rows: SqliteRows, store: LinkStore) -> None:
    known, reason = [["Audit__c"], NOW.isoformat()], {"code": "TRIGGER", "field": None, "reason": "Not so."}
    row = put_link(rows, dict.copy)
    assert row["unshown"] == [*known, {**reason, "remedy": "Ask."}]
    put_link(rows, lambda row: row.update(unshown=known), "006B")
    entry = store.link("006B")
    assert entry is not None
    assert entry.value.unshown == Unshown(("Audit__c",), NOW)
    assert link_to_json(entry.value)["unshown"] == known


def test_an_inbox_mark_is_a_key_that_rows_without_a_record_lack(rows: SqliteRows, store: LinkStore) -> None:
    rows.write("R|r1", [Put("pointer", pack({"opportunity_id": None, "intent": None, "inbox": "", **LATER}))])
    pointer = store.pointer("R1")
    assert pointer is not None
    assert (pointer.value.inbox, pointer.value.unknown) == ("", LATER)
    shown = store.replace_pointer("R1", pointer, replace(pointer.value, inbox="0123"))
    assert stored(rows, "R|r1", "pointer") == {"opportunity_id": None, "intent": None, "inbox": "0123", **LATER}
    store.replace_pointer("R1", shown, Pointer("006A"))
    assert stored(rows, "R|r1", "pointer") == {"opportunity_id": "006A", "intent": None, **LATER}
    assert "inbox" not in link_to_json(Link("006A"))


def test_further_items_of_a_retry_entry_are_written_back(rows: SqliteRows, store: LinkStore) -> None:
    rows.write("due|salesforce", [Put("006A", pack(["busy", 2, NOW.isoformat(), None, LATER]), NOW)])
    entry = store.retry_entry(Side.SALESFORCE, "006A")
    assert entry is not None
    assert (entry.cause, entry.attempts, entry.since) == ("busy", 2, NOW)
    store.put_retry_entry(entry)
    assert stored(rows, "due|salesforce", "006A") == ["busy", 2, NOW.isoformat(), None, LATER]


@pytest.mark.parametrize("is_read", [True, False])
def test_further_items_of_a_side_state_are_written_back(rows: SqliteRows, store: LinkStore, *, is_read: bool) -> None:
    rows.write("side|salesforce", [Put("state", pack([None, None, 3, {}, LATER]))])
    if is_read:
        assert store.side_state(Side.SALESFORCE) == SideState()
    store.write_side_state(Side.SALESFORCE, SideState(NOW, "throttled"))
    assert stored(rows, "side|salesforce", "state") == [NOW.isoformat(), "throttled", None, {}, LATER]


def test_what_was_learned_of_paths_stands_behind_the_items_that_earlier_builds_know(
    rows: SqliteRows, store: LinkStore
) -> None:
    learned = SideState(paths={"/name": KnownPath("0.7.0", is_taken=False)})
    store.write_side_state(Side.PARTNER_CENTER, learned)
    assert stored(rows, "side|partner_center", "state") == [None, None, None, {"/name": ["0.7.0", False]}]
    assert store.side_state(Side.PARTNER_CENTER) == learned
    store.write_side_state(Side.PARTNER_CENTER, SideState())
    assert stored(rows, "side|partner_center", "state") == [None, None, None]


def test_an_audit_line_with_further_items_is_shown(rows: SqliteRows, store: LinkStore) -> None:
    rows.write("O|006A", [Put("a|1", pack([NOW.isoformat(), "Note: text", LATER]))])
    assert store.audit("006A") == [text_line(NOW, "Note: text")]


def line_of(second: int) -> Line:
    """A line of this build."""
    return Line(NOW + timedelta(seconds=second), "past_closing", LineDirection.NOTE, values={"value": str(second)})


def test_an_audit_line_with_further_keys_is_shown(rows: SqliteRows, store: LinkStore) -> None:
    store.insert_link(Link("006A"), [line_of(0)])
    (row,) = rows.list("O|006A", prefix="a|")
    rows.write("O|006A", [Put(row.key, pack({**unpack(row.data), **LATER}))])
    assert store.audit("006A") == [line_of(0)]


LATER_LINES: dict[str, Any] = {
    "another time": {"at": "any", "code": "changed"},
    "an unknown code": {"at": NOW.isoformat(), "code": "split"},
    "an unknown direction": {"at": NOW.isoformat(), "code": "changed", "direction": "to_a_third_system"},
    "an unknown side": {"at": NOW.isoformat(), "code": "changed", "side": "third_system"},
    "values that are not text": {"at": NOW.isoformat(), "code": "changed", "values": {"label": ["Amount"]}},
    "another shape": 7,
}


@pytest.mark.parametrize("stored_line", LATER_LINES.values(), ids=LATER_LINES)
def test_an_audit_line_that_this_build_does_not_know_keeps_its_place_and_time(
    rows: SqliteRows, store: LinkStore, events: list[tuple[str, Mapping[str, Any]]], stored_line: object
) -> None:
    lines = [line_of(second) for second in range(3)]
    store.insert_link(Link("006A"), lines)
    middle = rows.list("O|006A", prefix="a|")[1]
    rows.write("O|006A", [Put(middle.key, pack(stored_line))])
    newest, shown, oldest = store.audit("006A")
    assert (newest, oldest) == (lines[2], lines[0])
    assert shown.at == lines[1].at
    assert shown.text == "This line was written by a newer version of the connector, which is needed to show it."
    assert [(fields["row"], fields["remedy"]) for _, fields in events] == [("a", DEPLOY_AGAIN)]


def test_an_audit_line_whose_sentence_needs_other_values_is_shown_as_such(rows: SqliteRows, store: LinkStore) -> None:
    rows.write("O|006A", [Put("a|1", pack({"at": NOW.isoformat(), "code": "changed", "values": {"name": "Amount"}}))])
    (shown,) = store.audit("006A")
    assert shown.text == "This line was written by a newer version of the connector, which is needed to show it."


# --- an unknown state holds that pair alone ---------------------------------------------------------------------------

UNKNOWN: dict[str, tuple[Change, str]] = {
    "state": (lambda row: row.update(state="winding_down"), "Invalid enum value 'winding_down' - at `$.state`"),
    "mark": (lambda row: row.update(mark="Paused"), "Invalid enum value 'Paused' - at `$.mark`"),
    "effect": (
        lambda row: row["intent"][0].update(kind="ask_for_help"),
        "Invalid enum value 'ask_for_help' - at `$.intent[0].kind`",
    ),
    "type of value": (lambda row: row["base"].update(share=["percent", "5"]), "Invalid value 'percent' - at"),
    "type of value in an effect": (
        lambda row: row["intent"][0]["displaced"].update(share=["percent", "5"]),
        "Invalid value 'percent' - at `$.intent[0].displaced",
    ),
    "part of a value": (lambda row: row["base"]["money"].append("net"), "Expected `array` of at most length 2, got 3"),
    "part of a customer": (
        lambda row: row["base"]["account"][1].update(vat="x"),
        "Object contains unknown field `vat`",
    ),
    "part of a person": (lambda row: row["base"]["team"][1][0].update(id="x"), "Object contains unknown field `id`"),
    "missing key": (lambda row: row.pop("etag"), "Object missing required field `etag`"),
    "half a surrogate pair": (lambda row: row.update(state="\ud800"), "surrogates not allowed"),
}


@pytest.mark.parametrize(("change", "problem"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_this_build_does_not_know_is_an_error_of_that_link_and_told_once(
    rows: SqliteRows, store: LinkStore, events: list[tuple[str, Mapping[str, Any]]], change: Change, problem: str
) -> None:
    row = put_link(rows, change)
    for _ in range(2):
        with pytest.raises(UnreadableRow, match="deploy the build that wrote this row, or a newer one, again"):
            store.link("006A")
    ((event, fields),) = events
    assert (event, fields["row"], fields["key"], fields["remedy"]) == ("row_unreadable", "link", "006A", DEPLOY_AGAIN)
    assert problem in fields["problem"]
    assert stored(rows, "O|006A", "link") == row, "the row is left alone"


def test_a_scan_goes_on_after_a_link_that_cannot_be_read(
    rows: SqliteRows, store: LinkStore, events: list[tuple[str, Mapping[str, Any]]]
) -> None:
    for opportunity_id in ("006A", "006B", "006C"):
        put_link(rows, UNKNOWN["state"][0] if opportunity_id == "006B" else lambda _: None, opportunity_id)
    assert [entry.value.opportunity_id for entry in store.links()] == ["006A", "006C"]
    assert [fields["key"] for _, fields in events] == ["006B"]


def test_a_row_that_changed_and_is_still_unreadable_is_told_again(
    rows: SqliteRows, store: LinkStore, events: list[tuple[str, Mapping[str, Any]]]
) -> None:
    for _ in range(2):
        put_link(rows, UNKNOWN["state"][0])
        with pytest.raises(UnreadableRow):
            store.link("006A")
    assert len(events) == 2


def test_a_damaged_row_and_one_of_a_newer_format_are_told_with_their_remedies(
    rows: SqliteRows, store: LinkStore, events: list[tuple[str, Mapping[str, Any]]]
) -> None:
    rows.write("O|006A", [Put("link", b"")])
    rows.write("R|r1", [Put("pointer", bytes([FORMAT_VERSION + 1]))])
    with pytest.raises(UnreadableRow, match="restore it from a backup"):
        store.link("006A")
    with pytest.raises(UnreadableRow, match="deploy the newer program again"):
        store.pointer("r1")
    assert [(fields["row"], fields["key"]) for _, fields in events] == [("link", "006A"), ("pointer", "r1")]


def test_a_retry_entry_of_an_unknown_shape_is_still_due_and_late(
    rows: SqliteRows, store: LinkStore, events: list[tuple[str, Mapping[str, Any]]]
) -> None:
    rows.write("due|salesforce", [Put("006A", pack({"cause": "new"}), NOW), Put("006B", pack(["busy", 0, None]), NOW)])
    unreadable, readable = store.retry_entries(Side.SALESFORCE, NOW, 10)
    assert (unreadable.key, unreadable.at, unreadable.cause) == ("006A", NOW, "unreadable")
    assert unreadable.since is not None
    assert readable == RetryEntry(Side.SALESFORCE, "006B", NOW, "busy", etag=readable.etag)
    assert [(fields["row"], fields["key"]) for _, fields in events] == [("retry", "006A")]
    store.remove_retry_entry(unreadable)
    assert store.retry_entry(Side.SALESFORCE, "006A") is None


def test_a_side_state_of_an_unknown_shape_does_not_stop_the_other_side(
    rows: SqliteRows, store: LinkStore, events: list[tuple[str, Mapping[str, Any]]]
) -> None:
    rows.write("side|salesforce", [Put("state", pack({"paused": True}))])
    rows.write("side|partner_center", [Put("state", pack([None, "throttled", 2]))])
    assert store.side_state(Side.SALESFORCE) == SideState()
    assert store.side_state(Side.PARTNER_CENTER) == SideState(reason="throttled")
    assert [(fields["row"], fields["key"]) for _, fields in events] == [("state", "salesforce")]


def test_a_later_key_of_a_lead_is_kept(rows: SqliteRows, store: LinkStore) -> None:
    lead = {"record_id": "00Q1", "etag": "1", "status": "New", "written": {"Phone": "f1"}, "later": 7}
    rows.write("R|r1", [Put("pointer", pack({"opportunity_id": None, "intent": None, "lead": lead}))])
    entry = store.pointer("r1")
    assert entry is not None
    assert entry.value.lead is not None
    store.replace_pointer("r1", entry, replace(entry.value, lead=replace(entry.value.lead, etag="2")))
    assert stored(rows, "R|r1", "pointer")["lead"] == {**lead, "etag": "2"}
