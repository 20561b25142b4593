"""Puts the previous version back: after an unhealthy release, and for `make rollback`."""

from infra.azure.deploy.failure import DeploymentFailure
from infra.azure.deploy.health_check import Unhealthy
from infra.azure.deploy.infrastructure import Target, read_target
from infra.azure.deploy.install_zip import install_zip
from infra.azure.deploy.preflight import check_login
from infra.azure.deploy.session import Session
from infra.azure.deploy.zip_history import KeptZip, State, ZipHistory, healthy_zips, latest_rows
from shared.cli.exit_codes import Exit

READ_THE_LOG = "Read the app's log (docs/troubleshooting.md), then run again."
GO_FORWARD = (
    "Go forward instead: correct the cause, and deploy the newest version that ran here, or a newer one, again "
    "(docs/staging-and-production.md#roll-back)."
)


def restore_after_unhealthy_release(
    session: Session, target: Target, history: ZipHistory, healthy: list[KeptZip], reason: Unhealthy
) -> DeploymentFailure:
    """Install the newest zip of `healthy`, and return the failure that states what went wrong and what runs now.

    A zip that cannot read the rows which the unhealthy one may have written is not installed
    (docs/protocol.md#rows-of-other-builds).
    """
    if not healthy:
        sentence = f"{reason}. There is no previous version to restore."
        return DeploymentFailure(sentence, READ_THE_LOG, Exit.PROBLEM)
    previous = healthy[0]
    if previous.rows < latest_rows(history.list_zips()):
        sentence = (
            f"{reason}. The previous version, {previous.name}, was not restored: it cannot read rows that the newer "
            "version may have written, and would stop at them."
        )
        return DeploymentFailure(sentence, GO_FORWARD, Exit.PROBLEM)
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
    """Install the version that ran before the present one. Resources and settings stay.

    Raises DeploymentFailure, also if that version cannot read rows that a newer one has written.
    """
    check_login(session, subscription)
    target = read_target(session)
    history = ZipHistory(session, target)
    zips = history.list_zips()
    healthy = healthy_zips(zips)
    older = [kept for kept in healthy if kept.digest != healthy[0].digest]
    if not older:
        raise DeploymentFailure(
            "There is no previous version to restore.", "Deploy an older commit instead.", Exit.USAGE
        )
    present, previous = healthy[0], older[0]
    if previous.rows < latest_rows(zips):
        raise DeploymentFailure(
            f"The previous version, {previous.name}, cannot read rows that a newer version has written in "
            f"{session.environment}, and would stop at them.",
            GO_FORWARD,
        )
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
