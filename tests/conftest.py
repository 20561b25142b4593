"""Defines the Hypothesis profiles: `dev` by default, `ci` in .ci/run, `deterministic` for repeatable runs.

With NODE_REQUIRED set, as in .ci/run, a test that needs Node.js and is skipped counts as failed.
"""

import gc
import os
from collections.abc import Generator, Iterator
from functools import cache
from inspect import isfunction
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import HealthCheck, settings

# Neither a deadline nor the check for slow generators: on a busy machine both would fail without a fault.
BASE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", BASE, max_examples=25)
settings.register_profile("ci", BASE, max_examples=1000)
settings.register_profile("deterministic", BASE, max_examples=25, derandomize=True, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@pytest.fixture(scope="session", autouse=True)
def keys_are_loaded_once() -> Iterator[None]:
    """Load each private key once for all signatures: OpenSSL checks its primes each time, for 30 ms or more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jwt.algorithms.load_pem_private_key", cache(load_pem_private_key))
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test that needs Node.js into a failure, if NODE_REQUIRED is set."""
    report = yield
    is_required = item.get_closest_marker("node") is not None and os.environ.get("NODE_REQUIRED")
    if report.skipped and is_required and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"NODE_REQUIRED is set, so this test must not be skipped ({reason})"
    if report.passed:
        report.keywords = {}  # most of what a worker process sends of a test, and nobody reads it
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Module | pytest.Class, obj: object) -> list[pytest.Item] | None:
    """Make no items of slow functions where `make test` leaves them out: pytest makes all of them, and drops them."""
    is_left_out = collector.config.option.markexpr == "not slow" and isfunction(obj) and _is_slow(collector, obj)
    return [] if is_left_out else None


def _is_slow(collector: pytest.Module | pytest.Class, obj: object) -> bool:
    marks = [mark for each in (obj, collector.obj) for mark in _as_list(getattr(each, "pytestmark", []))]
    return any(mark.name == "slow" for mark in marks)


def _as_list(marks: object) -> list[Any]:
    return marks if isinstance(marks, list) else [marks]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage while the tests are collected: nearly all of the objects stay, and each scan costs more."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Keep the collected tests out of garbage collections: thousands of them would be scanned again and again."""
    gc.freeze()
