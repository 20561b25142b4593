"""A deal takes the shortest honest route through the code: the figures of `make route` stay within their limits."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.measure_route import LIMITS, Trace, engine_arrows, first_arrows, package_of

ROOT = Path(__file__).parents[2]


@pytest.mark.slow  # `make route` in a process of its own
def test_the_route_of_a_deal_stays_within_its_limits() -> None:
    """In a process of its own, because the app of a process reads its settings once."""
    command = [sys.executable, "-m", "local.measure_route"]
    measured = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
    assert measured.returncode == 0, measured.stdout + measured.stderr
    assert all(name in measured.stdout for name in LIMITS)


def test_the_modules_of_the_engine_import_each_other_rarely() -> None:
    arrows = first_arrows()
    assert ("shared.sync.runs", "shared.sync.reconcile") in arrows
    assert len(arrows) <= LIMITS["arrows"]
    assert len(arrows) < len(engine_arrows()) <= LIMITS["arrows of all"]


def test_a_return_is_a_call_into_a_package_that_was_left() -> None:
    trace = Trace(packages=["shared.sync", "shared.store", "shared.sync", "shared.domain", "shared.store"])
    assert trace.returns == 2
    assert package_of(__file__) is None
