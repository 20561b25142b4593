"""Any deal is read back unchanged after it was translated into the format of either system."""

import html
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain.deal import Change, Deal, Money, Person, Side, Status, Value, fingerprint
from shared.domain.html_entities import decode_entities
from shared.domain.stage_table import Stage, StageTable
from shared.mapping.money_field import round_to_cents
from shared.mapping.paths import normal_text
from shared.mapping.read_values import read_values
from tests.property.generated_deals import (
    PLAIN_DEAL,
    READ_AT,
    SOLUTION_IDS,
    STATUSES,
    TRANSLATION,
    any_deal,
    any_money,
    any_notes,
    patched_referral,
    raw_texts,
    referral_of,
    saved_record,
    values_by_field,
)

TOGETHER = ("/status", "/substatus", "/statusReason")
"""These paths are one value, which is always sent whole (docs/reference/partner-center.md#patch-operations)."""

SHARED = ("account", "contacts", "team")
"""Fields that are records of their own in Salesforce. The plain columns of an opportunity do not hold them."""


def differing_fields(seen: Mapping[str, Value | None], expected: Mapping[str, Value | None]) -> list[str]:
    """The names of the fields that differ. Without values: pytest needs minutes to explain two long texts."""
    return sorted(name for name in {**seen, **expected} if seen.get(name, ...) != expected.get(name, ...))


PHONELESS, RENAMED = Person("Lind", email="ada@example.com"), Person("Holm", email="ada@example.com")
"""One contact before and after an edit, whom Partner Center does not take: they have no phone number."""
ADA, BOB = (Person("Lind", name, f"{name}@example.com", "1") for name in ("Ada", "Bob"))
LISTS = frozenset(rule.field for rule in TRANSLATION.rules.updatable if rule.is_set)


def without_order(deal: Mapping[str, Value | None]) -> Deal:
    """The deal with its lists in one order: Partner Center appends who is added."""
    lists: dict[str, Any] = {name: value for name in LISTS if isinstance(value := deal.get(name), tuple)}
    return Deal({**deal, **{name: tuple(sorted(value, key=repr)) for name, value in lists.items()}})


def change_of(field: str, old: Value | None, new: Value | None) -> Change:
    return Change(field, field, old, new)


def changes_between(old: Deal, new: Deal) -> tuple[Change, ...]:
    fields = [rule.field for rule in TRANSLATION.rules.updatable if rule.field in old]
    return tuple(change_of(field, old[field], new[field]) for field in fields if old[field] != new[field])


# --- Salesforce -------------------------------------------------------------------------------------------------------


@given(any_deal())
def test_a_deal_is_read_back_from_a_new_record(deal: Deal) -> None:
    record = saved_record(deal, TRANSLATION.new_opportunity(deal))
    seen = TRANSLATION.opportunity(record, READ_AT)
    assert seen.problems == {}
    assert differing_fields(seen.deal, deal) == []
    assert seen.flagged


@given(any_deal(), any_deal())
def test_changes_of_a_deal_are_read_back_from_the_record(old: Deal, new: Deal) -> None:
    changes = changes_between(old, new)
    written = TRANSLATION.values(changes)
    record = saved_record(old, {**TRANSLATION.new_opportunity(old), **written})
    seen = TRANSLATION.opportunity(record, READ_AT).deal
    written_alone = {change.field: change.new for change in changes if change.field not in SHARED}
    assert differing_fields(seen, {**old, **written_alone}) == []


@given(any_deal())
def test_a_read_back_of_plain_columns_has_only_their_fields(deal: Deal) -> None:
    record = saved_record(deal, TRANSLATION.new_opportunity(deal))
    plain = {column: record[column] for column in TRANSLATION.columns}
    seen = TRANSLATION.opportunity(plain, READ_AT)
    assert differing_fields(seen.deal, {field: value for field, value in deal.items() if field not in SHARED}) == []
    assert seen.problems == {}


# --- Partner Center ---------------------------------------------------------------------------------------------------


def sendable_deal(deal: Deal) -> dict[str, Any]:
    """The part of a deal that a create sends: only contacts with both names, e-mail and phone."""
    people = deal["contacts"] if isinstance(deal["contacts"], tuple) else ()
    contacts = tuple(
        person
        for person in people
        if isinstance(person, Person) and person.first_name and person.email and person.phone
    )
    return {**deal, "contacts": contacts or None}


@given(any_deal(), st.sampled_from(STATUSES))
def test_a_deal_is_read_back_from_a_new_referral(deal: Deal, status: Status) -> None:
    body = TRANSLATION.new_referral(deal, "006000000000001AAA")
    seen = TRANSLATION.referral(referral_of(body, status))
    assert differing_fields(seen.deal, {**sendable_deal(deal), "status": status}) == []
    assert seen.external_reference == "006000000000001AAA"
    assert not seen.is_lead


@given(any_deal(), any_deal())
@example(PLAIN_DEAL.with_values({"contacts": (BOB,)}), PLAIN_DEAL.with_values({"contacts": (ADA, BOB)}))
def test_patch_operations_turn_the_old_deal_into_the_new_one(old: Deal, new: Deal) -> None:
    referral = referral_of(TRANSLATION.new_referral(Deal(sendable_deal(old)), "x"), STATUSES[0])
    before = TRANSLATION.referral(referral).deal
    changes = changes_between(before, Deal(sendable_deal(new)))
    after = TRANSLATION.referral(patched_referral(referral, TRANSLATION.operations(changes, referral))).deal
    wanted = {**before, **{change.field: change.new for change in changes}}
    assert differing_fields(without_order(after), without_order(wanted)) == []


@given(any_deal(), any_deal())
@example(PLAIN_DEAL.with_values({"contacts": (PHONELESS,)}), PLAIN_DEAL.with_values({"contacts": (RENAMED,)}))
def test_patch_operations_change_only_paths_that_differ(old: Deal, new: Deal) -> None:
    status: Any = old["status"]
    referral, wanted = (referral_of(TRANSLATION.new_referral(deal, "x"), status) for deal in (old, new))
    seen, coming = TRANSLATION.referral(referral).deal, TRANSLATION.referral(wanted).deal
    # A plan takes out who cannot be sent and empties no list, so a list that would look the same, or lose all, stays.
    kept = {name for name in LISTS if not coming.get(name) or seen.get(name) == coming[name]}
    changes = tuple(one for one in changes_between(old, new) if one.field not in kept)
    for operation in TRANSLATION.operations(changes, referral):
        before = TRANSLATION.referral(referral).deal
        after = TRANSLATION.referral(patched_referral(referral, [operation])).deal
        assert differing_fields(before, after) or operation["path"] in TOGETHER


@given(st.data())
def test_equal_values_need_no_patch_operation(data: st.DataObject) -> None:
    for rule in TRANSLATION.rules.updatable:
        value = data.draw(values_by_field()[rule.field])
        assert TRANSLATION.operations((change_of(rule.field, value, value),)) == []


# --- normal forms -----------------------------------------------------------------------------------------------------


@given(raw_texts(), st.one_of(st.none(), st.integers(1, 50)))
def test_text_in_normal_form_stays_as_it_is(raw: str, length: int | None) -> None:
    once = normal_text(raw, length)
    assert normal_text(once, length) == once
    assert once is None or (once == once.strip() and "\r" not in once and len(once) <= (length or len(once)))


@given(raw_texts())
def test_line_ends_make_no_difference(raw: str) -> None:
    assert normal_text(raw.replace("\r\n", "\n").replace("\r", "\n")) == normal_text(raw)
    assert normal_text(f"  {raw}\r\n") == normal_text(raw)


@given(raw_texts())
def test_a_text_without_entities_holds_none_after_any_number_of_encodings(raw: str) -> None:
    plain = decode_entities(raw)
    once = html.escape(plain)
    assert decode_entities(plain) == plain
    assert decode_entities(once) == decode_entities(html.escape(once)) == plain


@given(raw_texts())
def test_a_text_that_was_written_is_read_back_as_it_was_compared(raw: str) -> None:
    """Also a text in which a person wrote an entity: otherwise both sides would replace it for ever."""
    notes = TRANSLATION.fields["notes"]
    seen = notes.read_record({"Description": raw})
    written: dict[str, Any] = {"details": {"notes": None}}
    notes.add_to_body(seen, written)
    assert notes.read_referral(written) == seen
    assert notes.read_record(notes.record_values(seen)) == seen
    portal = {"details": {"notes": html.escape(str(seen))}} if seen else written
    assert notes.read_referral(portal) == seen


MIDNIGHTS = {"UTC+12": range(-11 * 4, 12 * 4 + 1), "UTC+13": range(-10 * 4, 13 * 4 + 1), "UTC+14": range(-36, 57)}
"""The quarters of an hour by which the zones that each `zone` is right for are ahead of UTC."""


@given(st.dates(date(1900, 1, 1), date(2200, 12, 31)), st.sampled_from(sorted(MIDNIGHTS)), st.data())
def test_a_persons_midnight_is_their_day_whatever_their_zone(day: date, zone: str, data: st.DataObject) -> None:
    ahead = timedelta(minutes=15 * data.draw(st.sampled_from(MIDNIGHTS[zone])))
    closing = TRANSLATION.fields["closing"].model_copy(update={"zone": zone})
    midnight = datetime.combine(day, time(), UTC) - ahead
    assert closing.read_referral({"details": {"closingDateTime": midnight.isoformat()}}) == day
    body: dict[str, Any] = {}
    closing.add_to_body(day, body)
    assert closing.read_referral(body) == day
    assert closing.read_record(closing.record_values(day)) == day


@given(st.lists(SOLUTION_IDS, min_size=1, max_size=5, unique=True), st.lists(st.sampled_from(",; \n\t"), min_size=1))
def test_solution_ids_are_read_with_any_separators(ids: list[str], separators: list[str]) -> None:
    separator = "".join(separators)
    text = separator.join(["", *ids, ""])
    assert TRANSLATION.fields["solutions"].read_record({"Products__c": text}) == tuple(ids)


@given(any_notes())
def test_the_longest_notes_are_no_longer_than_salesforce_holds(value: str) -> None:
    assert len(value) <= 32_000
    longer = value + "x" * 9
    read = read_values(
        lambda field: field.read_referral({"details": {"notes": longer}}), {"notes": TRANSLATION.fields["notes"]}
    )
    assert read.deal["notes"] == normal_text(longer, 32_000)
    assert read.cut == ({"notes"} if len(normal_text(longer) or "") > 32_000 else set())
    assert read.problems == {}


@given(any_money())
def test_money_in_normal_form_stays_as_it_is(value: Money) -> None:
    again = Money(round_to_cents(value.amount), value.currency)
    assert again == value
    assert fingerprint(again) == fingerprint(value)
    assert value.amount.as_tuple().exponent == -2
    assert not (value.amount.is_zero() and value.amount.is_signed())


@given(any_money(), any_money())
def test_values_have_the_same_fingerprint_only_if_they_are_equal(one: Money, other: Money) -> None:
    assert (one == other) == (fingerprint(one) == fingerprint(other))


@given(st.sampled_from(["New", "Active", "Closed", "Simmering"]), st.text(max_size=5))
def test_a_status_in_normal_form_stays_as_it_is(status: str, substatus: str) -> None:
    table = TRANSLATION.file.stage_table()
    normal = table.normal_status(Status(status, substatus))
    assert normal is None or table.normal_status(normal) == normal


PAIRS = [
    Status("Active", "Accepted"),
    Status("Closed", "Won"),
    Status("Closed", "Lost", "Others"),
    Status("Closed", "Lost"),
]


@given(
    st.lists(
        st.builds(
            Stage, st.sampled_from("abcdefgh"), st.sampled_from(PAIRS), st.lists(st.sampled_from(PAIRS)).map(tuple),
            st.booleans(),
        ),
        unique_by=lambda stage: stage.name, max_size=6,
    )
)  # fmt: skip
def test_the_status_of_a_stage_is_its_own_normal_form_in_any_stage_table(stages: list[Stage]) -> None:
    """Otherwise a deal on that stage would never agree with its referral."""
    table = StageTable(tuple(stages))
    for stage in stages:
        assert table.normal_status(stage.status) == stage.status
        assert table.status_of(stage.name.upper()) == stage.status


def test_the_default_mapping_lets_salesforce_clear_notes() -> None:
    assert TRANSLATION.rules["notes"].clearable == {Side.SALESFORCE}
    assert TRANSLATION.rules["notes"].length == 32_000
