"""All checks of the Azure home, by name. Each answers with sentences, one a fault."""

from collections.abc import Callable, Iterator, Mapping

from tests.unit.infra.azure import checks_alerts, checks_app, checks_deployment, checks_security
from tests.unit.infra.azure.azure_home import Home
from tests.unit.infra.azure.bicep_values import NotUnderstood

CHECKS: Mapping[str, Callable[[Home], Iterator[str]]] = {
    "settings": checks_app.settings,
    "queues": checks_app.queues,
    "runtime": checks_app.runtime,
    "roles": checks_security.roles,
    "hardening": checks_security.hardening,
    "secrets": checks_security.secrets,
    "parameters": checks_deployment.parameters,
    "developer_cli": checks_deployment.developer_cli,
    "names": checks_deployment.names,
    "tags": checks_deployment.tags,
    "modules": checks_deployment.modules,
    "readme": checks_deployment.readme,
    "alerts": checks_alerts.alerts,
    "workbook": checks_alerts.workbook,
}


def found(home: Home, check: str) -> list[str]:
    """The faults that a check finds; what cannot even be read is one."""
    try:
        return list(CHECKS[check](home))
    except (NotUnderstood, OSError, LookupError, ValueError, TypeError, AttributeError) as error:
        return [f"cannot be read: {type(error).__name__}: {error}"]
