"""Installs a zip in the function app, and checks that the app is healthy with it."""

import tempfile
from pathlib import Path

from infra.azure.deploy.az import AzError
from infra.azure.deploy.failure import explain_az_error
from infra.azure.deploy.health_check import NotBuilt, Unhealthy, wait_until_functions_are_listed, wait_until_healthy
from infra.azure.deploy.infrastructure import Target
from infra.azure.deploy.session import Session
from infra.azure.deploy.zip_package import ZipPackage
from shared.cli.exit_codes import Exit

SITES_API = "2024-04-01"
NOT_CAUSED_BY_THE_ZIP = (Exit.RETRY, Exit.SIGN_IN)
"""After a failure with one of these codes the previous version is not restored: the person runs again."""


def install_zip(session: Session, target: Target, package: ZipPackage) -> None:
    """Install a zip and wait until the app is healthy.

    Raises Unhealthy if the zip does not work, and DeploymentFailure if the reason is not the zip.
    """
    with tempfile.TemporaryDirectory(prefix="cosell-") as folder:
        path = Path(folder) / "app.zip"
        path.write_bytes(package.data)
        session.say(f"Installing the zip in the app ({len(package.data) // 1024} KB). Azure builds the app from it.")
        words = ("functionapp", "deployment", "source", "config-zip", *target.app_options, "--src", str(path))
        try:
            session.az.run_json(*words)
        except AzError as error:
            failure = explain_az_error(error)
            if failure.code in NOT_CAUSED_BY_THE_ZIP or "AuthorizationFailed" in error.text:
                raise failure from error
            # After a timeout, Azure may go on and build the app later.
            kind = Unhealthy if "timeout" in error.text.casefold() else NotBuilt
            raise kind(f"The app could not be built: {failure.sentence.rstrip('.')}") from error
    sync_triggers(session, target)
    wait_until_functions_are_listed(session, target, package)
    wait_until_healthy(session, target, package)


def sync_triggers(session: Session, target: Target) -> None:
    """Let Azure read the triggers again: without it timers may not run (docs/reference/azure.md#timers)."""
    outputs = target.outputs
    site = (
        f"/subscriptions/{target.subscription}/resourceGroups/{outputs['AZURE_RESOURCE_GROUP']}"
        f"/providers/Microsoft.Web/sites/{outputs['FUNCTION_APP_NAME']}"
    )
    try:
        session.az.run_json("rest", "--method", "post", "--url", f"{site}/syncfunctiontriggers?api-version={SITES_API}")
    except AzError as error:
        session.say(f"Warning: Azure did not reload the triggers, so timers may not run. {explain_az_error(error)}")
