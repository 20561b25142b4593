"""Finds out whether the app runs the files of a zip already, so that a release changes and restarts nothing.

The zips of two commits differ in their record even where code and mapping file are the same. So the files are compared,
and the record is renewed beside the zip that runs.
"""

from dataclasses import dataclass

from infra.azure.deploy.failure import DeploymentFailure
from infra.azure.deploy.health_check import Unhealthy, wait_until_functions_are_listed, wait_until_healthy
from infra.azure.deploy.infrastructure import Target
from infra.azure.deploy.install_zip import sync_triggers
from infra.azure.deploy.session import Session
from infra.azure.deploy.zip_history import KeptZip, State, ZipHistory, latest_rows
from infra.azure.deploy.zip_package import ZipPackage

NEVER_LEFT_RUNNING = frozenset({State.NOT_BUILT, State.WITHDRAWN})
"""A newer zip in one of these states does not run: it was never built, or a rollback has replaced it."""


@dataclass(frozen=True, slots=True)
class RunningZip:
    """A zip of the history with the files that are to be released, and its name there."""

    kept: KeptZip
    package: ZipPackage


def find_running_zip(history: ZipHistory, package: ZipPackage) -> RunningZip | None:
    """Return the zip that the app was left with, if it has the files of `package`. Raises DeploymentFailure.

    After a zip that failed, or was never checked, nobody knows what runs: then None.
    """
    zips = history.list_zips()
    newest = next((kept for kept in zips if kept.state not in NEVER_LEFT_RUNNING), None)
    if newest is None or newest.state != State.HEALTHY or package.rows < latest_rows(zips):
        return None
    try:
        running = history.download(newest)
    except DeploymentFailure:  # a damaged or changed zip is no reason to stop: the new one replaces it
        return None
    return RunningZip(newest, running) if running.released_files == package.released_files else None


def keep_running_zip(
    session: Session, target: Target, history: ZipHistory, running: RunningZip, package: ZipPackage
) -> bool:
    """Check the app, renew the record beside its zip, and return True; False if the app is not healthy with it.

    The deployment may have changed settings, so the triggers are loaded again, which restarts nothing.
    """
    session.say("The app runs exactly this code and mapping file already: no zip is uploaded, and nothing restarts.")
    sync_triggers(session, target)
    try:
        wait_until_functions_are_listed(session, target, running.package)
        wait_until_healthy(session, target, running.package)
    except Unhealthy as reason:
        session.say(f"{reason}. The zip is installed again.")
        return False
    _renew_record(session, history, running, package)
    return True


def _renew_record(session: Session, history: ZipHistory, running: RunningZip, package: ZipPackage) -> None:
    """A tested commit takes the place of the former one. Without a new test record, the former record stays."""
    if package.untested_reason is None:
        history.renew(running.kept, package)
        session.say(f"Its record now names the commit {package.commit[:12]}.")
    else:
        session.say(
            f"Its record still names the commit {running.kept.with_renewed_record(running.package).commit[:12]}."
        )
