"""What files owe each other: the parameters of modules, and the use of every name that a file declares."""

from collections import Counter
from collections.abc import Iterator, Mapping

from tests.unit.infra.azure.bicep_names import ResourceReference, Symbol
from tests.unit.infra.azure.bicep_reader import Template
from tests.unit.infra.azure.bicep_tree import Node, find_objects, object_members, parse_bicep, source_of
from tests.unit.infra.azure.bicep_values import Value


def unused_names(template: Template) -> list[str]:
    """The parameters, variables and imports that a file declares and never uses (no-unused-params and others)."""
    counts = Counter(_all_names(parse_bicep(template.source)))
    declared = {*template.parameters, *template._variables, *template._imports} - template.exported
    return sorted(name for name in declared if counts[name] < 2)


def _all_names(node: Node) -> Iterator[str]:
    if node.type in ("identifier", "compatible_identifier"):
        yield source_of(node)
    elif node.type == "object_property" and node.named_children and node.named_children[0].type == "identifier":
        for child in node.named_children[1:]:
            yield from _all_names(child)
        return
    for child in node.named_children:
        yield from _all_names(child)


def argument_faults(template: Template) -> Iterator[str]:
    """The arguments of modules that no parameter takes, and the parameters that get none (BCP037, BCP035)."""
    for name, file in template.modules.items():
        expected = Template(template.path.parent / file).parameters
        for body in find_objects(template._declared[name][0]):
            params = dict(object_members(body)).get("params")
            given = set(dict(object_members(params))) if params else set()
            yield from (f"{file} has no parameter {each}" for each in sorted(given - set(expected)))
            needed = {each.name for each in expected.values() if each.default is None}
            yield from (f"{file} does not get {each}" for each in sorted(needed - given))


def evaluated_arguments(template: Template) -> Iterator[tuple[Template, Mapping[str, Value]]]:
    """Each module that is deployed, with its arguments."""
    for name in template.modules:
        module = template._module_template(name)
        yield module, module.arguments


def is_only_known_to_azure(value: object) -> bool:
    """Whether a value has a part that only Azure knows, so that its type and its length are unknown."""
    if isinstance(value, (list, tuple)):
        return any(map(is_only_known_to_azure, value))
    return isinstance(value, (Symbol, ResourceReference))
