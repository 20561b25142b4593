"""The zip holds exactly what belongs, always the same bytes; the record of `make test` is true."""

import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.azure.deploy.failure import Stopped
from infra.azure.deploy.session import ROOT
from infra.azure.deploy.test_record import RECORD as TESTED
from infra.azure.deploy.test_record import read, settle, state_of
from infra.azure.deploy.zip_package import RECORD, Package, build, chosen
from tests.unit.docs.docs_reader import found_in, tracked
from tests.unit.infra.azure_deploy.stage import Stage, commit, git

GOOD = {"passed": 3, "failed": 0, "skipped": 1, "deselected": 0}


def test_the_zip_of_this_checkout_holds_the_app_and_nothing_else() -> None:
    if not tracked():
        pytest.skip("this is no git checkout: nothing is tracked")
    names = {path.relative_to(ROOT).as_posix() for path in chosen(ROOT)}
    belongs = {
        name
        for name in (path.relative_to(ROOT).as_posix() for path in tracked())
        if name in {"function_app.py", "host.json", "requirements.txt"}
        or (name.startswith(("functions/", "shared/")) and not name.startswith("shared/cli/"))
    }
    assert belongs <= names, "all that is tracked there is in the zip, of whatever kind"
    assert not [name for name in names if name.startswith(("shared/cli/", "infra/", "tests/", "."))]


def test_the_zip_expects_every_function_of_the_code() -> None:
    assert build(ROOT, "staging").functions == set(found_in("functions", r'function_name\("(\w+)"\)'))


def test_the_zip_holds_the_mapping_of_its_environment_alone(stage: Stage) -> None:
    files = build(stage.root, "staging").files
    assert sorted(files) == [
        RECORD, "function_app.py", "functions/receive_event.py", "functions/report_health.py", "host.json",
        "mapping/staging.toml", "requirements.txt", "shared/__init__.py", "shared/domain/deal.py",
        "shared/mapping/default.toml",
    ]  # fmt: skip


def test_the_same_sources_make_the_same_bytes(stage: Stage) -> None:
    first = build(stage.root, "staging").data
    (stage.root / "shared/__pycache__").mkdir()
    (stage.root / "shared/__pycache__/deal.cpython-313.pyc").write_bytes(b"x")
    (stage.root / "shared/domain/deal.py").touch()
    assert build(stage.root, "staging").data == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}, "no clock is in it"


def test_a_zip_of_somebody_else_is_none_of_ours() -> None:
    with pytest.raises(Stopped, match="carries no readable"):
        Package.of(b"no zip")


def test_a_zip_without_git_says_that_it_is_of_no_commit(stage: Stage) -> None:
    (stage.root / ".git").rename(stage.root / "elsewhere")
    package = build(stage.root, "staging")
    assert (package.commit, package.untested) == ("", "it was made from changes that are in no commit")


# --- the record of make test ------------------------------------------------------------------------------------------


def test_a_whole_run_on_a_clean_tree_leaves_a_record(stage: Stage) -> None:
    assert settle(stage.root, state_of(stage.root), GOOD, is_whole=True)
    said = read(stage.root)
    assert said is not None
    assert (said["commit"], said["passed"]) == (git(stage.root, "rev-parse", "HEAD"), 3)
    assert state_of(stage.root)[1], "the record itself does not soil the tree"


@pytest.mark.parametrize("counts", [{**GOOD, "failed": 1}, {**GOOD, "passed": 0}], ids=["failed", "nothing ran"])
def test_a_run_that_did_not_pass_takes_the_record_away(stage: Stage, counts: dict[str, int]) -> None:
    settle(stage.root, state_of(stage.root), GOOD, is_whole=True)
    assert not settle(stage.root, state_of(stage.root), counts, is_whole=True)
    assert read(stage.root) is None


def test_a_tree_that_changed_meanwhile_leaves_no_record(stage: Stage) -> None:
    before = state_of(stage.root)
    (stage.root / "host.json").write_text("{ }", "utf-8")
    assert not settle(stage.root, before, GOOD, is_whole=True)
    assert not settle(stage.root, state_of(stage.root), GOOD, is_whole=True)
    commit(stage.root)
    assert not settle(stage.root, before, GOOD, is_whole=True)


def test_a_file_that_git_does_not_know_makes_the_tree_unclean(stage: Stage) -> None:
    (stage.root / "shared/new.py").write_text("", "utf-8")
    assert not state_of(stage.root)[1]


def test_a_record_that_was_spoilt_is_none(stage: Stage) -> None:
    (stage.root / ".cosell").mkdir()
    for text in ("", "[]", "{}", '{"commit": "x", "clean": false, "passed": 1, "failed": 0}'):
        (stage.root / TESTED).write_text(text, "utf-8")
        assert read(stage.root) is None


LONG = "import pytest\n@pytest.mark.slow\ndef test_one(): pass\ndef test_two(): pass\n"
PLUGIN = """
import pathlib, sys
sys.path.insert(0, {root!r})
import infra.azure.deploy.test_record_plugin as tested
tested.ROOT = pathlib.Path({folder!r})
tested.WHOLE = ([str(tested.ROOT / "tests")],)
import pytest
sys.exit(pytest.main([*sys.argv[1:], "-q", "-p", "no:cacheprovider", "--rootdir", {folder!r}], plugins=[tested]))
"""


@pytest.mark.parametrize(
    ("words", "text", "is_left"),
    [
        (["tests", "-m", "not slow"], LONG, True),
        pytest.param(["tests", "-p", "xdist", "-n", "1", "-m", "not slow"], LONG, True, marks=pytest.mark.slow),
        (["tests"], "def test_one(): assert False\n", False),
        (["tests", "-k", "one"], "def test_one(): pass\ndef test_two(): pass\n", False),
    ],
    ids=["passed", "passed in workers", "failed", "chosen by name"],
)
def test_only_a_whole_run_that_passed_leaves_the_record(
    stage: Stage, words: list[str], text: str, *, is_left: bool
) -> None:
    (stage.root / "tests").mkdir()
    (stage.root / "tests/test_it.py").write_text(text, "utf-8")
    commit(stage.root)
    script = PLUGIN.format(root=str(ROOT), folder=str(stage.root))
    given = [str(stage.root / words[0]), *words[1:]]
    command = [sys.executable, "-B", "-c", script, *given]
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run(command, cwd=stage.root, env=environ, capture_output=True, check=False)  # noqa: S603 - our own words
    assert (read(stage.root) is not None) is is_left


def test_make_test_loads_the_plugin() -> None:
    makefile = Path(ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(
        r"^test:.*\n\t@\$\(PY\) -m pytest [^\n]* -p infra\.azure\.deploy\.test_record_plugin\b", makefile, re.MULTILINE
    )
