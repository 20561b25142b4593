"""Checks the schedules of a deployment before anything is created: Azure takes some that run at other times."""

import re
from collections.abc import Iterator, Mapping

from infra.azure.deploy.failure import DeploymentFailure
from infra.azure.deploy.session import Session
from shared.cli.exit_codes import Exit
from shared.settings.schedules import schedule_fault, schedule_note
from shared.settings.variables import SCHEDULES

PARAMETERS = {
    "pushSchedule": "PUSH_SCHEDULE",
    "sweepSchedule": "SWEEP_SCHEDULE",
    "credentialsSchedule": "CREDENTIALS_SCHEDULE",
    "compareSchedule": "COMPARE_SCHEDULE",
    "backupSchedule": "BACKUP_SCHEDULE",
}
"""The parameter of main.bicep for each setting."""
_PARAMETER = re.compile(
    r"^param (\w+Schedule)\s*=\s*(?:readEnvironmentVariable\('(\w+)'(?:,\s*'([^']*)')?\)|'([^']*)')", re.MULTILINE
)


def check_parameter_file(session: Session) -> None:
    """Check the schedules that the parameter file sets. main.bicep has those of the others.

    Raises DeploymentFailure, before anything is created.
    """
    text = session.parameter_file.read_text(encoding="utf-8")
    check_schedules(session, dict(_schedules_in(text, session.az.environ)))


def check_schedules(session: Session, settings: Mapping[str, str]) -> None:
    """Check the schedules among app settings, and tell what a person may not expect. Raises DeploymentFailure."""
    schedules = {name: settings[name] for name in SCHEDULES if name in settings}
    faults = [f"{name} {fault}" for name, text in schedules.items() if (fault := schedule_fault(text))]
    if faults:
        raise DeploymentFailure(f"{'. '.join(faults)}.", f"Correct it in {session.parameter_file.name}.", Exit.USAGE)
    for name, text in schedules.items():
        if note := schedule_note(text):
            session.say(f"Note: {name}: {note}.")


def _schedules_in(text: str, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for parameter, variable, default, literal in _PARAMETER.findall(text):
        if parameter in PARAMETERS:
            yield PARAMETERS[parameter], environ.get(variable, default) if variable else literal
