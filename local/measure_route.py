"""Counts what a deal passes on its way through the code: frames, import arrows and returns.

    python -m local.measure_route

frames    the most frames of our own code on the stack when httpcore, httpx or requests is asked to send a request, in a
          push, in one that adopts a referral, and in a sweep; the app is signed in already
arrows    the imports between the first modules of the engine: `shared.sync`, and what moved from it into the domain
arrows of all   the same with the modules that came later, such as those of co-sell
returns   in a push of two pairs, one new and one changed: how often a call enters a package (`shared.NAME`) that the
          run has entered before and left since. A remote call makes about six, such as the one that looks for the
          original of a new deal; the look whether the push was paused meanwhile makes three for each pair

The app is the real one, and works one pair after another. The emulated systems listen on the loopback.

Exit status: 0, or 1 if a figure is above its limit.
"""

import ast
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from rich.console import Console
from rich.table import Table

from local.measure_app import load_functions
from local.systems import REST_SECONDS, Systems, start_systems
from shared.app import reset

ROOT = Path(__file__).resolve().parents[1]
LIMITS = {"frames": 14, "arrows": 30, "arrows of all": 139, "returns": 140}
FIRST_OF_THE_ENGINE = frozenset(
    (
        "change_detection", "link_referral", "pair_lease", "ports", "reconcile", "referral_claim", "retry_queue",
        "runs", "write_opportunity", "write_referral", "audit", "transitions",
    )
)  # fmt: skip
"""The modules of the engine whose arrows were untangled first: they must not grow together again."""
DOMAIN_OF_THE_ENGINE = ("shared.domain.audit", "shared.domain.transitions")
"""Modules that were part of the engine before their pure code moved into the domain."""
SENDERS = frozenset({"httpcore", "httpx", "requests"})
SENDS = frozenset({"handle_request", "request", "send"})
SIGNING_IN = "first push"


@dataclass(slots=True)
class Trace:
    """The calls of our own code. `packages` holds the package of each call, without repetitions."""

    functions: set[CodeType] = field(default_factory=set)
    packages: list[str] = field(default_factory=list)
    stacks: dict[str, list[str]] = field(default_factory=dict)

    @property
    def returns(self) -> int:
        """How often a call enters a package that was entered before."""
        return len(self.packages) - len(set(self.packages))

    @property
    def frames(self) -> int:
        """The most frames of our own code under a request."""
        return max(len(stack) for stack in self.stacks.values())

    @contextmanager
    def record(self) -> Iterator[None]:
        """Record the calls of this thread inside the block."""
        sys.setprofile(self._note_call)
        try:
            yield
        finally:
            sys.setprofile(None)

    def _note_call(self, frame: FrameType, event: str, _argument: object) -> None:
        if event != "call":
            return
        package = package_of(frame.f_code.co_filename)
        if package is None:
            self._note_request(frame)
            return
        self.functions.add(frame.f_code)
        if self.packages[-1:] != [package]:
            self.packages.append(package)

    def _note_request(self, frame: FrameType) -> None:
        library = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if library in SENDERS and frame.f_code.co_name in SENDS:
            stack = _own_frames_above(frame)
            if stack is not None and len(stack) > len(self.stacks.get(library, ())):
                self.stacks[library] = stack


def package_of(filename: str) -> str | None:
    """The package of a file of the app, such as `shared.sync`; None for other files."""
    path = Path(filename)
    if not path.is_relative_to(ROOT):
        return None
    first, *rest = path.relative_to(ROOT).with_suffix("").parts
    if first == "shared":
        return f"shared.{rest[0]}"
    return first if first in ("functions", "function_app") else None


def _own_frames_above(frame: FrameType) -> list[str] | None:
    """Our own frames above a library's frame, the innermost first; None if the library was already sending."""
    names, above = [], frame.f_back
    while above is not None:
        library = str(above.f_globals.get("__name__", "")).partition(".")[0]
        if library in SENDERS and above.f_code.co_name in SENDS:
            return None
        if package_of(above.f_code.co_filename):
            names.append(above.f_code.co_qualname)
        above = above.f_back
    return names


# --- the traced runs


@contextmanager
def traced_runs() -> Iterator[Mapping[str, Trace]]:
    """The traces of pushes and of a sweep with a new and a changed referral.

    `first push` signs in. `push` has two pairs, one new and one changed. `adoption` links a referral by its id.
    """
    with tempfile.TemporaryDirectory() as folder, start_systems(Path(folder)) as systems:
        environ = dict(os.environ)
        os.environ.update(systems.environ, PARALLELISM="1")
        try:
            yield _trace_runs(systems, load_functions())
        finally:
            reset()
            os.environ.clear()
            os.environ.update(environ)


def _trace_runs(systems: Systems, functions: Mapping[str, Callable[..., Any]]) -> Mapping[str, Trace]:
    push, sweep = functions["push_opportunities"], functions["sweep_referrals"]
    traces = {name: Trace() for name in ("first push", "push", "adoption", "sweep")}
    deal = systems.seller_creates("First deal")
    with traces["first push"].record():
        push(None)
    sweep(None)
    systems.salesforce.clock.advance(REST_SECONDS)
    push(None)
    systems.salesforce.edit("Opportunity", deal, {"Amount": 777})
    systems.seller_creates("Second deal")
    with traces["push"].record():
        push(None)
    systems.partner_center.microsoft_sends()
    referral = systems.salesforce.record("Opportunity", deal)["Referral_Identifier__c"]
    systems.partner_center.portal_edits(referral, [{"op": "replace", "path": "/details/dealValue", "value": 888}])
    systems.salesforce.clock.advance(REST_SECONDS)
    with traces["sweep"].record():
        sweep(None)
    systems.seller_creates("Third deal", Referral_Identifier__c=systems.partner_center.portal_creates())
    with traces["adoption"].record():
        push(None)
    return traces


# --- the arrows


def engine_modules() -> Mapping[str, Path]:
    """The files of the engine, by module."""
    files = [*sorted((ROOT / "shared/sync").glob("**/*.py"))]
    modules = {
        ".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in files if file.stem != "__init__"
    }
    return modules | {name: ROOT / f"{name.replace('.', '/')}.py" for name in DOMAIN_OF_THE_ENGINE}


def first_arrows() -> list[tuple[str, str]]:
    """The imports between two of the first modules of the engine."""
    return [pair for pair in engine_arrows() if {name.rpartition(".")[2] for name in pair} <= FIRST_OF_THE_ENGINE]


def engine_arrows() -> list[tuple[str, str]]:
    """The imports between two modules of the engine, as importing and imported module."""
    modules = engine_modules()
    return [
        (module, imported)
        for module, file in modules.items()
        for imported in sorted(_imported_modules(ast.parse(file.read_text("utf-8"))) & set(modules))
    ]


def _imported_modules(tree: ast.AST) -> set[str]:
    return {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for name in (node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names))
    }


# --- the command


def main() -> int:
    """Print the figures and the deepest stacks; returns the exit status."""
    with traced_runs() as traces:
        figures = {
            "frames": max(trace.frames for run, trace in traces.items() if run != SIGNING_IN),
            "arrows": len(first_arrows()),
            "arrows of all": len(engine_arrows()),
            "returns": traces["push"].returns,
        }
    console, table = Console(highlight=False), Table("figure", "measured", "limit")
    for name, value in figures.items():
        table.add_row(name, str(value), str(LIMITS[name]))
    console.print(table)
    print(f"functions entered by the push: {len(traces['push'].functions)}")
    for run, trace in traces.items():
        for library, stack in sorted(trace.stacks.items()):
            print(f"{run}, {library}, {len(stack)} frames: {' < '.join(stack)}")
    return int(any(value > LIMITS[name] for name, value in figures.items()))


if __name__ == "__main__":
    sys.exit(main())
