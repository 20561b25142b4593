"""The mutants that no test can kill, because the program does the same with them: each is listed with its reason."""

import tomllib
from pathlib import Path

from msgspec import Struct, convert

FILE = Path(__file__).with_name("equivalents.toml")


class Equivalent(Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of the file. `after` are the changed lines, without indentation; `*` stands for any change."""

    function: str
    after: str
    reason: str

    def is_meant(self, function: str, after: str) -> bool:
        return self.function == function and self.after in ("*", after)


def read_equivalents(file: Path = FILE) -> tuple[Equivalent, ...]:
    """The entries of the file, in its order."""
    rows = tomllib.loads(file.read_text("utf-8")).get("equivalent", [])
    return convert(rows, tuple[Equivalent, ...])


def plain_name(mutant: str) -> str:
    """The function of a mutant as it is written in the code: `merge._join_texts` or `merge.Merged.change_on`."""
    module, _, mangled = mutant.partition("__mutmut_")[0].rpartition(".")
    parts = mangled.removeprefix("x").strip("ǁ").split("ǁ") if "ǁ" in mangled else [mangled.removeprefix("x_")]
    return ".".join((module.rpartition(".")[2], *parts))
