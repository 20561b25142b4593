"""Each alert rule fires for its incident in time, once for each value of its dimension, and clears after it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from local.systems import Systems
from tests.alerts.alert_rule import AlertRule, Notice
from tests.alerts.incident_table import Expected, expected_incidents
from tests.alerts.incidents import INCIDENTS, Incident
from tests.alerts.log_rows import INGESTIONS, Log, LogLine
from tests.alerts.playing import named_or_short, notices_of, surrounded
from tests.alerts.virtual_days import HOUR, MINUTE, virtual_days

pytestmark = pytest.mark.node


@pytest.mark.parametrize("expected", expected_incidents(), ids=lambda each: each.story)
def test_the_rule_fires_and_clears(
    rules: Mapping[str, AlertRule],
    systems: Systems,
    quiet_day: Sequence[LogLine],
    tmp_path: Path,
    expected: Expected,
) -> None:
    begin, story = INCIDENTS[expected.story]
    fire = {expected.rule, *expected.also}
    played = named_or_short(rules, fire)
    with virtual_days(systems, begin, tmp_path) as days:
        incident = Incident(days)
        story(incident)
        days.run_for(16 * MINUTE)
        since = incident.begun - HOUR - max(rules[name].window for name in fire)
        until = incident.ended + (expected.clears + 60) * MINUTE
        log = Log(surrounded(days, quiet_day, since, until))
    wanted: set[tuple[str, ...]] = {(value,) for value in expected.values} or {()}
    for ingestion in INGESTIONS:
        sent = notices_of(played, log, ingestion, incident.begun - HOUR, until)
        assert {notice.rule for notice in sent} == fire, ingestion.name
        for rule in fire:
            check_once(rule, [notice for notice in sent if notice.rule == rule])
        own = [notice for notice in sent if notice.rule == expected.rule]
        assert {notice.values for notice in own} == wanted, ingestion.name
        fired, cleared = ([notice.at for notice in own if notice.has_fired is kind] for kind in (True, False))
        assert (max(fired) - incident.begun) / MINUTE <= expected.fires, ingestion.name
        assert (max(cleared) - incident.ended) / MINUTE <= expected.clears, ingestion.name


def check_once(rule: str, sent: Sequence[Notice]) -> None:
    """Each value of the dimension has fired once, and then cleared."""
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
