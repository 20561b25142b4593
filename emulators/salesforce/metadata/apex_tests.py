"""The Apex tests of an org, and which of them a deployment runs (docs/reference/salesforce.md#test-level).

The package of this project has no Apex. So a deployment that names no test level runs none, also in production.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulators.salesforce.data.errors import ApiError

LEVELS = ("NoTestRun", "RunSpecifiedTests", "RunLocalTests", "RunAllTestsInOrg", "RunRelevantTests")
LEAST_COVERAGE = 75  # percent
_NOT_IN_PRODUCTION = "testLevel of NoTestRun cannot be used in production organizations"
_COVERAGE = (
    "Average test coverage across all Apex Classes and Triggers is {percent}%, at least 75% test coverage is required."
)


@dataclass(frozen=True, slots=True)
class ApexTests:
    """The number of tests in the org, the names of those that fail, and how much of the org's code they cover."""

    total: int = 0
    failing: tuple[str, ...] = ()
    coverage: int = 100


@dataclass(frozen=True, slots=True)
class ApexTestRun:
    """The tests that one deployment ran; `level` is empty if it ran none."""

    level: str = ""
    tests: ApexTests = ApexTests()

    @property
    def is_good(self) -> bool:
        """Whether the deployment may succeed."""
        return not self.tests.failing and not self.warning

    @property
    def warning(self) -> str:
        """What the service says of code that the tests do not cover."""
        is_low = self.tests.total and self.tests.coverage < LEAST_COVERAGE
        return _COVERAGE.format(percent=self.tests.coverage) if is_low else ""

    def counts(self) -> dict[str, Any]:
        """The part of a `DeployResult` that counts tests."""
        failed = len(self.tests.failing)
        return {
            "runTestsEnabled": bool(self.level), "numberTestsTotal": self.tests.total, "numberTestErrors": failed,
            "numberTestsCompleted": self.tests.total - failed,
        }  # fmt: skip

    def details(self) -> dict[str, Any]:
        """The `RunTestsResult` of a deployment."""
        failures = [
            {
                "name": name.partition(".")[0], "methodName": name.partition(".")[2], "type": "Class", "id": "",
                "message": "System.AssertException: Assertion Failed", "stackTrace": f"Class.{name}", "time": 1.0,
                "packageName": name.partition(".")[0],
            }
            for name in self.tests.failing
        ]  # fmt: skip
        warnings = [{"id": "", "name": "", "message": self.warning}] if self.warning else []
        return {
            "numFailures": len(failures), "numTestsRun": self.tests.total, "totalTime": float(self.tests.total),
            "failures": failures, "codeCoverageWarnings": warnings,
        }  # fmt: skip


def run_tests(tests: ApexTests, options: Mapping[str, Any], *, production: bool) -> ApexTestRun:
    """Run the tests that the options of a deployment ask for. Raises ApiError if the org does not take the options."""
    level = options.get("testLevel") or ""
    if level and level not in LEVELS:
        raise ApiError(400, "INVALID_FIELD", f"'{level}' is not a valid value for the enum 'TestLevel'")
    if level == "NoTestRun" and production:
        raise ApiError(400, "INVALID_OPERATION", _NOT_IN_PRODUCTION)
    if (level == "RunSpecifiedTests") is not bool(options.get("runTests")):
        message = "runTests can be used only with a testLevel of RunSpecifiedTests, which needs it"
        raise ApiError(400, "INVALID_OPERATION", message)
    runs = level in {"RunLocalTests", "RunAllTestsInOrg"}
    return ApexTestRun(level, tests) if runs else ApexTestRun(level if level == "RunSpecifiedTests" else "")
