"""The install guide, the alerts of the troubleshooting page, and all commands that a page names match the code.

Part of `make check`.
"""

import re
import shlex
from typing import Any

import pytest
import typer

from shared import __version__
from shared.cli.main import app
from tests.unit.docs.docs_reader import PAGE_NAMES, ROOT, page_text, section_text, table_cells

COMMAND_ON_A_PAGE = re.compile(r"`(cosell [^`]+)`|^(cosell .+)$", re.MULTILINE)
WORDS_OF_A_GROUP = 2
"""How many words name a group of commands, such as `cosell webhook`."""
ROOT_COMMAND = typer.main.get_command(app)


def alert_rules() -> set[str]:
    """The names of the alerts that the deployment creates."""
    code = (ROOT / "infra/azure/modules/alerts.bicep").read_text(encoding="utf-8")
    return set(re.findall(r"^    name: '([\w-]+)'", code, re.MULTILINE))


def all_commands(command: Any = ROOT_COMMAND, name: str = "cosell") -> dict[str, Any]:  # noqa: ANN401 - of a vendored click
    """Every command, by the words that a person types for it."""
    subcommands = getattr(command, "commands", None)
    if not subcommands:
        return {name: command}
    return {
        typed: leaf
        for subname, subcommand in subcommands.items()
        for typed, leaf in all_commands(subcommand, f"{name} {subname}").items()
    }


def commands_on(page: str) -> list[str]:
    """The commands that a page names, in backticks or on a line of their own."""
    joined = re.sub(r"\s*\n\s*(?=--)", " ", page_text(page))  # a command may be broken before an option
    return [" ".join((first or second).split()) for first, second in COMMAND_ON_A_PAGE.findall(joined)]


def command_fault(typed: str) -> str | None:
    """The error of a command on a page: the command or one of its options does not exist. None if it can be typed."""
    words = shlex.split(typed)
    known = all_commands()
    if words[1].startswith("--"):
        known["cosell"] = ROOT_COMMAND
    command = next((name for n in (3, 2, 1) if (name := " ".join(words[:n])) in known), None)
    if command is None:
        is_group = len(words) == WORDS_OF_A_GROUP and any(name.startswith(f"{typed} ") for name in known)
        return None if is_group else "no such command"
    options = {option for parameter in known[command].params for option in parameter.opts}
    unknown = {word for word in words if word.startswith("--")} - options
    return f"no such option: {sorted(unknown)}" if unknown else None


def test_the_troubleshooting_page_has_a_section_for_every_alert() -> None:
    documented = re.findall(r"^### ([\w-]+)$", section_text("troubleshooting.md", "Alerts"), re.MULTILINE)
    assert len(documented) == len(set(documented))
    assert set(documented) == alert_rules()
    for name in documented:
        section = section_text("troubleshooting.md", name)
        assert "Means:" in section, name
        assert "emedy" in section or "| then |" in section, name


@pytest.mark.parametrize("page", PAGE_NAMES)
def test_every_command_that_a_page_names_exists(page: str) -> None:
    assert {typed: fault for typed in commands_on(page) if (fault := command_fault(typed))} == {}


@pytest.mark.parametrize("typed", ["cosell dance", "cosell doctor --gently", "cosell webhook sing"])
def test_an_unknown_command_or_option_is_found(typed: str) -> None:
    assert command_fault(typed)


def test_the_page_of_commands_has_a_section_for_every_command() -> None:
    headings = set(re.findall(r"^###? `(cosell [^`]+)`$", page_text("docs/reference/commands.md"), re.MULTILINE))
    documented = {re.sub(r" [A-Z]+$", "", heading) for heading in headings}
    all_typed = set(all_commands())
    groups = {name.rpartition(" ")[0] for name in all_typed if name.count(" ") > 1}
    assert all_typed <= documented | {"cosell version"}
    assert documented <= all_typed | groups


def test_the_install_test_takes_every_step_of_the_guide() -> None:
    install_test = (ROOT / "tests/e2e/test_install_walk.py").read_text(encoding="utf-8")
    steps = {name for typed in commands_on("install.md") for name in all_commands() if typed.startswith(name)}
    assert len(steps) > 6
    quoted = {name: '", "'.join(name.split()[1:]) for name in steps - {"cosell webhook show"}}
    assert [name for name, words in quoted.items() if f'"{words}"' not in install_test] == []


def test_every_step_of_the_guide_says_how_long_it_takes() -> None:
    steps = re.findall(r"^## (\d+\. .+)$", page_text("install.md"), re.MULTILINE)
    assert [int(step.partition(".")[0]) for step in steps] == list(range(1, 11))
    for step in steps:
        first_line = section_text("install.md", step).strip().splitlines()[0]
        assert re.match(r"\*[^*]*\b(minutes|hours?)\b[^*]*\.", first_line), step


def test_every_step_of_the_former_connector_has_its_counterpart() -> None:
    steps = table_cells(section_text("install.md", "The former connector's steps, and ours"))
    assert len(steps) >= 20
    assert all(len(line) == 2 and all(line) for line in steps)


def test_the_guide_names_two_different_ids_once_each() -> None:
    ids = re.findall(
        r"`([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})`", section_text("install.md", "1. Partner Center and Entra ID")
    )
    assert len(ids) == len(set(ids)) == 2


def test_the_newest_release_of_the_changelog_is_this_version() -> None:
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", page_text("CHANGELOG.md"), re.MULTILINE)
    assert released[0] == __version__
