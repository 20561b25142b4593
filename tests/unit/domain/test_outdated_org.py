"""When a refusal may mean that the org has changed (docs/protocol.md#what-the-org-has)."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.currencies import OrgCurrencies
from shared.domain.org_shape import OrgShape
from shared.domain.outdated_org import ASK_SOON, JUST_ASKED, TELLING_CODES, asked_again_at, may_be_outdated

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SHAPE, OTHER = OrgShape(OrgCurrencies(has_several=True)), OrgShape(OrgCurrencies(has_several=False))
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("code", sorted(TELLING_CODES))
def test_a_refusal_of_a_column_is_a_sign_of_a_change_unless_the_org_was_just_asked(code: str) -> None:
    assert not may_be_outdated(code, (SHAPE, NOW), SHAPE, NOW)
    assert not may_be_outdated(code, (SHAPE, NOW - JUST_ASKED + SECOND), SHAPE, NOW)
    assert may_be_outdated(code, (SHAPE, NOW - JUST_ASKED), SHAPE, NOW)
    assert may_be_outdated(code, (SHAPE, NOW + SECOND), SHAPE, NOW)  # another instance's clock


def test_what_was_made_of_an_older_answer_is_outdated() -> None:
    assert may_be_outdated("INVALID_FIELD", (OTHER, NOW), SHAPE, NOW)
    assert may_be_outdated("INVALID_FIELD", (SHAPE, NOW), None, NOW)


def test_other_refusals_and_an_org_that_was_never_asked_say_nothing() -> None:
    assert not may_be_outdated("REQUIRED_FIELD_MISSING", (OTHER, NOW), SHAPE, NOW)
    assert not may_be_outdated("INVALID_FIELD", None, SHAPE, NOW)


@pytest.mark.parametrize(
    ("asked", "again"),
    [
        (NOW, NOW + ASK_SOON),
        (NOW - ASK_SOON + SECOND, NOW + SECOND),
        (NOW - ASK_SOON, None),
        (NOW + SECOND, None),
    ],
    ids=["just asked", "almost long ago", "long ago", "by a clock that is ahead"],
)
def test_an_org_is_asked_again_after_some_minutes(asked: datetime, again: datetime | None) -> None:
    assert asked_again_at((SHAPE, asked), NOW) == again
    assert asked_again_at(None, NOW) is None
