"""The rules of the templates, the emulated systems, and the lines of a quiet day, which are written once."""

from collections.abc import Iterator, Sequence

import pytest

from local.systems import Systems, start_systems
from tests.alerts.alert_rule import AlertRule, rules_of
from tests.alerts.incidents import work_for_an_hour
from tests.alerts.log_rows import LogLine
from tests.alerts.virtual_days import HOUR, MIDNIGHT, virtual_days
from tests.unit.infra.azure.azure_files import AzureFiles


@pytest.fixture(scope="session")
def rules() -> dict[str, AlertRule]:
    """The rules of production by name."""
    return rules_of(AzureFiles())


@pytest.fixture(scope="session")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systems]:
    with start_systems(tmp_path_factory.mktemp("systems")) as systems:
        yield systems


@pytest.fixture(scope="session")
def quiet_day(systems: Systems, tmp_path_factory: pytest.TempPathFactory) -> Sequence[LogLine]:
    """The lines of a day without an incident.

    From 2 to 8 they are the app's; its daily timers run in these hours. The hour before 8 stands for each other hour.
    """
    with virtual_days(systems, MIDNIGHT + 2 * HOUR, tmp_path_factory.mktemp("quiet")) as days:
        days.run_for(5 * HOUR)
        work_for_an_hour(days)
        days.run_until(MIDNIGHT + 8 * HOUR)
        last = [line for line in days.lines if line.at >= MIDNIGHT + 7 * HOUR]
        others = [line._replace(at=line.at + n * HOUR) for line in last for n in (*range(-7, -5), *range(1, 17))]
        return [*days.lines, *others]
