"""Schedules are read as Azure's timer classes read them. What a person would not expect is refused, with the times."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.foundation.errors import ConfigurationError
from shared.settings.schedules import NEVER, parse_schedule, schedule_fault
from shared.settings.variables import TriggerSettings, trigger_settings

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)  # a Sunday


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("0 * * * * *", "2026-11-22T12:01:00"),
        ("* * * * *", "2026-11-22T12:01:00"),
        ("  0  */15 * * *  *  ", "2026-11-22T12:15:00"),
        ("*/20 * * * * *", "2026-11-22T12:00:20"),
        ("0 */15 * * * *", "2026-11-22T12:15:00"),
        ("0 5/25 * * * *", "2026-11-22T12:05:00"),
        ("30 0 3 * * *", "2026-11-23T03:00:30"),
        ("0 0 9-17/4 * * MON-FRI", "2026-11-23T09:00:00"),
        ("0 0 9 * * Monday", "2026-11-23T09:00:00"),
        ("0 0 9 * * w", "2026-11-25T09:00:00"),
        ("0 0 9 * * thurs", "2026-11-26T09:00:00"),
        ("0 0 0 1 jan *", "2027-01-01T00:00:00"),
        ("0 0 0 1 SEPTEMBER *", "2027-09-01T00:00:00"),
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
        ("0 0 0 13 * 5", "2027-08-13T00:00:00"),
        ("0 0,30 12 * * *", "2026-11-22T12:30:00"),
        ("0 */60 * * * *", "2026-11-22T13:00:00"),
    ],
)
def test_the_next_run_of_a_schedule(schedule: str, expected: str) -> None:
    assert parse_schedule(schedule).next_after(NOON) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_the_next_run_after_a_fraction_of_a_second_is_the_next_second() -> None:
    schedule = parse_schedule("* * * * * *")

    assert schedule.next_after(NOON + timedelta(microseconds=1)) == NOON + timedelta(seconds=1)


def test_the_next_run_is_in_utc_for_a_time_in_any_zone() -> None:
    taipei = NOON.astimezone(timezone(timedelta(hours=8)))

    assert parse_schedule("0 30 * * * *").next_after(taipei) == NOON + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("schedule", "complaint"),
    [
        ("* * *", "needs six fields"),
        ("0 0 0 * * * *", "needs six fields"),
        ("0\t*\t*\t*\t*\t*", "needs six fields"),
        ("@daily", "needs six fields"),
        ("5", "needs six fields"),
        ("60 * * * * *", "field second, a value is not between 0 and 59"),
        ("0 0 0 * * 7", "field day of week, a value is not between 0 and 6"),
        ("0 0 0 0 * *", "field day, a value is not between 1 and 31"),
        ("0 0 0 0-5 * *", "field day, a value is not between 1 and 31"),
        ("0 x * * * *", "field minute, a part is not a value"),
        ("0 0 0 ? * *", "field day, a part is not a value"),
        ("0 0 0 L * *", "field day, a part is not a value"),
        ("0 0,,5 * * * *", "field minute, a part is not a value"),
        ("0 0, * * * *", "field minute, a part is not a value"),
        ("0 5- * * * *", "field minute, a part is not a value"),
        ("0 */ * * * *", "field minute, a part is not a value"),
        ("0 1-2-3 * * * *", "field minute, a part is not a value"),
        ("0 0 0 * * Mondays", "field day of week, a part is not a value"),
        ("0 \u0665 * * * *", "field minute, a part is not a value"),
        ("0 99999999999 * * * *", "field minute, a part is not a value"),
        ("00:05:00", "does not run on Flex Consumption"),
        ("1.00:00:00", "does not run on Flex Consumption"),
    ],
)
def test_what_azure_refuses_is_refused_and_the_field_is_named(schedule: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_schedule(schedule)


# --- what Azure takes, and runs at other times than the text suggests

SURPRISES = (
    ("0 0 9 * * FRI-MON", (1, 2, 3, 4, 5), "FRI-MON round and runs Monday to Friday; write FRI-SAT,SUN-MON"),
    ("0 0 9 * * SAT-SUN", (0, 1, 2, 3, 4, 5, 6), "SAT-SUN round and runs every day; write SAT,SUN"),
    ("0 0 9 * * 6-0", (0, 1, 2, 3, 4, 5, 6), "runs every day; write SAT,SUN"),
    ("0 0 9 * * MON-SUN", (0, 1), "MON-SUN round and runs Sunday to Monday; write MON-SAT,SUN"),
    ("0 0 22-2 * * *", tuple(range(2, 23)), "22-2 round and runs 2 to 22; write 22-23,0-2"),
    ("0 0 9 * DEC-FEB *", tuple(range(2, 13)), "DEC-FEB round and runs February to December; write DEC,JAN-FEB"),
    ("0 */90 * * * *", (0,), "the step 90 is longer than the field: Azure runs at minute 0 of every hour"),
    ("0 5/61 * * * *", (5,), "the step 61 is longer than the field: Azure runs at minute 5 of every hour"),
    ("0 0 */48 * * *", (0,), "the step 48 is longer than the field: Azure runs in hour 0 of every day"),
    ("0 0 0 * * */14", (0,), "the step 14 is longer than the field: Azure runs on Sunday of every week"),
    ("0 */0 * * * *", tuple(range(60)), "in the field minute, Azure takes a step below 1 as 1"),
    ("0 */-5 * * * *", tuple(range(60)), "in the field minute, Azure takes a step below 1 as 1"),
    ("0 0 9 * * T", (2,), "Azure reads T as Tuesday, not as Thursday"),
    ("0 0 9 1 JU *", (6,), "Azure reads JU as June, not as July"),
)


@pytest.mark.parametrize(("schedule", "values", "says"), SURPRISES, ids=[text for text, *_ in SURPRISES])
def test_a_schedule_that_azure_reads_in_another_way_is_refused_with_the_times(
    schedule: str, values: tuple[int, ...], says: str
) -> None:
    parsed = parse_schedule(schedule)

    assert values in parsed.fields, "the local host runs at the times of Azure"
    assert any(says in line for line in parsed.surprises), parsed.surprises
    assert "would run at other times than it says: " in schedule_fault(schedule)


@pytest.mark.parametrize("schedule", ["0 0 0 31 2 *", "0 0 0 30 FEB *", "0 0 0 31 4,6 *"])
def test_a_date_that_never_comes_is_refused_and_never_runs(schedule: str) -> None:
    assert parse_schedule(schedule).next_after(NOON) == NEVER
    assert parse_schedule(schedule).next_after(NEVER) == NEVER
    assert "Azure never runs it" in schedule_fault(schedule)


@pytest.mark.parametrize("schedule", ["0 0 0 29 2 1", "0 0 0 31 * *", "0 */7 * * * *", "0 0 9-17/4 * * MON-FRI"])
def test_a_schedule_that_says_when_it_runs_is_taken(schedule: str) -> None:
    assert schedule_fault(schedule) == ""


def test_a_day_together_with_a_weekday_is_taken_and_told() -> None:
    assert "only on days that match both" in parse_schedule("0 0 0 13 * FRI").note
    assert schedule_fault("0 0 0 13 * FRI") == ""
    assert parse_schedule("0 0 0 13 * *").note == parse_schedule("0 0 0 * * FRI").note == ""


@pytest.mark.parametrize(
    ("schedule", "note"),
    [
        ("0 */45 * * * *", "in the field minute, the step 45 begins anew at 0: after 45 comes 0"),
        ("0 0 */5 * * *", "in the field hour, the step 5 begins anew at 0: after 20 comes 0"),
        ("0 */15 * * * *", ""),
        ("0 0 0 */2 * *", ""),
    ],
)
def test_a_step_that_does_not_fill_its_field_is_taken_and_told(schedule: str, note: str) -> None:
    assert (schedule_fault(schedule), parse_schedule(schedule).note) == ("", note)


# --- the settings

VARIABLES = ("PUSH_SCHEDULE", "SWEEP_SCHEDULE", "CREDENTIALS_SCHEDULE", "COMPARE_SCHEDULE", "BACKUP_SCHEDULE")


@pytest.fixture
def _triggers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTS_QUEUE", "referral-events")
    for variable in VARIABLES:
        monkeypatch.setenv(variable, "0 * * * * *")


@pytest.mark.usefixtures("_triggers")
@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("schedule", ["0 61 * * * *", "0 0 9 * * SAT-SUN", "0 0 0 31 2 *", "1 2 3 4 5 hunter2"])
def test_the_setting_is_refused_by_name_and_its_value_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, variable: str, schedule: str
) -> None:
    monkeypatch.setenv(variable, schedule)
    with pytest.raises(ConfigurationError) as caught:
        trigger_settings()
    assert str(caught.value).startswith(f"{variable}: is ")
    assert f"(example: {variable}=" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.usefixtures("_triggers")
def test_five_fields_and_names_in_full_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUSH_SCHEDULE", "*/5 * * * Monday-Friday")
    assert isinstance(trigger_settings(), TriggerSettings)
