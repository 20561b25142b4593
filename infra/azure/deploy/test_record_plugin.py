"""A pytest plugin that writes the test record (infra/azure/deploy/test_record.py). Only `make test` loads it.

A run of some of the tests, a run that failed, and a run during which files changed write no record and delete the old
one.
"""

from pathlib import Path

import pytest

from infra.azure.deploy.test_record import git_state, update_test_record

ROOT = Path(__file__).resolve().parents[3]
ALL_TESTS = ([str(ROOT / "tests")], ["tests"])
"""The arguments of pytest if no path narrows the run."""
MARKS = ("", "not slow")
"""`make test` leaves the slow tests out; CI runs them."""

_STATE_AT_START = pytest.StashKey[tuple[str, bool]]()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Remember the state of the checkout."""
    if not hasattr(session.config, "workerinput"):
        session.config.stash[_STATE_AT_START] = git_state(ROOT)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Update the record, in the main process only: a worker process sees a part of the tests."""
    if hasattr(session.config, "workerinput"):
        return
    options = session.config.option
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    stats = reporter.stats if reporter else {}
    counts = {name: len(stats.get(name, ())) for name in ("passed", "failed", "skipped", "deselected")}
    counts["failed"] += len(stats.get("error", ()))
    has_selection = options.keyword or options.deselect or (counts["deselected"] and not options.markexpr)
    is_narrowed = has_selection or options.markexpr not in MARKS or session.config.args not in ALL_TESTS
    is_whole = exitstatus == 0 and not is_narrowed
    update_test_record(ROOT, session.config.stash[_STATE_AT_START], counts, is_whole=is_whole)
