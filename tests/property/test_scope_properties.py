"""An environment recognises its own references and excludes all others.

Source: docs/protocol.md#an-environment-touches-only-its-own.
"""

import string
from datetime import UTC, datetime

from hypothesis import assume, given
from hypothesis import strategies as st

from shared.domain.scope import Scope, long_id, split_reference

ORGANIZATION = "11111111-2222-3333-4444-555555555555"
SHORT_IDS = st.text(string.ascii_letters + string.digits, min_size=12, max_size=12).map(lambda rest: f"006{rest}")
TAGS = st.one_of(st.none(), st.from_regex(r"[A-Z][A-Z0-9-]{0,15}", fullmatch=True))


def scope_of(tag: str | None) -> Scope:
    return Scope(ORGANIZATION, tag, datetime(2026, 11, 1, tzinfo=UTC))


@given(SHORT_IDS, TAGS)
def test_a_reference_identifies_its_opportunity(identifier: str, tag: str | None) -> None:
    scope = scope_of(tag)
    assert scope.opportunity_named_by(scope.reference(long_id(identifier))) == long_id(identifier)
    assert scope.opportunity_named_by(scope.reference(identifier)) == long_id(identifier), (
        "the short form means the same"
    )


@given(SHORT_IDS, TAGS, TAGS)
def test_a_reference_of_another_environment_is_excluded(identifier: str, tag: str | None, other: str | None) -> None:
    assume(tag != other)
    reference = scope_of(other).reference(long_id(identifier))
    assert scope_of(tag).opportunity_named_by(reference) is None
    assert scope_of(tag).exclusion_reason(ORGANIZATION, reference) == "other_environment"
    assert scope_of(other).exclusion_reason(ORGANIZATION, reference) is None


@given(st.text(max_size=30), TAGS)
def test_any_text_can_be_parsed_as_a_reference(reference: str, tag: str | None) -> None:
    opportunity_id = scope_of(tag).opportunity_named_by(reference)
    assert opportunity_id is None or len(opportunity_id) == 18
    split_tag, rest = split_reference(reference)
    assert reference.strip() == (f"{split_tag}:{rest}" if split_tag else rest)


@given(SHORT_IDS)
def test_the_long_form_distinguishes_ids_that_differ_only_in_case(identifier: str) -> None:
    assert long_id(long_id(identifier)) == long_id(identifier)
    swapped = identifier[:3] + identifier[3:].swapcase()
    if swapped != identifier:
        assert long_id(swapped).casefold() != long_id(identifier).casefold()
