"""Whether an opportunity is a copy is decided in a time that grows with the number of opportunities, not its square."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from shared.domain.clones import Twin, Twins

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def twin(number: int, name: str) -> Twin:
    return Twin(f"006{number}", name, "001", 5.0, NOW + timedelta(seconds=number), NOW)


def test_each_new_opportunity_is_compared_only_with_those_that_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    new = [twin(number, f"Deal {number // 2}") for number in range(200)]
    twins, compared = Twins(new), count()
    is_original = Twin.is_original_of

    def counted(one: Twin, other: Twin) -> bool:
        next(compared)
        return is_original(one, other)

    monkeypatch.setattr(Twin, "is_original_of", counted)
    copies = [one.id for one in new if twins.originals_of(one)]
    assert copies == [one.id for one in new[1::2]]
    assert next(compared) == 2 * len(new)
