"""Describe a deployment as the service reports it, by REST and by SOAP (docs/reference/salesforce.md#rest-deployment).

The emulator does the work when the zip arrives. A client sees Pending, then InProgress, then the end: each request for
the state moves it one step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emulators.salesforce.data.schema import Record
from emulators.salesforce.metadata.apex_tests import ApexTestRun
from emulators.salesforce.metadata.package import Component, Problem

POLLS_UNTIL_DONE = 2


@dataclass(slots=True)
class Job:
    """One deployment; `polls` counts how often a client asked for its state."""

    id: str
    user: Record
    begun: str
    options: dict[str, Any]
    components: Sequence[Component]
    problems: Sequence[Problem]
    tests: ApexTestRun
    package_error: str = ""  # set if the whole zip was refused
    new: frozenset[tuple[str, str]] = frozenset()  # type and full name of what did not exist before
    polls: int = 0


def deploy_result(job: Job, *, with_details: bool) -> dict[str, Any]:
    """The present state of a deployment, a `DeployResult` of the Metadata API."""
    failures = [problem for problem in job.problems if not problem.warning]
    done, total = job.polls >= POLLS_UNTIL_DONE, len(job.components)
    success = done and not failures and not job.package_error and job.tests.is_good
    result = {
        "id": job.id, "checkOnly": job.options.get("checkOnly", False), "done": done,
        "status": ("Succeeded" if success else "Failed") if done else ("InProgress" if job.polls else "Pending"),
        "success": success, "createdBy": job.user["Id"][:15], "createdByName": job.user["Name"],
        "createdDate": job.begun, "startDate": job.begun, "lastModifiedDate": job.begun, "ignoreWarnings": False,
        "numberComponentErrors": len(failures) if done else 0, "numberComponentsTotal": total if job.polls else 0,
        "numberComponentsDeployed": (total if success else 0) if done else job.polls * total // 2,
        **(job.tests if done else ApexTestRun(job.tests.level)).counts(),
        "rollbackOnError": job.options.get("rollbackOnError", True),
    }  # fmt: skip
    if done:
        result["completedDate"] = job.begun
    if done and job.package_error:
        result |= {"errorMessage": job.package_error, "errorStatusCode": "UNKNOWN_EXCEPTION"}
    if with_details:
        result["details"] = _details(job) if done else {"componentSuccesses": [], "componentFailures": []}
    return result


def _details(job: Job) -> dict[str, Any]:
    failed = {(problem.type, problem.full_name) for problem in job.problems if not problem.warning}
    deployed = [each for each in job.components if (each.type, each.full_name) not in failed]
    manifest = {
        "componentType": "", "fullName": "package.xml", "fileName": "package.xml", "success": True, "created": False,
        "changed": True, "deleted": False, "createdDate": job.begun,
    }  # fmt: skip
    return {
        "componentSuccesses": [manifest, *(_component_success(job, component) for component in deployed)],
        "componentFailures": [_component_failure(job, problem) for problem in job.problems],
        "runTestResult": job.tests.details(),
    }


def _component_success(job: Job, component: Component) -> dict[str, Any]:
    created = (component.type, component.full_name) in job.new
    return {
        "componentType": component.type, "fullName": component.full_name, "fileName": component.file, "success": True,
        "created": created, "changed": not created, "deleted": False, "createdDate": job.begun,
    }  # fmt: skip


def _component_failure(job: Job, problem: Problem) -> dict[str, Any]:
    return {
        "componentType": problem.type, "fullName": problem.full_name, "fileName": problem.file, "success": False,
        "created": False, "changed": False, "deleted": False, "createdDate": job.begun, "problem": problem.text,
        "problemType": "Warning" if problem.warning else "Error", "lineNumber": problem.line, "columnNumber": 1,
    }  # fmt: skip
