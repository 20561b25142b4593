"""What a purge leaves of a link and of its lines: no value, and no fingerprint by which one could be guessed."""

import json
from copy import replace
from datetime import UTC, datetime

import pytest

from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.deal import VISIBILITY, VISIBLE, Deal, Person, Status
from shared.domain.erasure import Erasures, closed_at, erased_cause, erased_line, purged_lead, purged_link
from shared.domain.guard_texts import ERASED
from shared.domain.help_request import HELP_KEY, HelpRequest
from shared.domain.leads import KnownLead
from shared.domain.link import Difference, Link, Unshown
from shared.domain.link_states import State
from shared.domain.microsoft_record import HeardRecord
from shared.domain.sentences import cause
from shared.store.link_json import link_to_json
from tests.unit.store.representative_store import DEAL, LINES, NOW, whole_link

MARK, ECHO_MARK = "0123456789abcdef", '"fedcba98"'
KEPT = {"inbox", "mapping", "sources", "stamps"}
"""Keys whose hashes are of no value of the deal that could be guessed."""


def test_a_purged_link_holds_no_value_and_no_fingerprint() -> None:
    link = replace(whole_link("006AA00000000010", State.LIVE), reported=("bad_addresses:Left out: ann@x.", "help_left"))
    purged = purged_link(link)
    stored = {key: value for key, value in link_to_json(purged).items() if key not in KEPT}
    text = json.dumps(stored).casefold()
    names = ("robots", "northwind", "lee", "ono", "ann@", "+1206", "main street", "budget", "sol-1", "1234567", MARK)
    assert [word for word in (*names, ECHO_MARK) if word in text] == []
    assert {*purged.base} == {"money", "closing", "status"}
    assert purged.reported == (f"bad_addresses:{ERASED}", "help_left")
    assert (purged.state, purged.due_mark, purged.mark) == (State.CLOSED, link.due_mark, link.mark)
    assert purged_link(purged) == purged


def test_a_value_that_is_erased_is_unknown_and_not_empty() -> None:
    assert None not in purged_link(Link("006", base=DEAL)).base.values()


@pytest.mark.parametrize("state", [State.PAUSED, State.GONE])
def test_a_closed_deal_that_nobody_syncs_keeps_its_state(state: State) -> None:
    assert purged_link(Link("006", state, base=DEAL)).state is state


def test_an_erased_line_of_every_sentence_is_shown_without_its_values() -> None:
    for line in LINES:
        erased = erased_line(line)
        assert (erased.at, erased.field, erased.code, erased.rule) == (line.at, line.field, line.code, line.rule)
        assert "1.00 USD" not in erased.text
        assert erased_line(erased) == erased


def test_an_erased_line_says_where_a_value_was_and_keeps_what_is_no_value() -> None:
    values = {"label": "Notes", "reason": "Ann said no", "remedy": "Ask Ann."}
    line = Line(NOW, "changed", before="Ask Ann", after=None, values=values)
    kept = {"label": "Notes", "reason": ERASED, "remedy": ""}
    assert erased_line(line) == replace(line, before=ERASED, values=kept)
    entered = replace(line, before=None, after="Ask Ann", values={"label": "Notes"})
    assert erased_line(entered) == replace(entered, after=ERASED)


def test_the_reason_and_the_remedy_of_a_cause_go() -> None:
    found = cause("bad_addresses", "contacts", value="ann@@northwind")
    purged = purged_link(Link("006", base=DEAL, cause=replace(found, values={"value": "ann@@northwind"})))
    assert purged.cause == erased_cause(found) == Cause("bad_addresses", "contacts", ERASED, "")


def test_the_reason_why_columns_were_refused_goes_and_the_columns_stay() -> None:
    refusal = Cause("TRIGGER", "Audit__c", "Ann may not.", "Ask Ann.")
    purged = purged_link(Link("006", unshown=Unshown(("Audit__c",), NOW, refusal)))
    assert purged.unshown == Unshown(("Audit__c",), NOW, Cause("TRIGGER", "Audit__c", ERASED, ""))
    unexplained = Unshown(("Audit__c",), NOW)
    assert purged_link(Link("006", unshown=unexplained)).unshown == unexplained


def test_a_purged_link_keeps_the_marks_of_values_that_it_keeps_and_empties_the_others() -> None:
    record = Difference("0123456789abcdef", "refused_by_partner_center", NOW, ("fedcba98",))
    keys = ("partner_center.money", "partner_center.notes", HELP_KEY)
    link = Link("006", base=DEAL, refused=dict.fromkeys(keys, record), waiting={"money": record, "notes": record})
    purged, empty = purged_link(link), replace(record, value="", told=())
    assert purged.refused == {"partner_center.money": record, "partner_center.notes": empty, HELP_KEY: record}
    assert purged.waiting == {"money": record, "notes": empty}


def test_a_purged_link_keeps_what_tells_of_no_person_and_agrees_on_nothing() -> None:
    base = Deal({VISIBILITY: VISIBLE, "notes": "Ask Ann"})
    heard = HeardRecord("m-1", "1", status="Won", parts={"microsoft_seller": "a", "microsoft_status": "b"}, echo="c")
    asked = HelpRequest("GeneralOrOther", "0123456789abcdef", NOW, is_asked=True)
    purged = purged_link(Link("006", base=base, agreed=True, microsoft=heard, help=asked))
    assert (purged.base, purged.agreed) == (Deal({VISIBILITY: VISIBLE}), False)
    assert purged.microsoft == replace(heard, parts={"microsoft_status": "b"}, echo=None)
    assert purged.help == replace(asked, notes=None)
    assert purged_link(Link("006", base=Deal({VISIBILITY: None}))).base == Deal(), "what was empty is unknown"


def test_a_purged_lead_keeps_its_record_and_no_mark_of_a_value() -> None:
    lead = KnownLead("00Q1", "1", "Closed/Won", {"Company": "0123456789abcdef"})
    assert purged_lead(lead) == KnownLead("00Q1", "1", "Closed/Won")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (Line(NOW, "changed", field="status", after="Closed/Won", rule="confirmed"), True),
        (Line(NOW, "changed", field="status", after="Closed/Won", rule="recovered"), True),
        (Line(NOW, "changed", field="status", after="Active/Accepted", rule="confirmed"), False),
        (Line(NOW, "no_reason", field="status", after="Closed/Lost", rule="no_reason"), False),
        (Line(NOW, "changed", field="notes", after="Closed/Won", rule="confirmed"), False),
    ],
)
def test_a_deal_was_closed_when_its_audit_says_so_or_else_when_its_row_changed(line: Line, *, told: bool) -> None:
    changed = datetime(2026, 12, 24, tzinfo=UTC)
    assert closed_at([line], changed) == (NOW if told else changed)


def test_a_deal_has_ended_once_both_sides_agreed_on_its_end() -> None:
    assert Link("006", base=Deal(status=Status("Closed", "Lost"))).has_ended
    assert not Link("006", base=Deal(status=Status("Active", "Accepted"))).has_ended
    assert not Link("006", base=Deal(team=(Person("Lee"),))).has_ended


def test_a_list_of_erasures_never_gets_shorter() -> None:
    first = Erasures({"006A": NOW}, {}, {"salt": {"one": {"a": 1}}})
    later = Erasures(
        {"006B": NOW}, {"r-1": NOW}, {"salt": {"one": {"b": 2}, "two": {"c": 1}}, "other": {"x": {"y": 1}}}
    )
    persons = {"salt": {"one": {"a": 1, "b": 2}, "two": {"c": 1}}, "other": {"x": {"y": 1}}}
    assert first.joined(later) == Erasures({"006A": NOW, "006B": NOW}, {"r-1": NOW}, persons)
    assert first.joined(Erasures()) == Erasures().joined(first) == first


CHANGED = {
    "state",
    "base",
    "agreed",
    "refused",
    "waiting",
    "reported",
    "cause",
    "microsoft",
    "help",
    "erased",
    "repeats",
    "unshown",
}
"""The parts of a link that a purge changes."""
HARMLESS_PARTS = {
    *("opportunity_id", "referral_id", "engagement_id", "etag", "stamps", "mark", "unwritten", "mapping", "sources"),
    *("inbox", "notice", "consented", "partners", "close_as_test", "answer_by", "lead", "before", "gone"),
    *("intent", "unknown", "dated"),
}
"""Those that it leaves: none holds a value or a fingerprint of one. A link with an intent is not purged."""


def test_of_every_part_of_a_link_it_is_decided_whether_a_purge_changes_it() -> None:
    assert {*Link.__struct_fields__} == CHANGED | HARMLESS_PARTS, (
        "add a new part to purged_link, or to the harmless ones"
    )
