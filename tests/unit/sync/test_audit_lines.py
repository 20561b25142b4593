"""An audit line is stored as data: what happened to which field, on which side, why, and in which run.

Source: docs/protocol.md#audit-lines.
"""

from collections.abc import Callable, Mapping
from copy import replace
from pathlib import Path

import pytest

from shared.domain.audit import Line, text_line
from shared.domain.guard_texts import GUARD_SENTENCES
from shared.domain.lead_texts import LEAD_SENTENCES
from shared.domain.news_texts import NEWS_SENTENCES
from shared.domain.rest_texts import REST_SENTENCES
from shared.domain.sentences import CAUSES, SENTENCES
from shared.domain.untaken_codes import UNTAKEN
from shared.foundation.logs import EVENTS
from shared.sync.ports import random_id
from tests.unit.sync.audit_scenes import (
    AT,
    CLOSE_DATE,
    HERE,
    NOT_SYNCED,
    NOTE,
    SCENES,
    THERE,
    TO,
    changed,
    conflict,
    seller_changes_two_values,
    value_refused_by_partner_center,
    values_refused_by_salesforce,
)
from tests.unit.sync.harness import MINUTE, Harness
from tests.unit.sync.inbound_deals import microsoft_sends_deal


def without_run(line: Line) -> Line:
    """A line without its time and the id of its run, which must be there."""
    assert line.correlation_id, line
    return replace(line, at=AT, correlation_id=None)


def stored_lines(harness: Harness, deal: str) -> list[Line]:
    """The stored lines of a deal, newest first, without times and ids."""
    return [without_run(line) for line in harness.store.audit(deal)]


# --- one line of each kind --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_line_says_what_happened_as_data(harness: Harness, scene: Callable[[Harness], str]) -> None:
    lines = stored_lines(harness, scene(harness))
    for expected in SCENES[scene]:
        assert expected in lines


def test_a_value_refused_by_a_service_has_its_code_its_text_and_the_change(harness: Harness) -> None:
    refused = stored_lines(harness, value_refused_by_partner_center(harness))[0]
    assert (refused.code, refused.direction, refused.side) == ("refused", NOT_SYNCED, THERE)
    assert (refused.field, refused.before, refused.after) == ("money", "10000.00 USD", "-5.00 USD")
    assert refused.rule == harness.first.log.fields_of("pair_parked")[0]["code"]
    assert refused.text.startswith('Not synced: Amount "-5.00 USD" was not carried over: Partner Center refused it')
    assert refused.text.endswith(f"{refused.values['reason']} {refused.values['remedy']}")
    assert "must be a number above 0" in refused.text


def test_values_that_a_service_refused_together_have_a_line_each(harness: Harness) -> None:
    lines = stored_lines(harness, values_refused_by_salesforce(harness))
    refused = {line.field: line for line in lines if line.code == "refused"}
    assert {line.rule for line in refused.values()} == {"FIELD_CUSTOM_VALIDATION_EXCEPTION"}
    assert (refused["money"].before, refused["money"].after) == ("10000.00 USD", "300.00 USD")


def test_a_value_that_is_put_back_has_its_owner_as_its_rule(tmp_path: Path) -> None:
    mapping = tmp_path / "one_way.toml"
    mapping.write_text('extends = "default"\nversion = 1\n[fields.closing]\ndirection = "to_partner_center"\n', "utf-8")
    with Harness(mapping=mapping) as harness:
        deal = harness.shared_deal()
        harness.colleague_edits(harness.referral_of(deal)["id"], details_closingDateTime="2027-01-31T00:00:00Z")
        harness.sweep()
        assert stored_lines(harness, deal)[:2] == [
            changed(TO, THERE, "closing", ("2027-01-31", "2026-12-31"), CLOSE_DATE),
            Line(
                AT, "put_back", NOTE, THERE, "closing", "2027-01-31", "2026-12-31", "owner",
                {**CLOSE_DATE, "owner": "Salesforce"},
            ),
        ]  # fmt: skip


def test_a_text_that_wins_over_an_empty_field_is_the_rule_of_that_conflict(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Description=None)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_notes="Colleague's words")
    harness.run_rounds(1)
    (line,) = [line for line in stored_lines(harness, deal) if line.code == "conflict_empty"]
    assert (line.side, line.before, line.after, line.rule) == (HERE, "empty", "Colleague's words", "text_over_empty")


MADE_ELSEWHERE = {
    "problem",
    "put_back",
    "refused",
    "create_unconfirmed",
    "closed_as",
    "unsent_edits",
    "win_held",
    "conflict_closed",
    "conflict_empty",
    "waits_to_share",
    "consent_withdrawn",
    "waits_to_ask",
    "asked_for_help",
    "asked_and_answered",
    "help_was_asked",
    "takes_part",
    "help_unsure",
    "ticked",
    "member_stays",
    "member_does_not_fit",
    "member_no_address",
    "member_incomplete",
    "member_inactive",
    "contacts_left_out",
    "member_too_many",
    "member_unseen",
    "member_of_microsoft",
    "member_refused",
    "member_same_address",
    "member_details",
    "solution_inactive",
    "shown_only",
    "row_only_shown",
    "rows_only_shown",
    "details_stay",
    "notes_alone",
    "help_not_found",
    "help_ended",
    "help_left",
    "closed_as_test",
    "answer_due",
    "longer_text_here",
    "longer_text_replaced",
    *UNTAKEN,
    *NEWS_SENTENCES,
    *LEAD_SENTENCES,
    *REST_SENTENCES,
    *GUARD_SENTENCES,
}
"""Codes of lines that the tests of their cases make."""


def test_every_code_of_a_line_is_in_the_catalogue(harness: Harness) -> None:
    """The catalogue also holds the codes of lines that are not made here: texts, folded and unreadable lines.

    Earlier builds stored `unreadable` and `full_text`.
    """
    made = {line.code for lines in SCENES.values() for line in lines} | MADE_ELSEWHERE
    assert made <= {*SENTENCES, *CAUSES}
    assert {*SENTENCES} - made == {"text", "folded", "unreadable", "full_text", "unreadable_line"}
    assert harness.store.audit("006000000000001AAA") == []


# --- several fields, one time and one run -----------------------------------------------------------------------------


def test_the_changes_of_one_write_have_one_line_each_with_one_time_and_one_run(harness: Harness) -> None:
    deal = seller_changes_two_values(harness)
    first, second = harness.store.audit(deal)[:2]
    assert (first.at, first.correlation_id) == (second.at, second.correlation_id)
    assert harness.audit_texts(deal)[:2] == [
        "To Partner Center: Amount 10000.00 USD → 200.00 USD.",
        "To Partner Center: Close Date 2026-12-31 → 2027-01-31.",
    ]


# --- the run ----------------------------------------------------------------------------------------------------------


def events_with_id(harness: Harness) -> list[tuple[str, Mapping[str, object]]]:
    return [(name, fields) for name, fields in harness.first.log.events if "correlation_id" in EVENTS[name][1]]


def test_every_run_has_its_own_id_and_its_events_carry_it(harness: Harness) -> None:
    harness.seller_creates()
    ids: list[set[object]] = []
    for run in (harness.push, harness.sweep, lambda: harness.pull_event(microsoft_sends_deal(harness)), harness.push):
        before = len(events_with_id(harness))
        run()
        ids.append({fields["correlation_id"] for _, fields in events_with_id(harness)[before:]})
    assert [len(of_run) for of_run in ids] == [1, 1, 1, 1]
    assert len(set().union(*ids) - {None}) == 4


def test_the_id_of_a_line_leads_to_the_log_of_its_run(harness: Harness) -> None:
    deal = conflict(harness)
    newest = harness.store.audit(deal)[0]
    (patched,) = harness.first.log.fields_of("referral_patched")
    assert newest.correlation_id == patched["correlation_id"]
    done = harness.first.log.fields_of("push_done")[-1]
    assert newest.correlation_id == done["correlation_id"]
    assert {line.correlation_id for line in harness.store.audit(deal)} != {newest.correlation_id}


def test_an_id_of_a_run_is_random_and_unique() -> None:
    ids = {random_id() for _ in range(100)}
    assert len(ids) == 100
    assert {len(bytes.fromhex(one)) for one in ids} == {16}


def test_lines_of_an_earlier_build_are_shown_below_the_new_ones(harness: Harness) -> None:
    deal = harness.shared_deal()
    entry = harness.store.link(deal)
    assert entry is not None
    old = "To Partner Center: Amount empty → 1.00 USD; Close Date empty → 2026-12-31."
    harness.store.replace_link(entry, entry.value, [text_line(AT, old)])
    harness.seller_edits(deal, Amount=200)
    harness.push(MINUTE)
    assert harness.audit_texts(deal) == [
        "To Partner Center: Amount 10000.00 USD → 200.00 USD.",
        "To Partner Center: A referral was created in Partner Center for this opportunity.",
        old,
    ]
