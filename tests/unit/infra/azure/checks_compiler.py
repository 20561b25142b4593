"""Checks for the warnings of the Bicep compiler that the templates once had, on machines without the compiler.

Source: docs/reference/azure.md#what-the-compiler-reports.
"""

import re
from collections.abc import Iterator

from tests.unit.infra.azure.azure_files import AzureFiles
from tests.unit.infra.azure.bicep_reader import Parameter, Template
from tests.unit.infra.azure.bicep_tree import named_children, source_of

TYPES_BY_NAME = frozenset({"Microsoft.Web/sites/basicPublishingCredentialsPolicies", "Microsoft.Web/sites/config"})
"""Resource types whose properties depend on the name."""


LINE_WIDTH = 118
"""The formatter of the compiler breaks a line at 120."""

UNBREAKABLE = re.compile(r"\s*//|\s*(var \w+ =|\w+:) '.*'$")
"""Lines that it leaves alone: a comment, and a name with one text."""


def check_compiler(files: AzureFiles) -> Iterator[str]:
    """What the compiler would complain of: arguments outside the bounds of a module's parameter, a type check that is
    switched off, and lines that `bicep format` would break.
    """
    for path in files.bicep_files():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if len(line) > LINE_WIDTH and not UNBREAKABLE.match(line):
                yield f"{path.name}: line {number} has {len(line)} characters, so `bicep format` may break it"
        template = Template(path)
        for expected, value in template.module_arguments():
            given = template.parameters.get(source_of(value))
            if given and _has_wider_bounds(given, expected):
                yield f"{path.name}: {given.name} may be outside the bounds of the module's {expected.name} (BCP329)"
        for kind, name in template.resource_names():
            if kind in TYPES_BY_NAME and (name.type != "string" or named_children(name, "interpolation")):
                yield f"{path.name}: the name of a {kind} must be a literal (BCP225)"


def _has_wider_bounds(given: Parameter, expected: Parameter) -> bool:
    """Whether the compiler warns: a parameter without a bound passes, one with a wider bound does not."""
    lower = any(given.rules[name] < expected.rules[name] for name in _shared_rules(given, expected, "min"))
    return lower or any(given.rules[name] > expected.rules[name] for name in _shared_rules(given, expected, "max"))


def _shared_rules(given: Parameter, expected: Parameter, prefix: str) -> list[str]:
    return [name for name in given.rules if name.startswith(prefix) and name in expected.rules]
