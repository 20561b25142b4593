"""Any two switches of real orgs: a deal arrives each way, or inbox or audit names the cause, and no run ends."""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from zlib import crc32

import pytest
from _pytest.mark import ParameterSet

from tests.unit.sync import org_walk
from tests.unit.sync.org_walk import faults_of_a_changed_org, faults_of_a_walk
from tests.unit.sync.real_orgs import NOT_LATER, PAIRS, SWITCHES, can_be_one_org

pytestmark = pytest.mark.slow

OWNERS = """
extends = "default"

[[owners]]
by = "account_owner"

[[owners]]
by = "user"
user = "sam.seller@partner.example"
"""
type Names = tuple[str, ...]


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mapping file that gives arriving deals to a seller."""
    path = tmp_path_factory.mktemp("mapping") / "owned.toml"
    path.write_text(OWNERS, "utf-8")
    return path


def named(orgs: Iterable[Names]) -> list[ParameterSet]:
    """Parameters whose ids are the names of the switches."""
    return [pytest.param(names, id=" and ".join(names)) for names in orgs]


def ring(names: Sequence[str], step: int) -> list[Names]:
    """Each switch with the one that stands `step` further on, where one org can have both."""
    pairs = ((name, names[(place + step) % len(names)]) for place, name in enumerate(names))
    return [pair for pair in pairs if can_be_one_org(pair)]


def with_a_third(pair: Names) -> Names:
    """The pair and one more switch, which the names of the pair decide."""
    others = [each for each in SWITCHES if each not in pair and can_be_one_org((*pair, each))]
    return *pair, random.Random(crc32(" ".join(pair).encode())).choice(others)  # noqa: S311 - no secret


LATE_PAIRS = [pair for pair in PAIRS if not NOT_LATER & set(pair)]


@pytest.mark.parametrize("names", named(ring(list(SWITCHES), 5)[::2]))
def test_a_deal_each_way_arrives_or_its_cause_is_named(names: Names) -> None:
    assert faults_of_a_walk(names) == []


@pytest.mark.parametrize("names", named([*PAIRS, *map(with_a_third, PAIRS)]))
def test_every_pair_alone_and_with_a_third_switch(names: Names) -> None:
    assert faults_of_a_walk(names) == []


@pytest.mark.parametrize("names", named([*PAIRS]))
def test_deals_that_get_an_owner_are_not_lost_either(names: Names, owned: Path) -> None:
    assert faults_of_a_walk(names, owned) == []


@pytest.mark.parametrize("names", named((name,) for name in SWITCHES if name not in NOT_LATER))
def test_an_org_that_changes_under_the_running_app_loses_no_deal(names: Names) -> None:
    assert faults_of_a_changed_org(names) == []


@pytest.mark.parametrize("names", named(LATE_PAIRS))
def test_an_org_that_changes_twice_under_the_running_app_loses_no_deal(names: Names) -> None:
    assert faults_of_a_changed_org(names) == []


def test_a_walk_tells_of_a_deal_whose_cause_nothing_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(org_walk, "inbox_cause", lambda *_: "")
    assert faults_of_a_walk(["rule for deals"]) == ["Microsoft's deal made no opportunity, and no cause is named"]
