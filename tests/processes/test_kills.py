"""Twenty hosts are killed while two of them carry deals both ways, and nothing is lost or doubled."""

import pytest

from local import azurite
from tests.processes.run import run_processes

DEALS, KILLS = 30, 20


@pytest.mark.slow
@pytest.mark.timeout(900)  # on a busy machine each start of a host takes its time
@pytest.mark.parametrize("on_azurite", [False, pytest.param(True, marks=pytest.mark.node)])
def test_nothing_is_lost_or_doubled_though_twenty_hosts_are_killed(*, on_azurite: bool) -> None:
    if on_azurite and (reason := azurite.unavailable_reason()):
        pytest.skip(f"NOT RUN: {reason}")
    report = run_processes(DEALS, KILLS, on_azurite=on_azurite)

    assert report.findings == [], report.describe()
    assert report.kills.total() >= KILLS
    assert report.deals == 2 * DEALS
