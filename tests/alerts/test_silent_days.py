"""No alert fires on a day without an incident, whatever the mode, or while an operator has paused the sync."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from local.systems import Systems
from shared.domain.policy import PULL
from shared.domain.policy import PUSH as PUSH_DIRECTION
from tests.alerts.alert_rule import AlertRule
from tests.alerts.incident import deal_of, failing, throttling, work_for_an_hour
from tests.alerts.log_rows import EXTREMES, INGESTIONS, Ingestion, Log, LogLine
from tests.alerts.playing import day_of_few_hours, notices_of, repeated, shifted, surrounded
from tests.alerts.virtual_days import COMPARE, FUNCTIONS, HOUR, MIDNIGHT, MINUTE, PUSH, VirtualDays, virtual_days

pytestmark = pytest.mark.node

MODES: Mapping[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "quiet": ({}, ()),
    "preview": ({"SYNC": "preview"}, ()),
    "off": ({"SYNC": "off"}, ()),
    "push paused": ({}, (PUSH_DIRECTION,)),
    "pull paused": ({}, (PULL,)),
    "push and pull paused": ({}, (PUSH_DIRECTION, PULL)),
}
"""What a day may be like all day: settings, and the directions that an operator has paused."""


def begin_mode(days: VirtualDays, mode: str) -> None:
    settings, directions = MODES[mode]
    days.restart(**settings)
    for direction in directions:
        days.app.store.pause_direction(direction, days.now(), "local")


def sent_by(
    rules: Mapping[str, AlertRule],
    lines: Sequence[LogLine],
    begin_hour: int,
    end_hour: int,
    ingestions: Sequence[Ingestion] = EXTREMES,
) -> list[str]:
    """What the rules send in some hours."""
    begin, end = MIDNIGHT + begin_hour * HOUR, MIDNIGHT + end_hour * HOUR
    log = Log(line for line in lines if line.at <= end)
    sent = ((each, notice) for each in ingestions for notice in notices_of(rules.values(), log, each, begin, end))
    return [f"{each.name}: {notice.rule} {notice.has_fired} {notice.at:%d %H:%M}" for each, notice in sent]


def test_a_quiet_day_is_silent(rules: Mapping[str, AlertRule], quiet_day: Sequence[LogLine]) -> None:
    assert sent_by(rules, repeated(quiet_day, (-2, -1, 0)), 2, 8) == []


@pytest.mark.parametrize("mode", ["preview", "off", "push and pull paused"])
def test_a_day_is_silent(rules: Mapping[str, AlertRule], systems: Systems, tmp_path: Path, mode: str) -> None:
    """The hours with the daily timers, after two days of the same kind."""
    with virtual_days(systems, MIDNIGHT, tmp_path) as days:
        begin_mode(days, mode)
        day = day_of_few_hours(days, work_for_an_hour)
    assert sent_by(rules, repeated(day, (-2, -1, 0)), 2, 8) == []


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_a_whole_day_is_silent(rules: Mapping[str, AlertRule], systems: Systems, tmp_path: Path, mode: str) -> None:
    """Each minute of the day is played by the app."""
    with virtual_days(systems, MIDNIGHT, tmp_path) as days:
        begin_mode(days, mode)
        for _ in range(24):
            began = days.now()
            work_for_an_hour(days)
            days.run_until(began + HOUR)
        day = days.lines
    assert sent_by(rules, repeated(day, (-2, -1, 0, 1)), 0, 47, INGESTIONS) == []


def test_a_first_day_is_silent(rules: Mapping[str, AlertRule], quiet_day: Sequence[LogLine]) -> None:
    """The rules are there before the app, and so before the table."""
    first = [line for line in quiet_day if line.at >= MIDNIGHT + 9 * HOUR]
    assert sent_by(rules, [*first, *shifted(quiet_day, 1)], 0, 24 + 8) == []


@pytest.mark.slow
def test_a_table_without_lines_of_the_app_is_told(rules: Mapping[str, AlertRule], quiet_day: Sequence[LogLine]) -> None:
    """Another app may have made the table. Then nothing tells a day before the app from one on which it is dead."""
    other = LogLine(MIDNIGHT - HOUR, "Host started", "")
    first = [line for line in quiet_day if line.at >= MIDNIGHT + 9 * HOUR]
    told = {each.partition(": ")[2].split()[0] for each in sent_by(rules, [other, *first], 0, 24)}
    assert told == {"push-silent", "sweep-silent"}


def test_pushes_of_ten_minutes_are_no_silence(rules: Mapping[str, AlertRule], quiet_day: Sequence[LogLine]) -> None:
    """While a run takes that long, no other one begins: one ends every eleven minutes."""
    push = FUNCTIONS[PUSH][0]
    slow = [line for line in quiet_day if line.function != push or (line.at - MIDNIGHT) // MINUTE % 11 == 0]
    assert sent_by({"push-silent": rules["push-silent"]}, repeated(slow, (-1, 0)), 0, 24) == []


def test_a_compare_that_ends_in_the_last_run_of_its_night_is_no_silence(
    rules: Mapping[str, AlertRule], systems: Systems, quiet_day: Sequence[LogLine], tmp_path: Path
) -> None:
    """On the day before, it ended in the first one."""
    with virtual_days(systems, MIDNIGHT + 2 * HOUR, tmp_path) as days:
        days.only(COMPARE)
        with failing(systems.partner_center):
            days.run_for(3 * HOUR + 40 * MINUTE)
        days.run_for(HOUR)
        late = days.lines
    compare = FUNCTIONS[COMPARE][0]
    others = [line for line in quiet_day if line.function != compare]
    lines = [*repeated(quiet_day, (-2, -1, 1)), *others, *late]
    assert sent_by({"compare-silent": rules["compare-silent"]}, lines, 0, 24 + 8) == []


@pytest.mark.slow
def test_short_pauses_by_throttling_are_no_silence(
    rules: Mapping[str, AlertRule], systems: Systems, quiet_day: Sequence[LogLine], tmp_path: Path
) -> None:
    """In a busy hour, each push that finds a change meets a pause of a minute, and the next one is skipped."""
    begin = MIDNIGHT + 10 * HOUR
    with virtual_days(systems, begin, tmp_path) as days:
        deal = deal_of(days)
        with throttling(systems.partner_center, 60):
            for number in range(90):
                systems.salesforce.edit("Opportunity", deal, {"Amount": 100 + number})
                days.run_for(MINUTE)
        lines, end = [*surrounded(days, quiet_day, begin - HOUR, begin)], days.now()
    assert sum('"side_still_paused"' in line.message for line in lines) > 30
    for each in INGESTIONS:
        assert notices_of([rules["push-silent"]], Log(lines), each, begin, end) == []
