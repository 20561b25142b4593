"""Runs external tools on the Bicep files, if they are present: the Bicep CLI, and a checker of resource types."""

import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

from tests.unit.infra.azure.azure_files import ROOT, AzureFiles
from tests.unit.infra.azure.bicep_cli import NoSnapshotCommand, SnapshotFiles, compiler_faults, merged, run_tool
from tests.unit.infra.azure.bicep_snapshot import snapshot_resources
from tests.unit.infra.azure.checks import CHECKS, run_check
from tests.unit.infra.azure.test_bicep_reader import COMPILED, SNAPSHOTS, template_of

CHECKER = ROOT.parent / "shared" / "tools" / "bicepcheck"
MAIN = AzureFiles().folder / "main.bicep"

needs_checker = pytest.mark.skipif(
    not CHECKER.is_dir(), reason="SKIPPED: bicepcheck is not beside this checkout, so a second checker did not run"
)


@pytest.fixture
def cli() -> str:
    return find_cli()


def find_cli() -> str:
    """The Bicep CLI. With BICEP_REQUIRED, as in CI, it must be there."""
    found = shutil.which("bicep")
    if found is None and os.environ.get("BICEP_REQUIRED"):
        pytest.fail("BICEP_REQUIRED is set, but the Bicep CLI is not on PATH")
    if found is None:
        pytest.skip("SKIPPED: the Bicep CLI is not on PATH, so nothing was compiled")
    return found


def test_the_bicep_cli_reports_nothing(cli: str) -> None:
    assert list(compiler_faults(cli, AzureFiles())) == []


def test_the_checks_find_nothing_in_the_snapshots_of_the_bicep_cli(cli: str, tmp_path: Path) -> None:
    files = SnapshotFiles(program=cli, workspace=tmp_path)
    try:
        assert files.cases
    except NoSnapshotCommand:
        pytest.skip("SKIPPED: this Bicep CLI has no `snapshot`, so the checks ran on the reader's resources only")
    assert [fault for check in CHECKS for fault in run_check(files, check)] == []


def test_the_pipeline_has_the_cli_and_requires_it() -> None:
    pipeline = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    before, _, run = pipeline.partition("run: .ci/run\n")
    assert "az bicep install --version v0.49.2\n" in before
    assert run.lstrip().startswith('env:\n          BICEP_REQUIRED: "yes"')


def test_a_required_cli_that_is_missing_is_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("BICEP_REQUIRED", "yes")
    with pytest.raises(pytest.fail.Exception, match="is not on PATH"):
        find_cli()


@needs_checker
def test_every_resource_matches_azures_type_definition() -> None:
    done = run_tool(sys.executable, CHECKER / "bicepcheck.py", CHECKER / "azure-types.json", MAIN)
    assert (done.returncode, done.stdout.splitlines()) == (0, ["12 files, 0 findings"])


# --- the same with a stand-in of the CLI, so that these tests themselves are tested everywhere


def stand_in(folder: Path, body: str) -> str:
    """A program `bicep` of a few lines of Python, which has the command in `words`."""
    program = folder / "bicep"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nfrom pathlib import Path\nwords = sys.argv[1:]\n"
        f"if words[0] == 'format': sys.stdout.write(Path(words[1]).read_text())\n{body}\n",
        encoding="utf-8",
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


def test_a_cli_that_says_nothing_finds_nothing(tmp_path: Path) -> None:
    assert list(compiler_faults(stand_in(tmp_path, ""), AzureFiles())) == []


@pytest.mark.parametrize("command", ["build", "lint", "build-params"])
def test_a_warning_of_the_cli_is_a_fault(tmp_path: Path, command: str) -> None:
    program = stand_in(tmp_path, f"if words[0] == '{command}': sys.stderr.write('Warning BCP329: x')")
    found = list(compiler_faults(program, AzureFiles()))
    assert found
    assert all(fault.startswith(f"{command} ") and "BCP329" in fault for fault in found)


def test_a_file_that_the_formatter_changes_is_a_fault(tmp_path: Path) -> None:
    program = stand_in(tmp_path, "if words[0] == 'format' and 'rbac' in words[1]: print('more')")
    assert [fault.split(":")[0] for fault in compiler_faults(program, AzureFiles())] == ["format rbac.bicep"]


def test_a_cli_without_the_command_is_told_from_one_that_fails(tmp_path: Path) -> None:
    old = stand_in(tmp_path, "sys.exit('Unrecognized arguments \"snapshot\" specified.')")
    with pytest.raises(NoSnapshotCommand):
        assert SnapshotFiles(program=old, workspace=tmp_path / "one").cases
    failing = stand_in(tmp_path, "sys.exit('Error BCP427: SALESFORCE_URL')")
    with pytest.raises(RuntimeError, match="BCP427"):
        assert SnapshotFiles(program=failing, workspace=tmp_path / "two").cases


def test_the_checks_judge_what_the_cli_says_and_not_what_the_reader_says(tmp_path: Path) -> None:
    body = f"shutil.copy(r'{COMPILED}/production.snapshot.json', Path(words[1]).with_suffix('.snapshot.json'))"
    program = stand_in(tmp_path, f"import shutil\nif words[0] == 'snapshot': {body}")
    files = SnapshotFiles(program=program, workspace=tmp_path)
    names = {each.reference.full_name for each in files.cases["production"] if not each.existing}
    assert names == {each.reference.full_name for each in snapshot_resources(COMPILED / "production.snapshot.json")}
    assert any("app-not-started is missing" in fault for fault in run_check(files, "alerts"))
    assert run_check(AzureFiles(), "alerts") == []


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_a_snapshot_gets_what_it_does_not_show_from_the_reader(name: str) -> None:
    read = list(template_of(name).resources())
    together = merged(snapshot_resources(COMPILED / f"{name}.snapshot.json"), read)
    key = [(each.id, each.symbol, each.decorators) for each in together]
    assert sorted(key, key=str) == sorted(((each.id, each.symbol, each.decorators) for each in read), key=str)
