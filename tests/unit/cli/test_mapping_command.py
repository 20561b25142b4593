"""`cosell mapping`: what it prints of a file, as a person and as a script read it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from local.systems import Systems
from shared.app import App
from shared.cli.environment import Environment, read_environment, write_environment
from shared.cli.main import app
from shared.mapping.file_schema import file_schema
from shared.mapping.validation import load_mapping
from shared.sync.runs import run_push
from tests.unit.cli.golden_text import WIDTH, check_golden

TEXT = """extends = "default"
remove = ["contacts"]

[fields.money]
winner = "partner_center"
"""
NEXT = """extends = "default"
remove = ["contacts"]
notify_owner = "none"

[fields.money]
winner = "partner_center"

[fields.name]
length = 80

[fields.notes]
direction = "to_salesforce"

[fields.next_step]
type = "text"
label = "Next Step"
referral = "/nextStep"
salesforce = "NextStep"
"""


@pytest.fixture
def systems(all_systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systems:
    """The state after `make serve`, and a mapping file in the current folder."""
    environ = {**all_systems.environ, "STORE_FILE": str(tmp_path / "store.sqlite")}
    for name in (*environ, "MAPPING"):
        monkeypatch.setenv(name, "removed again, so that the fixture restores it")
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("shared.cli.output.PLAIN_WIDTH", WIDTH)
    write_environment(Environment("local", environ))
    (tmp_path / "acme.toml").write_text(TEXT, encoding="utf-8")
    all_systems.reset()
    return all_systems


@pytest.fixture(autouse=True)
def _restored_environment() -> Iterator[None]:
    environ = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(environ)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["mapping", *words, "--env", "local"])


@pytest.mark.usefixtures("systems")
def test_show_prints_a_file_that_means_the_same(tmp_path: Path) -> None:
    result = run("show", "--file", "acme.toml")
    assert result.exit_code == 0
    check_golden("mapping-show", result.stdout)
    shown = tmp_path / "shown.toml"
    shown.write_text(result.stdout, encoding="utf-8")
    assert load_mapping(shown) == load_mapping(tmp_path / "acme.toml")


@pytest.mark.usefixtures("systems")
def test_show_gives_a_script_each_key_with_its_origin() -> None:
    document = json.loads(run("show", "--file", "acme.toml", "--json").stdout)
    assert (document["ok"], document["removed"]) == (True, ["contacts"])
    winner = {"key": "fields.money.winner", "value": "partner_center", "file": "acme.toml", "line": 5}
    assert winner in document["keys"]


def test_show_without_a_file_shows_the_one_of_the_environment(systems: Systems) -> None:
    write_environment(Environment("local", {**systems.environ, "MAPPING": "acme.toml"}))
    assert run("show").stdout.startswith("# acme.toml, hash ")


@pytest.mark.usefixtures("systems")
def test_explain_says_what_a_field_does() -> None:
    result = run("explain", "Amount", "--file", "acme.toml")
    assert result.exit_code == 0
    check_golden("mapping-explain", result.stdout)


@pytest.mark.usefixtures("systems")
def test_explain_of_no_field_fails() -> None:
    result = run("explain", "mony", "--file", "acme.toml")
    assert result.exit_code == 2
    assert "Did you mean money?" in result.stdout


@pytest.mark.usefixtures("systems")
def test_schema_prints_the_json_schema() -> None:
    printed = run("schema").stdout
    assert json.loads(printed) == file_schema()
    check_golden("mapping-schema", "".join(f"{line}\n" for line in outline(file_schema())))


MOST_SHOWN = 12
"""Longer choices, such as countries and currencies, are counted."""


def outline(node: dict[str, Any], path: str = "") -> Iterator[str]:
    """Each key of a schema with what it may hold; the choices of a list in the order in which they are printed."""
    choice = node.get("enum", ())
    kinds = [node.get("type"), node.get("$ref"), node.get("const"), " ".join(map(str, choice[:MOST_SHOWN]))]
    more = f"and {len(choice) - MOST_SHOWN} more" if len(choice) > MOST_SHOWN else None
    yield f"{path or 'file'}: {', '.join(str(each) for each in (*kinds, more) if each)}"
    for name, each in {**node.get("properties", {}), **node.get("$defs", {})}.items():
        if isinstance(each, dict):
            yield from outline(each, f"{path}.{name}".lstrip("."))


def test_the_schema_is_the_same_in_each_process() -> None:
    words = [sys.executable, "-c", "from shared.mapping.file_schema import file_schema; print(file_schema())"]
    printed = {
        subprocess.run(words, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout  # noqa: S603 - our own code
        for seed in ("1", "2")
    }
    assert len(printed) == 1


@pytest.mark.usefixtures("systems")
def test_check_of_the_default_finds_nothing() -> None:
    result = run("check")
    check_golden("mapping-check", result.stdout)
    assert result.exit_code == 0


@pytest.mark.usefixtures("systems")
def test_a_file_with_a_byte_order_mark_is_told(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(TEXT, encoding="utf-8-sig")
    document = json.loads(run("check", "--file", "acme.toml", "--json").stdout)
    found = {check["name"]: check["found"] for check in document["checks"]}
    assert "begins with a byte order mark" in found["mapping file"]


@pytest.mark.usefixtures("systems")
def test_a_file_that_is_not_there_is_told() -> None:
    result = run("check", "--file", "none.toml")
    assert (result.exit_code, result.stdout) == (2, "Error: none.toml is not a file\n")


@pytest.mark.usefixtures("systems")
def test_a_file_that_fits_leads_to_the_next_command() -> None:
    result = run("check", "--file", "acme.toml")
    assert result.stdout.splitlines()[-1] == (
        "To see what it would change, run `cosell mapping diff --env local acme.toml`."
    )


@pytest.mark.usefixtures("systems")
def test_a_wrong_file_is_the_only_thing_that_is_checked(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text('extends = "acme.toml"\n', encoding="utf-8")
    result = run("check", "--file", "acme.toml", "--json")
    checks = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    assert result.exit_code == 1
    assert "which is this file itself" in checks["mapping file"]["found"]
    assert {checks[name]["result"] for name in ("stages", "column types", "latches")} == {"skipped"}


@pytest.fixture
def linked(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two linked deals."""
    with monkeypatch.context() as patch:
        for name, value in {**systems.environ, "STORE_FILE": read_environment("local").settings["STORE_FILE"]}.items():
            patch.setenv(name, value)
        for name in ("First", "Second"):
            systems.seller_creates(name, Amount=25_000)
        with closing(App()) as connector:
            run_push(connector.context)


@pytest.mark.usefixtures("linked")
def test_diff_says_what_would_change_for_how_many_links(tmp_path: Path) -> None:
    (tmp_path / "next.toml").write_text(NEXT, encoding="utf-8")
    result = run("diff", "next.toml")
    check_golden("mapping-diff", result.stdout)
    assert result.exit_code == 0


def test_diff_of_a_file_that_means_the_same_finds_nothing(systems: Systems, tmp_path: Path) -> None:
    (tmp_path / "next.toml").write_bytes(b"# a comment\n" + Path(systems.environ["MAPPING"]).read_bytes())
    document = json.loads(run("diff", "next.toml", "--json").stdout)
    assert (document["ok"], document["changes"]) == (True, [])
