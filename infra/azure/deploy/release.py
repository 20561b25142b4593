"""Releases a zip: keeps it, installs it, checks its health, and restores the previous version if it is unhealthy.

An app that runs the same files already stays as it is (`infra.azure.deploy.unchanged_code`).
"""

from infra.azure.deploy.failure import DeploymentFailure
from infra.azure.deploy.health_check import NotBuilt, Unhealthy
from infra.azure.deploy.infrastructure import Target
from infra.azure.deploy.install_zip import install_zip
from infra.azure.deploy.restore_previous_version import (
    GO_FORWARD,
    restore_after_unhealthy_release,
)
from infra.azure.deploy.session import Session
from infra.azure.deploy.unchanged_code import find_running_zip, keep_running_zip
from infra.azure.deploy.zip_history import State, ZipHistory, healthy_zips, latest_rows
from infra.azure.deploy.zip_package import ZipPackage


def release_zip(session: Session, target: Target, package: ZipPackage) -> None:
    """Bring a zip to the app. Raises DeploymentFailure, for an unhealthy zip after restoring the previous version."""
    history = ZipHistory(session, target)
    running = find_running_zip(history, package)
    if running and keep_running_zip(session, target, history, running, package):
        return
    name = history.upload_pending(package)
    zips = history.list_zips()
    if package.rows < latest_rows(zips):
        history.set_state(name, State.NOT_BUILT)
        sentence = f"This version cannot read rows that a newer one has written in {session.environment}."
        raise DeploymentFailure(sentence, GO_FORWARD)
    try:
        install_zip(session, target, package)
    except Unhealthy as reason:
        history.set_state(name, State.NOT_BUILT if isinstance(reason, NotBuilt) else State.FAILED)
        raise restore_after_unhealthy_release(session, target, history, healthy_zips(zips), reason) from reason
    history.set_state(name, State.HEALTHY)
    history.delete_old()
