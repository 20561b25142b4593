"""Turns one mutant on: each mutated function calls itself, or the mutant that was chosen for this process.

mutmut's own trampoline reads the environment at each call, and the domain's functions are called very often.
"""

from collections.abc import Callable
from functools import wraps
from types import CodeType
from typing import Any

from mutmut.mutation import trampoline

ORIGINAL = "_mutmut_orig"

type Function = Callable[..., Any]


class Switch:
    """A function, its mutants by name (mutmut fills them in later), and what a call of it does."""

    def __init__(self, function: Function, mutants: dict[str, Function], of_class: bool) -> None:
        self.function, self.mutants, self.call, self._of_class = function, mutants, function, of_class

    def choose(self, name: str) -> None:
        """Let each call run this mutant."""
        self._use(self.mutants[name])

    def choose_original(self) -> CodeType:
        """Let each call run mutmut's copy of the function, and return its code: its lines are those of the mutants."""
        original = self.mutants[ORIGINAL]
        self._use(original)
        return original.__code__

    def _use(self, mutant: Function) -> None:
        name = mutant.__name__
        self.call = (lambda owner, *args, **named: getattr(owner, name)(*args, **named)) if self._of_class else mutant


SWITCHES: list[Switch] = []


def install_switches() -> None:
    """Let the modules that mutmut wrote use the switches; call this before they are imported."""
    trampoline.wrap_in_trampoline = with_switch  # type: ignore[assignment] # the same shape with looser types


def with_switch(mutants: dict[str, Function], is_classmethod: bool = False) -> Callable[[Function], Function]:
    def decorate(function: Function) -> Function:
        switch = Switch(function, mutants, is_classmethod)
        SWITCHES.append(switch)

        @wraps(function)
        def called(*args: object, **named: object) -> object:
            return switch.call(*args, **named)

        return called

    return decorate


def switches_by_function() -> dict[str, Switch]:
    """The switches by the name of their function as mutmut writes it: module, and the name before `__mutmut`."""
    return {_name(switch): switch for switch in SWITCHES}


def _name(switch: Switch) -> str:
    return f"{switch.function.__module__}.{function_of(switch.mutants[ORIGINAL].__name__)}"


def function_of(mutant: str) -> str:
    return mutant.partition("__mutmut_")[0]
