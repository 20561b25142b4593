"""Names all checks of the Azure files. Each check yields one text for each fault that it finds."""

from collections.abc import Callable, Iterator, Mapping

from tests.unit.infra.azure import (
    checks_alerts,
    checks_app,
    checks_budget,
    checks_compiler,
    checks_deployment,
    checks_hardening,
    checks_network,
    checks_parameters,
    checks_roles,
    checks_secrets,
    checks_types,
)
from tests.unit.infra.azure.azure_files import AzureFiles
from tests.unit.infra.azure.bicep_values import UnsupportedBicep

CHECKS: Mapping[str, Callable[[AzureFiles], Iterator[str]]] = {
    "types": checks_types.check_types,
    "contracts": checks_types.check_contracts,
    "settings": checks_app.check_settings,
    "queues": checks_app.check_queues,
    "runtime": checks_app.check_runtime,
    "roles": checks_roles.check_roles,
    "hardening": checks_hardening.check_hardening,
    "locks": checks_hardening.check_locks,
    "kept_names": checks_hardening.check_kept_names,
    "budget": checks_budget.check_budget,
    "network": checks_network.check_network,
    "limits": checks_parameters.check_limits,
    "destinations": checks_parameters.check_destinations,
    "settings_values": checks_parameters.check_settings_values,
    "secrets": checks_secrets.check_secrets,
    "parameters": checks_deployment.check_parameters,
    "names": checks_deployment.check_names,
    "tags": checks_deployment.check_tags,
    "modules": checks_deployment.check_modules,
    "readme": checks_deployment.check_readme,
    "compiler": checks_compiler.check_compiler,
    "existing_group": checks_alerts.check_existing_group,
    "alerts": checks_alerts.check_alerts,
    "workbook": checks_alerts.check_workbook,
}


CANNOT_BE_READ = "cannot be read"


def run_check(files: AzureFiles, check: str) -> list[str]:
    """The faults that a check finds. A file that cannot be read is a fault too."""
    return list(_faults(files, check))


def first_fault(files: AzureFiles, check: str) -> str | None:
    """The first fault that a check finds, or None."""
    return next(_faults(files, check), None)


def _faults(files: AzureFiles, check: str) -> Iterator[str]:
    try:
        yield from CHECKS[check](files)
    except (UnsupportedBicep, OSError, LookupError, ValueError, TypeError, AttributeError) as error:
        yield f"{CANNOT_BE_READ}: {type(error).__name__}: {error}"
