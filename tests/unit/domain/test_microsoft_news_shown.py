"""What is told of Microsoft's record, and when it is shown (docs/protocol.md#news-from-microsoft)."""

from copy import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.domain.audit import Line
from shared.domain.deal import Deal, Person, Side, Status, fingerprint
from shared.domain.link import Link
from shared.domain.microsoft_news import (
    Hearing,
    has_heard,
    heard,
    heard_on_ours,
    heard_partner,
    is_news_for,
    look_again,
    needs_look,
    needs_ours,
    news_of,
    not_shown,
    shown,
    with_columns,
)
from shared.domain.microsoft_record import (
    HeardPartner,
    HeardRecord,
    MicrosoftRecord,
    News,
    PartnerRecord,
    address_mark,
    is_older,
    notes_mark,
)
from shared.domain.sentences import LineDirection

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
OURS, THEIRS = Person("One", "Seller", "seller.one@contoso.example"), Person("", email="seller@microsoft.example")
DEAL = Deal(team=(OURS,), notes="Ours.")
LINK = Link("006", referral_id="r-1", base=DEAL)
RECORD = MicrosoftRecord(
    "m-1", '"1"', status=Status("Active", "Accepted"), msx_id="7-1", team=(OURS, THEIRS), notes="Theirs.", updated=NOW
)
CRM = "microsoft_crm_identifier"
MARK = {CRM: fingerprint("7-1")}


def a_line(code: str, field: str, **values: str) -> Line:
    return Line(NOW, code, LineDirection.FROM_PARTNER_CENTER, Side.SALESFORCE, field, values=values)


def test_what_is_new_is_told_in_lines_that_name_no_person_and_no_note() -> None:
    hearing = heard(LINK, RECORD, DEAL, NOW)
    assert hearing.lines == (
        a_line("microsoft_accepted", "microsoft_status"),
        a_line("microsoft_crm", CRM, value="7-1"),
        a_line("microsoft_seller", "microsoft_seller"),
        a_line("microsoft_notes", "microsoft_notes"),
    )
    assert hearing.texts == {
        "microsoft_status": "Accepted", CRM: "7-1", "microsoft_seller": "seller@microsoft.example",
        "microsoft_notes": "Theirs.", "microsoft_answer_by": "",
    }  # fmt: skip
    assert hearing.link.unwritten


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (Status("Closed", "Declined"), a_line("microsoft_declined", "microsoft_status", reason="none was given")),
        (Status("Closed", "Expired"), a_line("microsoft_expired", "microsoft_status")),
        (Status("Closed", "Won"), a_line("microsoft_closed", "microsoft_status", status="Won")),
        (Status("Closed", "Lost"), a_line("microsoft_closed", "microsoft_status", status="Lost")),
        (Status("Closed", "Error"), a_line("microsoft_closed", "microsoft_status", status="Error")),
        (Status("Frozen", "Deep"), a_line("microsoft_status_unknown", "microsoft_status", status="Frozen/Deep")),
    ],
)
def test_each_end_of_microsofts_record_is_told_once(status: Status, line: Line) -> None:
    first = shown(heard(LINK, RECORD, DEAL, NOW).link)
    hearing = heard(replace(first, unwritten=False), replace(RECORD, etag='"2"', status=status), DEAL, NOW)
    assert (hearing.lines, hearing.link.unwritten) == ((line,), True)
    again = replace(RECORD, etag='"3"', status=status)
    assert heard(replace(hearing.link, unwritten=True), again, DEAL, NOW).link.unwritten


def test_the_same_record_again_is_shown_still_and_keeps_what_a_later_build_stored() -> None:
    known = shown(heard(LINK, RECORD, DEAL, NOW).link, ["microsoft_notes"], []).microsoft
    assert known is not None
    link = replace(LINK, microsoft=replace(known, unknown={"k": 1}))
    hearing = heard(link, replace(RECORD, etag='"2"', updated=None), DEAL, NOW)
    assert (hearing.lines, hearing.texts, hearing.link.unwritten) == ((), {}, False)
    assert hearing.link.microsoft == replace(known, etag='"2"', unknown={"k": 1})
    other = heard(link, replace(RECORD, id="m-2"), DEAL, NOW).link.microsoft
    assert other is not None
    assert (other.id, other.unknown) == ("m-2", {})


def test_a_first_record_that_says_nothing_to_show_is_shown() -> None:
    silent = MicrosoftRecord("m-1", '"1"', status=Status("New", "Pending"), team=(), notes="")
    hearing = heard(LINK, silent, DEAL, NOW)
    assert hearing.texts == news_of(silent, HeardRecord("m-1"), DEAL, DEAL).parts
    nothing = MicrosoftRecord("m-1", '"1"', team=(), notes="")
    assert heard(LINK, nothing, DEAL, NOW).texts == {}


@pytest.mark.usefixtures("machine_in_tokyo")
def test_until_when_microsoft_answers_is_shown_in_the_time_of_the_world() -> None:
    asked = replace(RECORD, status=Status("New", "Pending"), answer_by=NOW)
    assert news_of(asked, HeardRecord("m-1"), DEAL, Deal()).microsoft_answer_by == "2026-11-22T10:00:00+00:00"


def test_all_of_microsofts_sellers_are_named() -> None:
    both = replace(RECORD, team=(THEIRS, Person("Ray", "Kim", "kim@microsoft.example")))
    assert news_of(both, HeardRecord("m-1"), DEAL, Deal()).microsoft_seller == "seller@microsoft.example; Kim Ray"


def test_what_was_heard_before_its_id_was_known_is_of_this_record() -> None:
    known = HeardRecord("", parts=MARK, raw="Active/Accepted", status="Accepted", is_shown=True)
    found = heard(replace(LINK, microsoft=known), RECORD, Deal(), NOW)
    assert found.link.microsoft is not None
    assert (found.link.microsoft.id, "microsoft_crm" in [line.code for line in found.lines]) == ("m-1", False)


def test_people_and_notes_of_either_side_are_ours() -> None:
    for base, opportunity in ((DEAL, Deal()), (Deal(), DEAL)):
        found = news_of(replace(RECORD, notes="Ours."), HeardRecord("m-1"), base, opportunity)
        assert (found.microsoft_seller, found.microsoft_notes) == ("seller@microsoft.example", "")
    requested = replace(RECORD, notes="Asked.", request_notes="Asked.")
    assert news_of(requested, HeardRecord("m-1"), Deal(), Deal()).microsoft_notes == ""
    assert news_of(requested, HeardRecord("m-1"), Deal(notes=None), Deal()).microsoft_seller != ""


def test_until_when_microsoft_answers_is_shown_by_the_worlds_clock() -> None:
    tokyo = datetime(2026, 12, 7, 8, 30, tzinfo=timezone(timedelta(hours=9)))
    record = replace(RECORD, status=Status("New", "Pending"), answer_by=tokyo)
    found = news_of(record, HeardRecord("m-1"), DEAL, DEAL).microsoft_answer_by
    assert found == "2026-12-06T23:30:00+00:00"


# --- the CRM identifier of our own record


def on_ours(known: HeardRecord | None, texts: dict[str, str] | None = None) -> Hearing:
    return heard_on_ours(replace(LINK, microsoft=known), "7-1", NOW, texts)


def test_the_crm_identifier_of_our_own_record_is_told_and_shown() -> None:
    hearing = on_ours(None)
    expected = replace(LINK, microsoft=HeardRecord("", parts=MARK), unwritten=True)
    assert hearing == Hearing(expected, (a_line("microsoft_crm", CRM, value="7-1"),), {CRM: "7-1"})
    known = HeardRecord("m-1", parts={"x": "y"}, is_shown=True)
    assert on_ours(known).link.microsoft == replace(known, parts={"x": "y", **MARK}, is_shown=False)


def test_a_crm_identifier_that_is_told_is_shown_without_a_word_and_one_that_is_shown_says_nothing() -> None:
    told = HeardRecord("", parts={**MARK, "x": "y"})
    again = on_ours(told)
    assert (again.lines, again.texts, again.link) == ((), {CRM: "7-1"}, replace(LINK, microsoft=told))
    link = replace(LINK, microsoft=told, unwritten=True)
    assert heard_on_ours(link, "7-1", NOW).link.unwritten
    seen = replace(told, is_shown=True)
    assert on_ours(seen) == Hearing(replace(LINK, microsoft=seen))
    same = HeardRecord("", parts=MARK, is_shown=True)
    assert on_ours(same) == Hearing(replace(LINK, microsoft=same))


def test_other_news_of_microsoft_that_is_not_shown_is_read_first_unless_it_is_shown_now() -> None:
    unshown = HeardRecord("m-1")
    assert on_ours(unshown) == on_ours(unshown, {"help": "x"}) == Hearing(replace(LINK, microsoft=unshown))
    assert on_ours(unshown, {"microsoft_status": "Asked"}).texts == {CRM: "7-1"}


# --- what was heard, and what is to be read again


def test_a_version_was_heard_if_it_is_shown() -> None:
    link = replace(LINK, microsoft=HeardRecord("m-1", "1", is_shown=True), partners={"p-1": HeardPartner("1", "New")})
    assert has_heard(link, "m-1", "1")
    assert not has_heard(link, "m-1", "2")
    assert not has_heard(replace(link, microsoft=HeardRecord("m-1", "1")), "m-1", "1")
    assert has_heard(link, "p-1", "1")
    assert not has_heard(link, "p-1", "2")
    assert not has_heard(link, "p-2", "1")
    assert not has_heard(LINK, "m-1", "1")


PARTNER = PartnerRecord("p-1", "2", "e-1", "Tailspin", "Active/Accepted", NOW)


def test_another_partner_is_told_of_the_service_and_keeps_what_is_to_be_written() -> None:
    values = {"partner": "Tailspin", "status": "Active/Accepted"}
    line = Line(NOW, "partner_takes_part", LineDirection.NOTE, Side.PARTNER_CENTER, values=values)
    first = heard_partner(LINK, PARTNER, NOW)
    heard_of = {"p-1": HeardPartner("2", "Active/Accepted", NOW)}
    assert first == Hearing(replace(LINK, partners=heard_of, unwritten=True), (line,))
    same = replace(PARTNER, etag="3")
    assert not heard_partner(replace(first.link, unwritten=False), same, NOW).link.unwritten
    assert heard_partner(replace(first.link, unwritten=True), same, NOW).link.unwritten


def test_a_record_of_microsoft_is_news_for_a_link_that_has_not_heard_it() -> None:
    link = shown(heard(LINK, RECORD, DEAL, NOW).link)
    assert is_news_for(LINK, RECORD)
    assert not is_news_for(link, RECORD)


def test_what_cannot_be_shown_now_is_read_again_later() -> None:
    link = shown(heard(LINK, RECORD, DEAL, NOW).link)
    assert link.microsoft is not None
    assert look_again(link, RECORD).microsoft == replace(link.microsoft, etag="", is_shown=False)
    assert look_again(LINK, RECORD).microsoft == HeardRecord("m-1")
    assert look_again(LINK, PARTNER).partners == {"p-1": HeardPartner("", "")}
    assert not_shown(link).microsoft == replace(link.microsoft, is_shown=False)
    assert not_shown(LINK) == LINK
    assert [needs_look(one) for one in (LINK, link, not_shown(link))] == [False, False, True]


def test_what_the_org_has_no_column_for_is_shown_again_once_it_has_one() -> None:
    known = HeardRecord("m-1", lacking=("microsoft_notes", "microsoft_status"))
    link = shown(replace(LINK, microsoft=known), ["microsoft_status", CRM, "help"], ["microsoft_status", "help"])
    assert link.microsoft == replace(known, is_shown=True, lacking=(CRM, "microsoft_notes"))
    assert with_columns(link, ["microsoft_status"]) == link
    assert with_columns(link, [CRM]).microsoft == replace(link.microsoft, is_shown=False)
    assert with_columns(LINK, [CRM]) == shown(LINK) == LINK


def test_our_own_record_is_read_if_people_of_the_agreed_team_are_not_in_salesforce() -> None:
    link = replace(LINK, reported=("salesforce.team:left=mark",))
    record = replace(RECORD, team=(OURS,))
    assert not needs_ours(link, record, Deal())
    assert needs_ours(replace(link, base=Deal(team=())), record, Deal())


# --- the marks


def test_notes_and_addresses_have_marks_that_ignore_how_systems_write_them() -> None:
    assert notes_mark(" a\r\n b ") == notes_mark("a b") != notes_mark("ab")
    assert notes_mark(None) == notes_mark("") == fingerprint("")
    assert address_mark(OURS) == address_mark(replace(OURS, email="SELLER.one@contoso.example"))
    assert address_mark(Person("")) == fingerprint("")


@pytest.mark.parametrize(
    ("updated", "known", "older"),
    [(NOW, NOW, False), (NOW - timedelta(1), NOW, True), (None, NOW, False), (NOW, None, False)],
)
def test_a_record_is_older_only_by_a_known_time(
    updated: datetime | None, known: datetime | None, *, older: bool
) -> None:
    assert is_older(updated, known) is older


def test_news_show_what_the_record_says() -> None:
    assert News(microsoft_status="", microsoft_notes="n").parts == {"microsoft_status": "", "microsoft_notes": "n"}
