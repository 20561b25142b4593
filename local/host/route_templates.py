"""Route templates of HTTP functions, as ASP.NET reads them.

    items/{id:int}      a parameter with a constraint      items/{id?}      an optional one (last segment only)
    items/{id=7}        one with a default                 files/{*path}    the rest of the path
    {name}.{extension}  several in one segment             {id:int:min(1)}  several constraints

Literals match without regard to case. Where several templates match, literal beats constrained beats free beats
catch-all, segment by segment.
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


def _accepts(convert: Callable[[str], object]) -> Callable[[str], bool]:
    def accepts(text: str) -> bool:
        try:
            convert(text)
        except ValueError:
            return False
        return True

    return accepts


def _whole(text: str, bits: int) -> bool:
    return bool(re.fullmatch(r"[+-]?\d{1,19}", text, re.ASCII)) and -(2 ** (bits - 1)) <= int(text) < 2 ** (bits - 1)


_PLAIN: Mapping[str, Callable[[str], bool]] = {
    "int": lambda text: _whole(text, 32),
    "long": lambda text: _whole(text, 64),
    "bool": lambda text: text.lower() in {"true", "false"},
    "guid": _accepts(UUID),
    "alpha": lambda text: bool(re.fullmatch("[a-zA-Z]*", text)),
    "datetime": _accepts(datetime.fromisoformat),
    "decimal": _accepts(float),
    "double": _accepts(float),
    "float": _accepts(float),
    "required": bool,
}

_WITH_ARGUMENTS: Mapping[str, Callable[[str, list[str]], bool]] = {
    "length": lambda text, a: int(a[0]) <= len(text) <= int(a[-1]),
    "minlength": lambda text, a: len(text) >= int(a[0]),
    "maxlength": lambda text, a: len(text) <= int(a[0]),
    "min": lambda text, a: _whole(text, 64) and int(text) >= int(a[0]),
    "max": lambda text, a: _whole(text, 64) and int(text) <= int(a[0]),
    "range": lambda text, a: _whole(text, 64) and int(a[0]) <= int(text) <= int(a[1]),
    "regex": lambda text, a: bool(re.search(",".join(a), text, re.IGNORECASE)),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One `{...}` of a template."""

    name: str
    checks: tuple[Callable[[str], bool], ...]
    default: str | None
    optional: bool
    rest: bool

    @classmethod
    def parse(cls, match: re.Match[str]) -> Self:
        """Read one; raises ValueError for a constraint that is not known."""
        checks = tuple(_check(text) for text in match["constraints"].split(":")[1:])
        default = match["default"]
        return cls(match["name"], checks, default and default[1:], bool(match["optional"]), bool(match["rest"]))

    @property
    def may_lack(self) -> bool:
        """Whether a path without it matches."""
        return self.optional or self.rest or self.default is not None


def _check(text: str) -> Callable[[str], bool]:
    match = _CONSTRAINT.fullmatch(text)
    name, arguments = (match[1], match[2]) if match else (text, None)
    if arguments is None and name in _PLAIN:
        return _PLAIN[name]
    if arguments is not None and name in _WITH_ARGUMENTS:
        test, values = _WITH_ARGUMENTS[name], arguments.split(",")
        return lambda value: test(value, values)
    raise ValueError(f"the constraint {text!r} is not known")


@dataclass(frozen=True, slots=True)
class Route:
    """A template, ready to match paths; sorts by precedence."""

    pattern: re.Pattern[str]
    parameters: tuple[Parameter, ...]
    precedence: tuple[int, ...]

    @classmethod
    def parse(cls, template: str) -> Self:
        """Read a template without leading slash. Raises ValueError."""
        segments = template.split("/") if template else []
        parameters: list[Parameter] = []
        pattern, precedence = "", []
        for position, segment in enumerate(segments):
            found = [Parameter.parse(match) for match in _PARAMETER.finditer(segment)]
            _refuse_misplaced(segment, found, last=position == len(segments) - 1)
            pattern += _segment_pattern(segment, found, first=position == 0)
            precedence.append(_rank(segment, found))
            parameters += found
        names = [parameter.name.lower() for parameter in parameters]
        if len(set(names)) < len(names):
            raise ValueError("a parameter appears twice")
        return cls(re.compile(pattern, re.IGNORECASE), tuple(parameters), tuple(precedence))

    def match(self, path: str) -> dict[str, str] | None:
        """The parameters of a path (no slashes at its ends), or None."""
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        values: dict[str, str] = {}
        for parameter in self.parameters:
            value = found[parameter.name] or parameter.default
            if value and not all(check(value) for check in parameter.checks):
                return None
            if value:
                values[parameter.name] = value
        return values


def _refuse_misplaced(segment: str, parameters: Iterable[Parameter], *, last: bool) -> None:
    if re.search(r"[{}]", _PARAMETER.sub("", segment)):
        raise ValueError(f"the segment {segment!r} is not understood")
    for parameter in parameters:
        if parameter.rest and not (last and _is_whole(segment)):
            raise ValueError(f"the catch-all {parameter.name} must be the whole last segment")
        if parameter.optional and not (last and _is_whole(segment)):
            raise ValueError(f"the optional {parameter.name} must be the whole last segment")


def _is_whole(segment: str) -> bool:
    return _PARAMETER.fullmatch(segment) is not None


def _segment_pattern(segment: str, parameters: list[Parameter], *, first: bool) -> str:
    slash = "" if first else "/"
    if len(parameters) == 1 and _is_whole(segment):
        (parameter,) = parameters
        inner = f"{slash}(?P<{parameter.name}>{'.*' if parameter.rest else '[^/]+'})"
        return f"(?:{inner})?" if parameter.may_lack else inner
    literals = [re.escape(text) for text in re.split(r"\{[^{}]*\}", segment)]
    groups = [f"(?P<{parameter.name}>[^/]+?)" for parameter in parameters]
    return slash + literals[0] + "".join(group + text for group, text in zip(groups, literals[1:], strict=True))


def _rank(segment: str, parameters: list[Parameter]) -> int:
    if not parameters:
        return 1
    if not _is_whole(segment):
        return 2
    constrained = 0 if parameters[0].checks else 1
    return (5 if parameters[0].rest else 3) + constrained
