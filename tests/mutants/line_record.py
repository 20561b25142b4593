"""Notes which lines of some functions run. Python calls it only once for each line, so the tests take little longer."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from types import CodeType

TOOL = sys.monitoring.PROFILER_ID


class LineRecord:
    """The lines that ran since the start: for each function a number with a bit for each, the lowest for its first."""

    def __init__(self, functions: Mapping[str, CodeType]) -> None:
        self.lines: Counter[str] = Counter()
        self._owners = {
            part: (name, code.co_firstlineno) for name, code in functions.items() for part in _with_inner(code)
        }
        event = sys.monitoring.events.LINE
        sys.monitoring.use_tool_id(TOOL, "mutants")
        sys.monitoring.register_callback(TOOL, event, self._note)
        for part in self._owners:
            sys.monitoring.set_local_events(TOOL, part, event)

    def start(self) -> None:
        """Forget the lines, and be told of each again."""
        self.lines.clear()
        sys.monitoring.restart_events()

    def stop(self) -> None:
        """Note no more, and let others use the tool's number."""
        for part in self._owners:
            sys.monitoring.set_local_events(TOOL, part, sys.monitoring.events.NO_EVENTS)
        sys.monitoring.free_tool_id(TOOL)

    def _note(self, code: CodeType, line: int) -> object:
        name, first = self._owners[code]
        self.lines[name] |= 1 << (line - first)
        return sys.monitoring.DISABLE


def _with_inner(code: CodeType) -> Iterator[CodeType]:
    """The code of a function, and that of the functions and generators in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _with_inner(constant)
