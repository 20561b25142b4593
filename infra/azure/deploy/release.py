"""A zip comes to the app: put, indexed, healthy; or the one before is put back."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from infra.azure.deploy.az import AzFailed
from infra.azure.deploy.failure import Stopped, explained
from infra.azure.deploy.infrastructure import Target
from infra.azure.deploy.session import Session
from infra.azure.deploy.zip_history import History, Kept, State
from infra.azure.deploy.zip_package import Package
from shared.cli.exit_codes import Exit
from shared.transport.client import open_client

API = "2024-04-01"
INDEX_SECONDS, HEALTH_SECONDS, PAUSE = 300.0, 180.0, 10.0
HEALTH = "report_health"
OK = 200
NOT_THE_ZIP = (Exit.RETRY, Exit.SIGN_IN)
"""What the zip has no part in: nothing to put back, run again."""


class Unhealthy(Exception):
    """The new zip does not do its work; `str()` says what was seen."""


def release(session: Session, target: Target, package: Package) -> dict[str, Any]:
    """Bring a zip to the app; what the health endpoint answers. Raises Stopped after putting the one before back."""
    history = History(session, target)
    name = history.keep(package)
    before = history.healthy()
    try:
        answer = put(session, target, package)
    except Unhealthy as seen:
        history.mark(name, State.FAILED)
        raise _put_back(session, target, history, before, seen) from seen
    history.mark(name, State.HEALTHY)
    history.prune()
    return answer


def _put_back(session: Session, target: Target, history: History, before: list[Kept], seen: Unhealthy) -> Stopped:
    if not before:
        return Stopped(f"{seen}, and there is no earlier zip to put back.", "Mend it and run again.", Exit.PROBLEM)
    session.say(f"{seen}: putting {before[0].name} back")
    try:
        put(session, target, history.read(before[0]))
    except (Unhealthy, Stopped) as also:
        sentence = f"{seen}; {before[0].name} was put back, and that did not help: {also}."
        return Stopped(sentence, "Look at the app's log (docs/runbook.md) and run again.", Exit.PROBLEM)
    sentence = f"{seen}; the zip before, {before[0].name}, was put back and is healthy."
    return Stopped(sentence, "Mend what was seen and run again.", Exit.PROBLEM)


def put(session: Session, target: Target, package: Package) -> dict[str, Any]:
    """Put a zip into the app and wait until it works; what health answers. Raises Unhealthy, and Stopped if refused."""
    with tempfile.TemporaryDirectory(prefix="cosell-") as folder:
        path = Path(folder) / "app.zip"
        path.write_bytes(package.data)
        session.say(f"putting the zip into the app ({len(package.data) // 1024} KB; it is built there)")
        try:
            session.az.run("functionapp", "deployment", "source", "config-zip", *target.app, "--src", str(path))
        except AzFailed as failed:
            stop = explained(failed.command, failed.text)
            if stop.code in NOT_THE_ZIP or "AuthorizationFailed" in failed.text:
                raise stop from failed
            raise Unhealthy(f"The app could not be built: {stop.sentence.rstrip('.')}") from failed
    _tell_the_host(session, target)
    _wait_until_indexed(session, target, package)
    return _healthy(session, target, package)


def _tell_the_host(session: Session, target: Target) -> None:
    """Without it timers may stay silent after a deployment (reference/azure.md section 6.3)."""
    said = target.outputs
    site = (
        f"/subscriptions/{target.subscription}/resourceGroups/{said['AZURE_RESOURCE_GROUP']}"
        f"/providers/Microsoft.Web/sites/{said['FUNCTION_APP_NAME']}"
    )
    try:
        session.az.run("rest", "--method", "post", "--url", f"{site}/syncfunctiontriggers?api-version={API}")
    except AzFailed as failed:
        session.say(
            f"the host did not take the call to look for its triggers: {explained(failed.command, failed.text)}"
        )


def _wait_until_indexed(session: Session, target: Target, package: Package) -> None:
    """An app whose code does not load shows an empty list, and nothing else."""
    until = session.monotonic() + INDEX_SECONDS
    while True:
        rows = _asked_of_azure(session, "functionapp", "function", "list", *target.app) or []
        lacking = sorted(package.functions - {row["name"].rpartition("/")[2] for row in rows})
        if not lacking:
            session.say(f"all {len(package.functions)} functions are indexed")
            return
        if session.monotonic() >= until:
            has = len(package.functions) - len(lacking)
            raise Unhealthy(
                f"The app has {has} of {len(package.functions)} functions after {INDEX_SECONDS:.0f} s "
                f"(missing: {', '.join(lacking)})"
            )
        session.sleep(PAUSE)


def _healthy(session: Session, target: Target, package: Package) -> dict[str, Any]:
    until, key = session.monotonic() + HEALTH_SECONDS, ""
    with open_client() as http:
        while True:
            key = key or _key(session, target)
            said, answer = _asked(http, target.outputs["HEALTH_URL"], key, package.record)
            if answer is not None:
                session.say(f"health: version {answer['version']}, mode {answer['mode']}, mapping {answer['mapping']}")
                return answer
            if session.monotonic() >= until:
                raise Unhealthy(f"The health check failed: {said}")
            session.sleep(PAUSE)


def _key(session: Session, target: Target) -> str:
    """The key of the health endpoint, which is told to nobody; empty while Azure has none."""
    words = ("functionapp", "function", "keys", "list", *target.app, "--function-name", HEALTH)
    keys = _asked_of_azure(session, *words) or {}
    return str(keys.get("default") or next(iter(keys.values()), ""))


def _asked_of_azure(session: Session, *words: str) -> Any:  # noqa: ANN401 - whatever the command's JSON is
    """An answer, or None: right after a deployment an app that starts anew answers some questions with errors."""
    try:
        return session.az.run(*words)
    except AzFailed as failed:
        stop = explained(failed.command, failed.text)
        if stop.code is Exit.SIGN_IN:
            raise stop from failed
        return None


def _asked(http: httpx.Client, url: str, key: str, record: Mapping[str, Any]) -> tuple[str, dict[str, Any] | None]:
    """What was seen, and the answer if it is the new zip's: the zip before may still answer for a while."""
    try:
        reply = http.get(url, headers={"x-functions-key": key}, timeout=30.0)
    except httpx.HTTPError as error:
        return f"no answer ({type(error).__name__})", None
    if reply.status_code != OK:
        return f"status {reply.status_code}", None
    try:
        answer = reply.json()
    except ValueError:
        return "an answer that is no JSON", None
    for name in ("version", "environment", "mapping", "commit"):
        if not isinstance(answer, dict) or answer.get(name) != record[name]:
            return f"it answers for another {name}", None
    return "", answer
