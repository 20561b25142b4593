"""Runs collected tests in this process, without the reports of pytest."""

import pytest
from _pytest.tmpdir import tmppath_result_key


def run_item(item: pytest.Item, following: pytest.Item | None) -> bool:
    """Whether the test passes or is skipped. After a failure, clean_up must be called before the next test."""
    # The reports would note here whether the folder of the test may be removed.
    item.stash[tmppath_result_key] = {}
    try:
        item.ihook.pytest_runtest_setup(item=item)
        item.ihook.pytest_runtest_call(item=item)
        item.ihook.pytest_runtest_teardown(item=item, nextitem=following)
    except pytest.skip.Exception:
        item.ihook.pytest_runtest_teardown(item=item, nextitem=following)
    except BaseException:  # noqa: BLE001 # whatever a test raises, it has failed
        return False
    return True


def warm_up(item: pytest.Item) -> None:
    """Run a test whose outcome does not count, so that what the tests build only once is there for the others."""
    if not run_item(item, None):
        clean_up(item)
    if isinstance(item, pytest.Function):
        item._initrequest()  # else it would run the next time with the fixtures that are closed now


def clean_up(item: pytest.Item) -> None:
    """Take down what a failed test has set up."""
    item.session._setupstate.teardown_exact(None)


def first_failure(items: list[pytest.Item]) -> pytest.Item | None:
    """The first test that fails, None if all pass. After a failure the process must end."""
    pairs = zip(items, [*items[1:], None], strict=True)
    return next((item for item, following in pairs if not run_item(item, following)), None)
