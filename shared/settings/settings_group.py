"""A group of settings that is read from environment variables, and the sentences about what is wrong in it."""

import os
from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError


class SettingsGroup(BaseModel):
    """A group of settings: each field is one environment variable. `examples` are shown in error messages."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)
    prefix: ClassVar[str] = ""
    unprefixed: ClassVar[frozenset[str]] = frozenset()
    examples: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def from_environment(cls) -> Self:
        """Read the group from the environment. An empty variable counts as not set. Raises ValidationError."""
        fields = {cls.variable_name(name): name for name in cls.model_fields}
        return cls.model_validate(
            {fields[variable]: value for variable, value in os.environ.items() if variable in fields and value}
        )

    @classmethod
    def variable_name(cls, name: str) -> str:
        """Return the name of the environment variable of a field."""
        return name.upper() if name in cls.unprefixed else f"{cls.prefix}{name}".upper()

    def contradictions(self) -> list[str]:
        """Return one sentence for each rule that values of this group break together, although each is valid alone."""
        return []


def describe_faults(group: type[SettingsGroup], error: ValidationError) -> list[str]:
    """Return one sentence for each fault: variable, problem and example. Never the value, which may be a secret."""
    sentences = []
    for fault in error.errors(include_url=False, include_input=False):
        name = str(fault["loc"][0]) if fault["loc"] else ""
        variable = group.variable_name(name)
        problem = "is missing" if fault["type"] == "missing" else fault["msg"].removeprefix("Value error, ")
        example = _example_value(group, name)
        sentences.append(f"{variable}: {problem}" + (f" (example: {variable}={example})" if example else ""))
    return sentences


def _example_value(group: type[SettingsGroup], name: str) -> str | None:
    """Return an example for a setting: from the group's `examples`, or else its default."""
    field = group.model_fields.get(name)
    default = None if field is None or field.is_required() else field.default
    return group.examples.get(name) or (None if default is None else str(default))
