"""Checks an app after the installation of a zip: it lists all functions, and its health endpoint reports the zip.

An app that cannot start answers 503 with the errors (functions/minimal_app.py). So health is read before each wait.
"""

from collections.abc import Mapping
from typing import Any

import httpx

from infra.azure.deploy.az import AzError
from infra.azure.deploy.failure import explain_az_error
from infra.azure.deploy.infrastructure import Target
from infra.azure.deploy.session import Session
from infra.azure.deploy.zip_package import ZipPackage
from shared.cli.exit_codes import Exit
from shared.transport.client import open_client

LISTING_SECONDS, HEALTH_SECONDS, PAUSE_SECONDS = 300.0, 180.0, 10.0
HEALTH_FUNCTION = "report_health"
HTTP_OK, NOT_STARTED = 200, 503
START_FAULT_READS = 3
"""So often an app must report its fault before it counts: an instance with the former settings may still answer."""


class Unhealthy(Exception):
    """The app does not work with this zip. `str()` is the reason, without a full stop."""


class NotBuilt(Unhealthy):
    """Azure could not build the app from this zip, so it never ran."""


def wait_until_functions_are_listed(session: Session, target: Target, package: ZipPackage) -> None:
    """Wait until the app lists every function of the zip. Raises Unhealthy.

    An app whose code does not load lists no function and reports no error (docs/reference/azure.md#azure-cli).
    """
    deadline, total = session.monotonic() + LISTING_SECONDS, len(package.functions)
    health = HealthEndpoint(session, target, package)
    while True:
        health.read()
        functions = _run_az_during_restart(session, "functionapp", "function", "list", *target.app_options) or []
        missing = sorted(package.functions - {function["name"].rpartition("/")[2] for function in functions})
        if not missing:
            session.say(f"The app lists all {total} functions.")
            return
        if session.monotonic() >= deadline:
            raise Unhealthy(
                f"The app lists {total - len(missing)} of {total} functions after {LISTING_SECONDS:.0f} s "
                f"(missing: {', '.join(missing)})"
            )
        session.sleep(PAUSE_SECONDS)


def wait_until_healthy(session: Session, target: Target, package: ZipPackage) -> None:
    """Wait until the health endpoint reports this zip. Raises Unhealthy."""
    deadline, health = session.monotonic() + HEALTH_SECONDS, HealthEndpoint(session, target, package)
    while True:
        fault, report = health.read()
        if report is not None:
            version, mode, mapping = report["version"], report["mode"], report["mapping"]
            session.say(f"The app is healthy: version {version}, mode {mode}, mapping {mapping}.")
            return
        if session.monotonic() >= deadline:
            raise Unhealthy(f"The health check failed: {fault}")
        session.sleep(PAUSE_SECONDS)


class HealthEndpoint:
    """The health endpoint of an app that has just got a zip."""

    def __init__(self, session: Session, target: Target, package: ZipPackage) -> None:
        """Calls nothing yet."""
        self._session, self._target, self._package = session, target, package
        self._key = ""
        self._start_faults = 0

    def read(self) -> tuple[str, dict[str, Any] | None]:
        """Return a reason and the report. If the answer counts, the reason is empty; else the report is None.

        Raises Unhealthy with the errors, as soon as the app has reported again and again that it cannot start.
        """
        self._key = self._key or _health_key(self._session, self._target)
        if not self._key:
            return "Azure has no key of the health endpoint", None
        with open_client() as http:
            fault, report, errors = _read_health(
                http, self._target.outputs["HEALTH_URL"], self._key, self._package.record
            )
        self._start_faults = self._start_faults + 1 if errors else 0
        if self._start_faults >= START_FAULT_READS:
            raise Unhealthy(f"The app cannot start: {'; '.join(errors).rstrip('.')}")
        return fault, report


def _health_key(session: Session, target: Target) -> str:
    """The key of the health endpoint, or an empty text while Azure has none. It is secret: never print it."""
    words = ("functionapp", "function", "keys", "list", *target.app_options, "--function-name", HEALTH_FUNCTION)
    keys = _run_az_during_restart(session, *words) or {}
    return str(keys.get("default") or next(iter(keys.values()), ""))


def _run_az_during_restart(session: Session, *words: str) -> Any:  # noqa: ANN401 - any JSON that the command prints
    """The JSON of a command, or None after an error: an app that restarts answers some requests with errors.

    Raises DeploymentFailure if the login has expired.
    """
    try:
        return session.az.run_json(*words)
    except AzError as error:
        failure = explain_az_error(error)
        if failure.code is Exit.SIGN_IN:
            raise failure from error
        return None


def _read_health(
    http: httpx.Client, url: str, key: str, record: Mapping[str, Any]
) -> tuple[str, dict[str, Any] | None, list[str]]:
    """Return a reason, the report, and the errors of a start that failed. Only if the answer counts is it a report.

    The previous version may still answer for a while, so the report must have the values of the zip's record.
    """
    try:
        reply = http.get(url, headers={"x-functions-key": key}, timeout=30.0)
    except httpx.HTTPError as error:
        return f"no answer ({type(error).__name__})", None, []
    if reply.status_code != HTTP_OK:
        return f"status {reply.status_code}", None, _start_errors(reply, record)
    try:
        report = reply.json()
    except ValueError:
        return "the answer is not JSON", None, []
    for name in ("version", "environment", "mapping", "commit"):
        if not isinstance(report, dict) or report.get(name) != record[name]:
            return f"the health endpoint reports another {name}", None, []
    return "", report, []


def _start_errors(reply: httpx.Response, record: Mapping[str, Any]) -> list[str]:
    """Return the errors that this zip reports about its start; an empty list for any other answer."""
    try:
        report = reply.json()
    except ValueError:
        return []
    is_ours = isinstance(report, dict) and report.get("commit") == record["commit"]
    errors = report.get("errors") if is_ours and reply.status_code == NOT_STARTED else None
    return [str(error) for error in errors] if isinstance(errors, list) else []
