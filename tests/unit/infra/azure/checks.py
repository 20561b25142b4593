"""Names all checks of the Azure files. Each check yields one text for each fault that it finds."""

from collections.abc import Callable, Iterator, Mapping

from tests.unit.infra.azure import (
    checks_alerts,
    checks_app,
    checks_compiler,
    checks_deployment,
    checks_roles,
    checks_security,
)
from tests.unit.infra.azure.azure_files import AzureFiles
from tests.unit.infra.azure.bicep_values import UnsupportedBicep

CHECKS: Mapping[str, Callable[[AzureFiles], Iterator[str]]] = {
    "settings": checks_app.check_settings,
    "queues": checks_app.check_queues,
    "runtime": checks_app.check_runtime,
    "roles": checks_roles.check_roles,
    "hardening": checks_security.check_hardening,
    "secrets": checks_security.check_secrets,
    "parameters": checks_deployment.check_parameters,
    "names": checks_deployment.check_names,
    "tags": checks_deployment.check_tags,
    "modules": checks_deployment.check_modules,
    "readme": checks_deployment.check_readme,
    "compiler": checks_compiler.check_compiler,
    "alerts": checks_alerts.check_alerts,
    "workbook": checks_alerts.check_workbook,
}


def run_check(files: AzureFiles, check: str) -> list[str]:
    """The faults that a check finds. A file that cannot be read is a fault too."""
    try:
        return list(CHECKS[check](files))
    except (UnsupportedBicep, OSError, LookupError, ValueError, TypeError, AttributeError) as error:
        return [f"cannot be read: {type(error).__name__}: {error}"]
