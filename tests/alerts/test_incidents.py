"""Each alert rule fires for its incident in time, once for each value of its dimension, and clears after it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from local.systems import Systems
from tests.alerts.alert_rule import AlertRule, Notice
from tests.alerts.incident import Incident
from tests.alerts.incident_table import Expected, expected_incidents
from tests.alerts.incidents import INCIDENTS
from tests.alerts.log_rows import EXTREMES, INGESTIONS, Log, LogLine
from tests.alerts.playing import notices_of, surrounded
from tests.alerts.virtual_days import HOUR, MINUTE, virtual_days

pytestmark = pytest.mark.node


LONG = 12 * HOUR
"""A longer incident, or a rule with a longer window, takes long to play."""


SHORT = [each for each in expected_incidents() if each.rule != "copy-missing"]
"""The incidents but the one that lasts for days, during which each look at the log takes long."""


class Player(NamedTuple):
    """Plays an incident of the table, and checks what the rules send."""

    rules: Mapping[str, AlertRule]
    systems: Systems
    quiet_day: Sequence[LogLine]
    folder: Path

    def play(self, expected: Expected, *, all_rules: bool) -> None:
        begin, story = INCIDENTS[expected.story]
        fire = [self.rules[name] for name in (expected.rule, *expected.also)]
        with virtual_days(self.systems, begin, self.folder) as days:
            incident = Incident(days)
            story(incident)
            days.run_for(incident.afterwards)
            since = incident.begun - HOUR
            until = incident.ended + (expected.clears + 60) * MINUTE
            longest = max(rule.window for rule in (self.rules.values() if all_rules else fire))
            log = Log(surrounded(days, self.quiet_day, since - longest, until))
        others = [rule for rule in self.rules.values() if rule not in fire]
        is_long = until - since > LONG
        played = others if all_rules else [rule for rule in others if not is_long and rule.window <= LONG]
        for ingestion in INGESTIONS if all_rules else EXTREMES:
            assert notices_of(played, log, ingestion, since, until) == []
            for rule in fire:
                check_once(rule.name, notices_of([rule], log, ingestion, since, until))
            self._check_times(expected, incident, notices_of(fire[:1], log, ingestion, since, until))

    def _check_times(self, expected: Expected, incident: Incident, sent: Sequence[Notice]) -> None:
        assert {notice.values for notice in sent} == (
            {(value,) for value in expected.values} if expected.values else {()}
        )
        fired, cleared = ([notice.at for notice in sent if notice.has_fired is kind] for kind in (True, False))
        assert (max(fired) - incident.begun) / MINUTE <= expected.fires
        assert (max(cleared) - incident.ended) / MINUTE <= expected.clears


@pytest.fixture
def player(rules: Mapping[str, AlertRule], systems: Systems, quiet_day: Sequence[LogLine], tmp_path: Path) -> Player:
    return Player(rules, systems, quiet_day, tmp_path)


@pytest.mark.parametrize("expected", SHORT, ids=lambda each: each.story)
def test_the_rule_fires_and_clears(player: Player, expected: Expected) -> None:
    """With the rules that fire, and as many others as cost little."""
    player.play(expected, all_rules=False)


@pytest.mark.slow
@pytest.mark.parametrize("expected", expected_incidents(), ids=lambda each: each.story)
def test_no_other_rule_fires(player: Player, expected: Expected) -> None:
    player.play(expected, all_rules=True)


def check_once(rule: str, sent: Sequence[Notice]) -> None:
    """The rule has fired; each value of its dimension has fired once, and then cleared."""
    assert sent, f"{rule} never fired"
    for values in {notice.values for notice in sent}:
        changes = [notice.has_fired for notice in sent if notice.values == values]
        assert changes == [True, False], f"{rule} {values}: {changes}"


def test_each_rule_has_its_incident(rules: Mapping[str, AlertRule]) -> None:
    table = expected_incidents()
    assert {each.rule for each in table} == set(rules)
    assert {each.story for each in table} == set(INCIDENTS)
    assert {each.rule: each.severity for each in table} == {name: rule.severity for name, rule in rules.items()}
    for each in table:
        (group,) = rules[each.rule].groups
        assert group.rpartition("/")[2] == each.group
        assert bool(rules[each.rule].dimensions) is bool(each.values)
