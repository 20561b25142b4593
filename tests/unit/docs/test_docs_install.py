"""The guide, the runbook's alerts, and every command that a page names: all of it is there (part of `make check`)."""

import re
import shlex
from typing import Any

import pytest
import typer

from shared import __version__
from shared.cli.main import app
from tests.unit.docs.docs_reader import NAMES, ROOT, rows, section, text

INSIDE = re.compile(r"`(cosell [^`]+)`|^(cosell .+)$", re.MULTILINE)
GROUP = 2
"""Words of a group of commands, such as `cosell webhook`."""
ROOT_COMMAND = typer.main.get_command(app)


def alert_rules() -> set[str]:
    code = (ROOT / "infra/azure/modules/alerts.bicep").read_text(encoding="utf-8")
    return set(re.findall(r"^    name: '([\w-]+)'", code, re.MULTILINE))


def commands(command: Any = ROOT_COMMAND, name: str = "cosell") -> dict[str, Any]:  # noqa: ANN401 - of a vendored click
    """Every command by the words that are typed for it."""
    below = getattr(command, "commands", None)
    if not below:
        return {name: command}
    return {words: each for child, it in below.items() for words, each in commands(it, f"{name} {child}").items()}


def said_commands(page: str) -> list[str]:
    joined = re.sub(r"\s*\n\s*(?=--)", " ", text(page))  # a mark may be broken before an option
    return [" ".join((first or second).split()) for first, second in INSIDE.findall(joined)]


def faults(said: str) -> str | None:
    """What is wrong with a command of a page: no such command, or no such option of it."""
    known = commands()
    words = shlex.split(said)
    found = next((name for n in (3, 2) if (name := " ".join(words[:n])) in known), None)
    if found is None:
        is_group = len(words) == GROUP and any(name.startswith(f"{said} ") for name in known)
        return None if is_group else "no such command"
    options = {option for parameter in known[found].params for option in parameter.opts}
    unknown = {word for word in words if word.startswith("--")} - options
    return f"no such option: {sorted(unknown)}" if unknown else None


def test_every_alert_has_its_section_in_the_runbook_and_the_reverse() -> None:
    told = re.findall(r"^### ([\w-]+)$", section("troubleshooting.md", "Alerts"), re.MULTILINE)
    assert len(told) == len(set(told))
    assert set(told) == alert_rules()
    for name in told:
        under = section("troubleshooting.md", name)
        assert "Means:" in under, name
        assert "emedy" in under or "| then |" in under, name


@pytest.mark.parametrize("page", NAMES)
def test_every_command_that_a_page_names_can_be_typed(page: str) -> None:
    assert {said: fault for said in said_commands(page) if (fault := faults(said))} == {}


@pytest.mark.parametrize("said", ["cosell dance", "cosell doctor --gently", "cosell webhook sing"])
def test_a_command_that_is_none_would_be_found(said: str) -> None:
    assert faults(said)


def test_every_command_has_its_section_and_the_reverse() -> None:
    headings = set(re.findall(r"^###? `(cosell [^`]+)`$", text("command-line.md"), re.MULTILINE))
    told = {re.sub(r" [A-Z]+$", "", heading) for heading in headings}
    every = set(commands())
    groups = {name.rpartition(" ")[0] for name in every if name.count(" ") > 1}
    assert every <= told | {"cosell version"}
    assert told <= every | groups


def test_the_guide_takes_the_steps_that_are_walked() -> None:
    walked = (ROOT / "tests/e2e/test_install_walk.py").read_text(encoding="utf-8")
    steps = {name for said in said_commands("install.md") for name in commands() if said.startswith(name)}
    assert len(steps) > 6
    spoken = {name: '", "'.join(name.split()[1:]) for name in steps - {"cosell webhook show"}}
    assert [name for name, words in spoken.items() if f'"{words}"' not in walked] == []


def test_every_step_of_the_guide_says_how_long_and_who() -> None:
    steps = re.findall(r"^## (\d+\. .+)$", text("install.md"), re.MULTILINE)
    assert [int(step.partition(".")[0]) for step in steps] == list(range(1, 11))
    for step in steps:
        first = section("install.md", step).strip().splitlines()[0]
        assert re.match(r"\*[^*]*\b(minutes|hours?)\b[^*]*\.", first), step


def test_every_step_of_the_former_connector_has_an_answer() -> None:
    answers = rows(section("install.md", "The former connector's steps, and ours"))
    assert len(answers) >= 20
    assert all(len(row) == 2 and all(row) for row in answers)


def test_the_ids_of_the_guide_are_guids_that_stand_once() -> None:
    found = re.findall(
        r"`([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})`", section("install.md", "1. Partner Center and Entra ID")
    )
    assert len(found) == len(set(found)) == 2


def test_the_newest_release_of_the_changelog_is_this_version() -> None:
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", text("CHANGELOG.md"), re.MULTILINE)
    assert released[0] == __version__
