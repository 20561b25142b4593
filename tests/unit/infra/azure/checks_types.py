"""Checks the types: of resources against Azure's, and of arguments against the parameters of modules.

Source: docs/reference/azure.md#checks-beyond-the-compiler.
"""

from collections.abc import Iterator

from tests.unit.infra.azure.azure_files import ALL_OPTIONS, ENVIRONMENTS, AzureFiles
from tests.unit.infra.azure.bicep_contracts import (
    argument_faults,
    evaluated_arguments,
    is_only_known_to_azure,
    unused_names,
)
from tests.unit.infra.azure.bicep_reader import Template
from tests.unit.infra.azure.resource_types import reference_faults, type_faults

GROUPS = {"tableReaderGroupId": "readers", "tableContributorGroupId": "contributors"}


def check_types(files: AzureFiles) -> Iterator[str]:
    """Every resource is what its type allows, and every value is read from a property that exists."""
    for case in files.cases:
        for each in files.cases[case]:
            yield from (f"{case}: {each.file}: {fault}" for fault in type_faults(each))
        yield from (f"{case}: {fault}" for fault in reference_faults(files.cases[case]))
    for each in files.template_for("production", **GROUPS).resources():
        yield from (f"with groups: {each.file}: {fault}" for fault in type_faults(each))


def check_contracts(files: AzureFiles) -> Iterator[str]:
    """Modules get the parameters that they declare, of their type, and every file uses what it declares or imports."""
    for path in files.bicep_files():
        template = Template(path)
        yield from (f"{path.name}: {name} is never used" for name in unused_names(template))
        yield from (f"{path.name}: {fault}" for fault in argument_faults(template))
    for case in files.cases:
        yield from (f"{case}: {each} is said to exist, and nothing creates it" for each in _not_created(files, case))
    for environment in ENVIRONMENTS:
        for module, values in evaluated_arguments(files.template_for(environment, **ALL_OPTIONS)):
            for name, value in values.items():
                parameter = module.parameters.get(name)
                if parameter and not is_only_known_to_azure(value) and (reason := parameter.why_invalid(value)):
                    yield f"{environment}: {module.path.name}: {name} {reason}"


def _not_created(files: AzureFiles, case: str) -> list[str]:
    created = {each.id for each in files.cases[case] if not each.existing}
    return sorted({each.id for each in files.cases[case] if each.existing} - created)
