"""Puts the previous version back: after an unhealthy release, and for `make rollback`."""

from infra.azure.deploy.failure import DeploymentFailure
from infra.azure.deploy.health_check import Unhealthy
from infra.azure.deploy.infrastructure import Target, read_target
from infra.azure.deploy.install_zip import install_zip
from infra.azure.deploy.preflight import run_preflight
from infra.azure.deploy.session import Session
from infra.azure.deploy.zip_history import KeptZip, State, ZipHistory
from shared.cli.exit_codes import Exit

READ_THE_LOG = "Read the app's log (docs/troubleshooting.md), then run again."


def restore_after_unhealthy_release(
    session: Session, target: Target, history: ZipHistory, healthy: list[KeptZip], reason: Unhealthy
) -> DeploymentFailure:
    """Install the newest zip of `healthy`, and return the failure that states what went wrong and what runs now."""
    if not healthy:
        sentence = f"{reason}. There is no previous version to restore."
        return DeploymentFailure(sentence, READ_THE_LOG, Exit.PROBLEM)
    previous = healthy[0]
    session.say(f"{reason}. Restoring the previous version, {previous.name}.")
    try:
        install_zip(session, target, history.download(previous))
    except (Unhealthy, DeploymentFailure) as error:
        problem = str(error).rstrip(".")
        sentence = f"{reason}. Restoring the previous version, {previous.name}, failed too: {problem}."
        return DeploymentFailure(sentence, READ_THE_LOG, Exit.PROBLEM)
    sentence = f"{reason}. The previous version, {previous.name}, was restored and is healthy."
    return DeploymentFailure(sentence, "Correct the cause and run again.", Exit.PROBLEM)


def rollback(session: Session, subscription: str | None = None) -> None:
    """Install the version that ran before the present one. Resources and settings stay. Raises DeploymentFailure."""
    run_preflight(session, subscription)
    target = read_target(session)
    history = ZipHistory(session, target)
    healthy = history.list_healthy()
    older = [kept for kept in healthy if kept.digest != healthy[0].digest]
    if not older:
        raise DeploymentFailure(
            "There is no previous version to restore.", "Deploy an older commit instead.", Exit.USAGE
        )
    present, previous = healthy[0], older[0]
    session.require_confirmation(
        f"Replace {present.name} in {session.environment} by the previous version, {previous.name}?"
    )
    try:
        install_zip(session, target, history.download(previous))
    except Unhealthy as reason:
        sentence = f"The previous version, {previous.name}, was installed, but it is not healthy: {reason}."
        raise DeploymentFailure(sentence, READ_THE_LOG, Exit.PROBLEM) from reason
    history.set_state(present.name, State.WITHDRAWN)
    session.say(f"{session.environment} runs {previous.name} again.")
