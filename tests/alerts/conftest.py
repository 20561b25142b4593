"""The rules of the templates, the emulated systems, and the lines of a quiet day, which are written once."""

from collections.abc import Iterator, Sequence

import pytest

from local.systems import Systems, start_systems
from tests.alerts.alert_rule import AlertRule, queries_of, rules_of
from tests.alerts.incident import work_for_an_hour
from tests.alerts.kusto_cases import CASES, REFUSED
from tests.alerts.kusto_trees import Tree, trees_of
from tests.alerts.log_rows import LogLine
from tests.alerts.playing import day_of_few_hours
from tests.alerts.virtual_days import MIDNIGHT, virtual_days
from tests.unit.infra.azure.azure_files import AzureFiles


@pytest.fixture(scope="session")
def trees() -> dict[str, Tree]:
    """The trees of all queries that are run here; the parser is started once. Skips without Node.js."""
    return trees_of(queries_of(AzureFiles()) | {name: case.query for name, case in CASES.items()} | REFUSED)


@pytest.fixture(scope="session")
def rules(trees: dict[str, Tree]) -> dict[str, AlertRule]:
    """The rules of production by name."""
    return rules_of(trees, AzureFiles())


@pytest.fixture(scope="session")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systems]:
    with start_systems(tmp_path_factory.mktemp("systems")) as systems:
        yield systems


@pytest.fixture(scope="session")
def quiet_day(systems: Systems, tmp_path_factory: pytest.TempPathFactory) -> Sequence[LogLine]:
    """The lines of a day without an incident, of which the app plays an hour and a half."""
    with virtual_days(systems, MIDNIGHT, tmp_path_factory.mktemp("quiet")) as days:
        return day_of_few_hours(days, work_for_an_hour)
