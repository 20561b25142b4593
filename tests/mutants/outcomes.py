"""The mutants of a module, what became of each, and what each changes. mutmut's files beside the modules hold it."""

from collections.abc import Iterable, Iterator
from difflib import ndiff
from itertools import dropwhile, takewhile
from pathlib import Path

from mutmut.mutation.data import MutantLineSpans, SourceFileMutationData

from tests.mutants.switches import function_of
from tests.mutants.trial import KILLED, SURVIVED, UNTESTED
from tests.mutants.workspace import WORKSPACE

CODES = {KILLED: 1, SURVIVED: 0, UNTESTED: 33}


class MutatedModule:
    """One module with its mutants, by name as mutmut writes it: `module.function__mutmut_7`."""

    def __init__(self, path: Path, refused: set[str]) -> None:
        self.path = path
        self._data = SourceFileMutationData(path=path)
        self._data.meta_path = WORKSPACE / self._data.meta_path
        self._data.load()
        self._spans = MutantLineSpans.load(path)
        if self._spans is not None:
            self._spans.mutants_path = WORKSPACE / self._spans.mutants_path
        self.refused = refused & self._data.exit_code_by_key.keys()

    @property
    def name(self) -> str:
        return ".".join(self.path.with_suffix("").parts)

    @property
    def all(self) -> frozenset[str]:
        return frozenset(self._data.exit_code_by_key)

    def untried(self) -> Iterator[str]:
        """The mutants to try: also those that survived before, because there may be a new test."""
        codes = self._data.exit_code_by_key
        return (name for name in codes if name not in self.refused and codes[name] != CODES[KILLED])

    def with_outcome(self, outcome: str) -> frozenset[str]:
        codes = self._data.exit_code_by_key.items()
        return frozenset(name for name, code in codes if code == CODES[outcome]) - self.refused

    def keep(self, mutant: str, outcome: str) -> None:
        """Write down what became of the mutant."""
        self._data.exit_code_by_key[mutant] = CODES[outcome]
        self._data.save()

    def change(self, mutant: str) -> tuple[str, str]:
        """What the mutant changes: the lines before and after, each on one line."""
        compared = list(ndiff(*self._sources(mutant)))
        return _marked(compared, "- "), _marked(compared, "+ ")

    def changed_lines(self, mutant: str) -> range:
        """The lines of the function that the mutant changes; its first line is 0."""
        before, after = self._sources(mutant)
        start = _equal(zip(before, after, strict=False))
        stop = len(before) - _equal(zip(reversed(before[start:]), reversed(after[start:]), strict=False))
        return range(start, stop)

    def _sources(self, mutant: str) -> tuple[list[str], list[str]]:
        """The lines of the function, and those of its mutant."""
        name = mutant.rpartition(".")[2]
        original = function_of(name) + "__mutmut_orig"
        sources = self._spans.read_function_sources([original, name]) if self._spans else ("", "")
        before, after = (_lines(source.replace(name, "").replace(original, "")) for source in sources)
        return before, after


def _lines(source: str) -> list[str]:
    """The lines of a function, without the empty ones and the comments before it."""
    return list(dropwhile(lambda line: line.strip()[:1] in ("", "#"), source.splitlines()))


def _equal(pairs: Iterable[tuple[str, str]]) -> int:
    """How many pairs are equal before the first that differs."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _marked(compared: list[str], mark: str) -> str:
    return " ".join(line[2:].strip() for line in compared if line.startswith(mark) and "def (" not in line)
