"""The zip has exactly the files of the app and always the same bytes; the test record is true."""

import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.azure.deploy.bytecode import is_bytecode
from infra.azure.deploy.failure import DeploymentFailure
from infra.azure.deploy.session import ROOT
from infra.azure.deploy.test_record import RECORD as TEST_RECORD
from infra.azure.deploy.test_record import git_state, read_test_record, update_test_record
from infra.azure.deploy.zip_package import RECORD, ZipPackage, app_files, build_zip
from tests.unit.docs.docs_reader import matches_in, tracked_files
from tests.unit.infra.azure_deploy.fake_azure import FakeAzure, commit_all, run_git

PASSED = {"passed": 3, "failed": 0, "skipped": 1, "deselected": 0}


def test_the_zip_of_this_checkout_has_the_files_of_the_app_and_no_others() -> None:
    if not tracked_files():
        pytest.skip("this is not a git checkout")
    names = {path.relative_to(ROOT).as_posix() for path in app_files(ROOT)}
    expected = {
        name
        for name in (path.relative_to(ROOT).as_posix() for path in tracked_files())
        if name in {"function_app.py", "host.json", "requirements.txt", "sbom.cdx.json"}
        or (name.startswith(("functions/", "shared/")) and not name.startswith("shared/cli/"))
    }
    assert expected <= names, "every tracked file of the app is in the zip, whatever its suffix"
    assert not [name for name in names if name.startswith(("shared/cli/", "infra/", "tests/", "."))]


def test_the_record_names_every_function_of_the_code(staging_zip: ZipPackage) -> None:
    assert staging_zip.functions == set(matches_in("functions", r'function_name\("(\w+)"\)'))


def test_the_zip_has_the_mapping_file_of_its_environment_only(azure: FakeAzure) -> None:
    files = build_zip(azure.root, "staging").files
    assert [name for name in sorted(files) if not is_bytecode(name)] == [
        RECORD, "function_app.py", "functions/receive_event.py", "functions/report_health.py", "host.json",
        "mapping/checked.json", "mapping/staging.toml", "requirements.txt", "sbom.cdx.json",
        "shared/__init__.py", "shared/domain/deal.py", "shared/mapping/default.toml",
    ]  # fmt: skip


def test_the_same_sources_give_the_same_bytes(azure: FakeAzure) -> None:
    first = build_zip(azure.root, "staging").data
    (azure.root / "shared/__pycache__").mkdir()
    (azure.root / "shared/__pycache__/deal.cpython-313.pyc").write_bytes(b"x")
    (azure.root / "shared/domain/deal.py").touch()
    assert build_zip(azure.root, "staging").data == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}, "the zip contains no real time"


def test_a_zip_without_a_record_is_rejected() -> None:
    with pytest.raises(DeploymentFailure, match="has no readable"):
        ZipPackage.from_bytes(b"not a zip")


def test_a_zip_from_a_folder_without_git_names_no_commit(azure: FakeAzure) -> None:
    (azure.root / ".git").rename(azure.root / "other folder")
    package = build_zip(azure.root, "staging")
    assert (package.commit, package.untested_reason) == ("", "it was built from changes that are not committed")


# --- the test record -------------------------------------------------------------------------------------------------


def test_a_whole_run_without_local_changes_writes_the_record(azure: FakeAzure) -> None:
    assert update_test_record(azure.root, git_state(azure.root), PASSED, is_whole=True)
    record = read_test_record(azure.root)
    assert record is not None
    assert (record["commit"], record["passed"]) == (run_git(azure.root, "rev-parse", "HEAD"), 3)
    assert git_state(azure.root)[1], "git ignores the record"


@pytest.mark.parametrize("counts", [{**PASSED, "failed": 1}, {**PASSED, "passed": 0}], ids=["failed", "nothing ran"])
def test_a_run_that_did_not_pass_deletes_the_record(azure: FakeAzure, counts: dict[str, int]) -> None:
    update_test_record(azure.root, git_state(azure.root), PASSED, is_whole=True)
    assert not update_test_record(azure.root, git_state(azure.root), counts, is_whole=True)
    assert read_test_record(azure.root) is None


def test_a_run_during_which_files_changed_writes_no_record(azure: FakeAzure) -> None:
    state_at_start = git_state(azure.root)
    (azure.root / "host.json").write_text("{ }", "utf-8")
    assert not update_test_record(azure.root, state_at_start, PASSED, is_whole=True)
    assert not update_test_record(azure.root, git_state(azure.root), PASSED, is_whole=True)
    commit_all(azure.root)
    assert not update_test_record(azure.root, state_at_start, PASSED, is_whole=True)


def test_an_untracked_file_counts_as_a_local_change(azure: FakeAzure) -> None:
    (azure.root / "shared/new.py").write_text("", "utf-8")
    assert not git_state(azure.root)[1]


def test_a_damaged_record_is_not_read(azure: FakeAzure) -> None:
    (azure.root / ".cosell").mkdir()
    for text in ("", "[]", "{}", '{"commit": "x", "clean": false, "passed": 1, "failed": 0}'):
        (azure.root / TEST_RECORD).write_text(text, "utf-8")
        assert read_test_record(azure.root) is None


WITH_SLOW_TEST = "import pytest\n@pytest.mark.slow\ndef test_one(): pass\ndef test_two(): pass\n"
PLUGIN = """
import pathlib, sys
sys.path.insert(0, {root!r})
import infra.azure.deploy.test_record_plugin as plugin
plugin.ROOT = pathlib.Path({folder!r})
plugin.ALL_TESTS = ([str(plugin.ROOT / "tests")],)
import pytest
sys.exit(pytest.main([*sys.argv[1:], "-q", "-p", "no:cacheprovider", "--rootdir", {folder!r}], plugins=[plugin]))
"""


@pytest.mark.parametrize(
    ("words", "text", "is_written"),
    [
        (["tests", "-m", "not slow"], WITH_SLOW_TEST, True),
        pytest.param(
            ["tests", "-p", "xdist", "-n", "1", "-m", "not slow"], WITH_SLOW_TEST, True, marks=pytest.mark.slow
        ),
        (["tests"], "def test_one(): assert False\n", False),
        (["tests", "-k", "one"], "def test_one(): pass\ndef test_two(): pass\n", False),
    ],
    ids=["passed", "passed in workers", "failed", "selected by name"],
)
def test_only_a_whole_run_that_passed_writes_the_record(
    azure: FakeAzure, words: list[str], text: str, *, is_written: bool
) -> None:
    (azure.root / "tests").mkdir()
    (azure.root / "tests/test_it.py").write_text(text, "utf-8")
    commit_all(azure.root)
    script = PLUGIN.format(root=str(ROOT), folder=str(azure.root))
    arguments = [str(azure.root / words[0]), *words[1:]]
    command = [sys.executable, "-B", "-c", script, *arguments]
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run(command, cwd=azure.root, env=environ, capture_output=True, check=False)  # noqa: S603 - fixed words
    assert (read_test_record(azure.root) is not None) is is_written


def test_make_test_loads_the_plugin() -> None:
    makefile = Path(ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(
        r"^test:.*\n\t@\$\(PY\) -m pytest [^\n]* -p infra\.azure\.deploy\.test_record_plugin\b", makefile, re.MULTILINE
    )
