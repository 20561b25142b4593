"""Checks an app after the installation of a zip: it lists all functions, and its health endpoint reports the zip."""

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
HTTP_OK = 200


class Unhealthy(Exception):
    """The app does not work with this zip. `str()` is the reason, without a full stop."""


class NotBuilt(Unhealthy):
    """Azure could not build the app from this zip, so it never ran."""


def wait_until_functions_are_listed(session: Session, target: Target, package: ZipPackage) -> None:
    """Wait until the app lists every function of the zip. Raises Unhealthy.

    An app whose code does not load lists no function and reports no error (docs/reference/azure.md#azure-cli).
    """
    deadline, total = session.monotonic() + LISTING_SECONDS, len(package.functions)
    while True:
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
    deadline, key = session.monotonic() + HEALTH_SECONDS, ""
    with open_client() as http:
        while True:
            key = key or _health_key(session, target)
            fault, report = _read_health(http, target.outputs["HEALTH_URL"], key, package.record)
            if report is not None:
                version, mode, mapping = report["version"], report["mode"], report["mapping"]
                session.say(f"The app is healthy: version {version}, mode {mode}, mapping {mapping}.")
                return
            if session.monotonic() >= deadline:
                raise Unhealthy(f"The health check failed: {fault}")
            session.sleep(PAUSE_SECONDS)


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
) -> tuple[str, dict[str, Any] | None]:
    """Return a reason and the report. If the answer counts, the reason is empty; else the report is None.

    The previous version may still answer for a while, so the report must have the values of the zip's record.
    """
    try:
        reply = http.get(url, headers={"x-functions-key": key}, timeout=30.0)
    except httpx.HTTPError as error:
        return f"no answer ({type(error).__name__})", None
    if reply.status_code != HTTP_OK:
        return f"status {reply.status_code}", None
    try:
        report = reply.json()
    except ValueError:
        return "the answer is not JSON", None
    for name in ("version", "environment", "mapping", "commit"):
        if not isinstance(report, dict) or report.get(name) != record[name]:
            return f"the health endpoint reports another {name}", None
    return "", report
