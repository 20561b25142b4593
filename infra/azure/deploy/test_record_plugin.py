"""The pytest plugin that leaves the record of `infra.azure.deploy.test_record`; only `make test` loads it.

A run of part of the tests, a failure, or a tree that changed meanwhile leaves none, and takes an earlier one away.
"""

from pathlib import Path

import pytest

from infra.azure.deploy.test_record import settle, state_of

ROOT = Path(__file__).resolve().parents[3]
WHOLE = ([str(ROOT / "tests")], ["tests"])
"""What pytest is given where no path narrows it."""
MARKS = ("", "not slow")
"""The long runs are for CI; `make test` leaves them out."""

_BEFORE = pytest.StashKey[tuple[str, bool]]()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Remember what is tested."""
    if not hasattr(session.config, "workerinput"):
        session.config.stash[_BEFORE] = state_of(ROOT)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Leave the record in the process that reports, not in its workers."""
    if hasattr(session.config, "workerinput"):
        return
    options = session.config.option
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    stats = reporter.stats if reporter else {}
    counts = {name: len(stats.get(name, ())) for name in ("passed", "failed", "skipped", "deselected")}
    counts["failed"] += len(stats.get("error", ()))
    chosen = options.keyword or options.deselect or (counts["deselected"] and not options.markexpr)
    narrowed = chosen or options.markexpr not in MARKS or session.config.args not in WHOLE
    is_whole = exitstatus == 0 and not narrowed
    settle(ROOT, session.config.stash[_BEFORE], counts, is_whole=is_whole)
