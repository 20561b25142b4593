"""Parses the route templates of HTTP functions and matches paths, as ASP.NET does.

    items/{id:int}      a parameter with a constraint      items/{id?}      an optional parameter (last segment only)
    items/{id=7}        a parameter with a default         files/{*path}    the rest of the path
    {name}.{extension}  several parameters in a segment    {id:int:min(1)}  several constraints

Literals match in any case. If several templates match a path, they are compared segment by segment: a literal wins over
a parameter with a constraint, that over a parameter without one, and that over a catch-all.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

_PARAMETER = re.compile(
    r"\{(?P<rest>\*{0,2})(?P<name>\w+)(?P<constraints>(?::[^:=?{}]+)*)(?P<default>=[^?{}]*)?(?P<optional>\?)?\}"
)
_CONSTRAINT = re.compile(r"(\w+)(?:\((.*)\))?")


def _is_accepted_by(convert: Callable[[str], object]) -> Callable[[str], bool]:
    def is_accepted(text: str) -> bool:
        try:
            convert(text)
        except ValueError:
            return False
        return True

    return is_accepted


def _is_whole_number(text: str, bits: int) -> bool:
    return bool(re.fullmatch(r"[+-]?\d{1,19}", text, re.ASCII)) and -(2 ** (bits - 1)) <= int(text) < 2 ** (bits - 1)


_PLAIN: Mapping[str, Callable[[str], bool]] = {
    "int": lambda text: _is_whole_number(text, 32),
    "long": lambda text: _is_whole_number(text, 64),
    "bool": lambda text: text.lower() in {"true", "false"},
    "guid": _is_accepted_by(UUID),
    "alpha": lambda text: bool(re.fullmatch("[a-zA-Z]*", text)),
    "datetime": _is_accepted_by(datetime.fromisoformat),
    "decimal": _is_accepted_by(float),
    "double": _is_accepted_by(float),
    "float": _is_accepted_by(float),
    "required": bool,
}

_WITH_ARGUMENTS: Mapping[str, Callable[[str, list[str]], bool]] = {
    "length": lambda text, a: int(a[0]) <= len(text) <= int(a[-1]),
    "minlength": lambda text, a: len(text) >= int(a[0]),
    "maxlength": lambda text, a: len(text) <= int(a[0]),
    "min": lambda text, a: _is_whole_number(text, 64) and int(text) >= int(a[0]),
    "max": lambda text, a: _is_whole_number(text, 64) and int(text) <= int(a[0]),
    "range": lambda text, a: _is_whole_number(text, 64) and int(a[0]) <= int(text) <= int(a[1]),
    "regex": lambda text, a: bool(re.search(",".join(a), text, re.IGNORECASE)),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One `{...}` of a template; `rest` marks a catch-all."""

    name: str
    checks: tuple[Callable[[str], bool], ...]
    default: str | None
    optional: bool
    rest: bool

    @classmethod
    def parse(cls, match: re.Match[str]) -> Self:
        """The parameter for a match of the pattern. Raises ValueError for an unknown constraint."""
        checks = tuple(_parse_constraint(text) for text in match["constraints"].split(":")[1:])
        default = match["default"]
        return cls(match["name"], checks, default and default[1:], bool(match["optional"]), bool(match["rest"]))

    @property
    def may_be_absent(self) -> bool:
        """Whether a path without this parameter can match."""
        return self.optional or self.rest or self.default is not None


def _parse_constraint(text: str) -> Callable[[str], bool]:
    match = _CONSTRAINT.fullmatch(text)
    name, arguments = (match[1], match[2]) if match else (text, None)
    if arguments is None and name in _PLAIN:
        return _PLAIN[name]
    if arguments is not None and name in _WITH_ARGUMENTS:
        test, values = _WITH_ARGUMENTS[name], arguments.split(",")
        return lambda value: test(value, values)
    raise ValueError(f"the constraint {text!r} is unknown")


@dataclass(frozen=True, slots=True)
class Route:
    """A parsed template. The routes of an app are tried in the order of their `precedence`."""

    pattern: re.Pattern[str]
    parameters: tuple[Parameter, ...]
    precedence: tuple[int, ...]

    @classmethod
    def parse(cls, template: str) -> Self:
        """Parse a template without a leading slash. Raises ValueError."""
        segments = template.split("/") if template else []
        parameters: list[Parameter] = []
        pattern, precedence = "", []
        for position, segment in enumerate(segments):
            segment_parameters = [Parameter.parse(match) for match in _PARAMETER.finditer(segment)]
            _refuse_misplaced(segment, segment_parameters, last=position == len(segments) - 1)
            pattern += _segment_pattern(segment, segment_parameters, first=position == 0)
            precedence.append(_segment_rank(segment, segment_parameters))
            parameters += segment_parameters
        names = [parameter.name.lower() for parameter in parameters]
        if len(set(names)) < len(names):
            raise ValueError("two parameters have the same name")
        return cls(re.compile(pattern, re.IGNORECASE), tuple(parameters), tuple(precedence))

    def match_path(self, path: str) -> dict[str, str] | None:
        """The parameters of a path without slashes at its ends; None if the path does not match."""
        match = self.pattern.fullmatch(path)
        if match is None:
            return None
        values: dict[str, str] = {}
        for parameter in self.parameters:
            value = match[parameter.name] or parameter.default
            if value and not all(check(value) for check in parameter.checks):
                return None
            if value:
                values[parameter.name] = value
        return values


def _refuse_misplaced(segment: str, parameters: Iterable[Parameter], *, last: bool) -> None:
    if re.search(r"[{}]", _PARAMETER.sub("", segment)):
        raise ValueError(f"the segment {segment!r} has a wrong parameter")
    for parameter in parameters:
        if parameter.rest and not (last and _is_one_parameter(segment)):
            raise ValueError(f"the catch-all {parameter.name} must be the whole last segment")
        if parameter.optional and not (last and _is_one_parameter(segment)):
            raise ValueError(f"the optional {parameter.name} must be the whole last segment")


def _is_one_parameter(segment: str) -> bool:
    return _PARAMETER.fullmatch(segment) is not None


def _segment_pattern(segment: str, parameters: list[Parameter], *, first: bool) -> str:
    slash = "" if first else "/"
    if len(parameters) == 1 and _is_one_parameter(segment):
        (parameter,) = parameters
        inner = f"{slash}(?P<{parameter.name}>{'.*' if parameter.rest else '[^/]+'})"
        return f"(?:{inner})?" if parameter.may_be_absent else inner
    literals = [re.escape(text) for text in re.split(r"\{[^{}]*\}", segment)]
    groups = [f"(?P<{parameter.name}>[^/]+?)" for parameter in parameters]
    return slash + literals[0] + "".join(group + text for group, text in zip(groups, literals[1:], strict=True))


def _segment_rank(segment: str, parameters: list[Parameter]) -> int:
    if not parameters:
        return 1
    if not _is_one_parameter(segment):
        return 2
    constrained = 0 if parameters[0].checks else 1
    return (5 if parameters[0].rest else 3) + constrained
