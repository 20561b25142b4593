"""What the record of a lead holds, and what its audit says (docs/protocol.md#leads)."""

from datetime import UTC, datetime

import pytest

from shared.domain.audit import CONFIRMED, Line
from shared.domain.cause import Cause
from shared.domain.deal import Side, fingerprint
from shared.domain.leads import (
    REFUSED,
    KnownLead,
    LeadValues,
    changed_lead,
    hidden_lines,
    new_lead,
    refused_line,
    refused_mark,
    resembling_line,
)
from shared.domain.sentences import LineDirection

NOW = datetime(2026, 11, 22, tzinfo=UTC)
OURS, NOTE, REFUSAL = Side.SALESFORCE, LineDirection.NOTE, Cause("INVALID", "Title", "Too long.", "Shorten it.")
LABELS = {"Company": "Firm", "Title": "Job Title"}
WANTED = LeadValues(
    {"LastName": "Lind", "Company": "unknown", "Title": None, "Notes": "long"}, "New (Received)", LABELS,
    defaults=frozenset({"Company"}), cut=frozenset({"Notes", "Title"}),
)  # fmt: skip


def known(**written: str) -> KnownLead:
    return KnownLead("00Q", "1", "New (Received)", written)


def test_a_new_record_holds_what_the_lead_says_and_tells_its_defaults_and_cut_texts() -> None:
    change = new_lead(WANTED, NOW)
    assert change.values == {"LastName": "Lind", "Company": "unknown", "Notes": "long"}
    assert change.written == {name: fingerprint(value) for name, value in WANTED.values.items()}
    assert change.lines == (
        Line(NOW, "lead_arrived", LineDirection.FROM_PARTNER_CENTER, OURS),
        Line(NOW, "lead_default", NOTE, OURS, "Company", values={"label": "Firm", "after": "unknown"}),
        Line(NOW, "lead_cut", NOTE, OURS, "Notes", values={"label": "Notes"}),
        Line(NOW, "lead_cut", NOTE, OURS, "Title", values={"label": "Job Title"}),
    )


def test_a_value_that_is_written_is_told_with_the_one_it_replaces() -> None:
    wanted = LeadValues({"Title": "CTO"}, "New (Received)", LABELS, cut=frozenset({"Title", "Notes"}))
    change = changed_lead(known(Title=fingerprint("CEO")), {"Title": "CEO"}, wanted, NOW)
    direction = LineDirection.FROM_PARTNER_CENTER
    assert change.lines == (
        Line(NOW, "changed", direction, OURS, "Title", "CEO", "CTO", CONFIRMED, {"label": "Job Title"}),
        Line(NOW, "lead_cut", NOTE, OURS, "Title", values={"label": "Job Title"}),
    )


def test_a_value_that_a_person_edited_stays_and_both_are_told_whole() -> None:
    long = "x" * 5000
    wanted = LeadValues({"Title": long}, "New (Received)", LABELS, cut=frozenset({"Title"}))
    change = changed_lead(known(Title=fingerprint("CEO")), {"Title": "y" * 5000}, wanted, NOW)
    told = Line(NOW, "lead_differs", NOTE, OURS, "Title", "y" * 5000, long, "lead_differs", {"label": "Job Title"})
    assert (change.values, change.lines) == ({}, (told,))


def test_another_status_is_told_of_a_record_that_is_known() -> None:
    closed = LeadValues({}, "Closed (Expired)")
    line = Line(NOW, "lead_status", NOTE, None, values={"status": "Closed (Expired)"})
    assert changed_lead(known(), {}, closed, NOW).lines == (line,)
    assert changed_lead(None, {}, closed, NOW).lines == ()


def test_a_value_that_salesforce_refused_stays_refused_until_partner_center_has_another() -> None:
    wanted = LeadValues({"Title": "CTO"}, "New (Received)", LABELS)
    refused = known(Title=refused_mark("CTO"))
    assert refused_mark("CTO") == f"{REFUSED}{fingerprint('CTO')}"
    again = changed_lead(refused, {"Title": None}, wanted, NOW)
    assert (again.values, again.lines, again.written) == ({}, (), {"Title": refused_mark("CTO")})
    assert refused.holds(wanted)
    entered = changed_lead(refused, {"Title": "CTO"}, wanted, NOW)
    assert (entered.values, entered.written) == ({}, {"Title": fingerprint("CTO")})
    other = LeadValues({"Title": "CIO"}, "New (Received)", LABELS)
    assert changed_lead(refused, {"Title": None}, other, NOW).values == {"Title": "CIO"}
    assert changed_lead(refused, {"Title": "a person's"}, other, NOW).values == {}


def test_a_record_holds_a_lead_if_status_and_all_values_are_known() -> None:
    written = known(Title=fingerprint("CTO"))
    assert written.holds(LeadValues({"Title": "CTO"}, "New (Received)"))
    assert not written.holds(LeadValues({"Title": "CTO"}, "Closed (Expired)"))
    assert not written.holds(LeadValues({"Title": "CIO"}, "New (Received)"))
    assert not written.holds(LeadValues({"Title": "CTO", "Phone": "1"}, "New (Received)"))


@pytest.mark.parametrize(("status", "is_closed"), [("Closed (Won)", True), ("New (Received)", False), ("", False)])
def test_a_lead_is_closed_once_it_has_ended_in_partner_center(status: str, *, is_closed: bool) -> None:
    assert KnownLead("00Q", "1", status).is_closed is is_closed


def test_a_column_that_salesforce_does_not_take_is_left_out_of_all() -> None:
    wanted = LeadValues(
        {"Title": "CTO", "Notes": "n"}, "s", LABELS, frozenset({"Title", "Notes"}), frozenset({"Title", "Notes"})
    )
    rest = LeadValues({"Notes": "n"}, "s", LABELS, frozenset({"Notes"}), frozenset({"Notes"}))
    assert wanted.without("Title") == rest


def test_what_the_record_does_not_show_is_told_with_the_reason() -> None:
    values = {"label": "Job Title", "reason": "Too long", "remedy": "Shorten it."}
    refused = Line(NOW, "lead_refused", LineDirection.NOT_SYNCED, OURS, "Title", rule="INVALID", values=values)
    assert refused_line("Title", REFUSAL, WANTED, NOW) == refused
    named = {"label": "Job Title"}
    hidden = Line(NOW, "lead_hidden", LineDirection.NOT_SYNCED, OURS, "Title", values=named)
    columns = {"Title": "CTO", "Phone": None}
    assert hidden_lines(None, columns, WANTED, NOW) == (hidden,)
    assert hidden_lines(known(Title=fingerprint("CEO")), columns, WANTED, NOW) == (hidden,)
    assert hidden_lines(known(Title=fingerprint("CTO")), columns, WANTED, NOW) == ()


@pytest.mark.parametrize(
    ("matches", "text"), [(("Ada Lind", "Ann One"), "Ada Lind, Ann One"), ((), "other records")], ids=["named", "none"]
)
def test_a_lead_that_resembles_others_names_them(matches: tuple[str, ...], text: str) -> None:
    assert resembling_line(matches, NOW) == Line(NOW, "lead_resembles", NOTE, OURS, values={"matches": text})
