"""Runs the Bicep CLI on the templates (docs/reference/azure.md#what-the-compiler-reports)."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from tests.unit.infra.azure.azure_files import ALL_OPTIONS, ENVIRONMENTS, SAMPLE_VARIABLES, AzureFiles
from tests.unit.infra.azure.bicep_names import SUBSCRIPTION, TENANT_ID
from tests.unit.infra.azure.bicep_reader import Resource
from tests.unit.infra.azure.bicep_snapshot import snapshot_resources
from tests.unit.infra.azure.bicep_values import Value

_PLACE = ("--subscription-id", SUBSCRIPTION.rpartition("/")[2], "--tenant-id", TENANT_ID, "--location", "westeurope")


def run_tool(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """What a program says of the files."""
    return subprocess.run(  # noqa: S603 - fixed arguments
        [str(each) for each in command],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env={**os.environ, **SAMPLE_VARIABLES},
    )


def compiler_faults(program: str, files: AzureFiles) -> Iterator[str]:
    """What `build`, `lint`, `build-params` and `format` find. A warning leaves exit status 0, and counts as well."""
    main = files.folder / "main.bicep"
    parameters = [files.folder / f"{environment}.bicepparam" for environment in ENVIRONMENTS]
    commands: list[tuple[str, Path, *tuple[str, ...]]] = [
        ("build", main, "--stdout"),
        ("lint", main),
        *(("build-params", each, "--stdout") for each in parameters),
    ]
    for command in commands:
        done = run_tool(program, *command)
        if done.returncode or done.stderr:
            yield f"{command[0]} {command[1].name}: {done.stderr or done.stdout}"
    for path in [*files.bicep_files(), *parameters]:
        done = run_tool(program, "format", path, "--stdout")
        if done.returncode or done.stdout.strip() != path.read_text(encoding="utf-8").strip():
            yield f"format {path.name}: it is not as `bicep format` leaves it. {done.stderr}"


class NoSnapshotCommand(Exception):
    """This Bicep CLI is too old for `snapshot`."""


@dataclass
class SnapshotFiles(AzureFiles):
    """The templates as the CLI evaluates them. Raises NoSnapshotCommand, or RuntimeError with the CLI's words."""

    program: str = "bicep"
    workspace: Path = field(default_factory=Path)

    @cached_property
    def cases(self) -> Mapping[str, list[Resource]]:
        """The resources of each case: the CLI's own, and what no snapshot shows, existing resources and decorators."""
        copy = self.workspace / "azure"
        shutil.copytree(self.folder, copy, ignore=shutil.ignore_patterns("deploy"))
        return {case: self._snapshot(copy, case) for case in AzureFiles(self.folder).cases}

    def _snapshot(self, folder: Path, case: str) -> list[Resource]:
        environment, _, more = case.partition(", ")
        text = self.read_text(f"{environment}.bicepparam")
        options = ALL_OPTIONS if more else {}
        kept = [line for line in text.splitlines() if not any(line.startswith(f"param {name} ") for name in options)]
        file = folder / f"{case.replace(', ', '-').replace(' ', '-')}.bicepparam"
        lines = [*kept, *(f"param {name} = {literal(value)}" for name, value in options.items())]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        done = run_tool(self.program, "snapshot", file, *_PLACE)
        if done.returncode and "nrecognized" in done.stderr:
            raise NoSnapshotCommand
        if done.returncode:
            raise RuntimeError(done.stderr)
        read = list(self.template_for(environment, **options).resources())
        return merged(snapshot_resources(file.with_suffix(".snapshot.json")), read)


def merged(found: list[Resource], read: list[Resource]) -> list[Resource]:
    """The resources of a snapshot, each with the file, symbol and decorators that the reader saw for its id."""
    by_id = {each.id: each for each in read if not each.existing}
    shown = [
        replace(each, file=ours.file, symbol=ours.symbol, decorators=ours.decorators) if ours else each
        for each in found
        for ours in [by_id.get(each.id)]
    ]
    return [*shown, *(each for each in read if each.existing)]


def literal(value: Value) -> str:
    """A value as Bicep text."""
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return f"'{value}'" if isinstance(value, str) else str(value).lower()
