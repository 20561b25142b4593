"""The docs match what can be run, every link and path exists, and no file names a registry or one machine's path."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from emulators.base.faults import FaultKind
from shared.app import App
from shared.foundation.clock import SystemClock
from shared.operations.health import health_report
from shared.store.stored_values import SideState
from tests.unit.docs.docs_reader import (
    DOCS,
    PAGES,
    ROOT,
    cells_by_name,
    heading_anchors,
    is_frozen,
    link_targets,
    matches_in,
    page_text,
    section_text,
    table_cells,
    tracked_files,
    without_backticks,
)

# --- what is run ------------------------------------------------------------------------------------------------------


def test_the_troubleshooting_page_lists_every_key_of_the_health_report() -> None:
    sync_settings = SimpleNamespace(environment="production", sync="on", paused=frozenset())
    nothing = dict.fromkeys(("org_shape", "organization"), lambda: None)
    app = SimpleNamespace(
        store=SimpleNamespace(cursor=lambda _: None, side_state=lambda _: SideState(), pauses=dict, **nothing),
        settings=SimpleNamespace(sync=sync_settings),
        translation=SimpleNamespace(hash=""),
        clock=SystemClock(),
    )
    assert list(cells_by_name("troubleshooting.md", "Is all well?")) == list(health_report(cast("App", app)))


def test_the_data_page_lists_every_function() -> None:
    introduction = section_text("how-data-moves.md", "How data moves").partition("\n## ")[0]
    assert {without_backticks(line[0]) for line in table_cells(introduction)} == set(
        matches_in("functions", r'function_name\("(\w+)"\)')
    )


def test_the_readme_lists_every_target_of_the_makefile() -> None:
    makefile = page_text("Makefile")
    targets = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    documented = {
        line[0].strip("`").removeprefix("make ")
        for line in table_cells(page_text("README.md"))
        if line[0].startswith("`make ")
    }
    assert documented == targets
    make_command = re.compile(r"`make ([a-z]+)|^make ([a-z]+)(?: DEALS=\d+)?$", re.MULTILINE)
    mentioned = {
        first or second for page in PAGES for first, second in make_command.findall(page.read_text(encoding="utf-8"))
    }
    assert mentioned <= set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


# --- emulators --------------------------------------------------------------------------------------------------------

CONTROLS = {
    "docs/emulators.md": ("emulators/base/emulator.py",),
    "docs/reference/emulator-of-key-vault.md": ("emulators/key_vault/emulator.py",),
    "docs/reference/emulator-of-partner-center.md": tuple(
        f"emulators/{name}.py"
        for name in ("partner_center/control_api", "entra/emulator", "partner_center/certificate_host")
    ),
}
SHARED_CONTROLS = {"journal", "faults", "clock", "reset"}


@pytest.mark.parametrize("page", CONTROLS)
def test_the_emulator_pages_list_every_control_route(page: str) -> None:
    code = "\n".join((ROOT / path).read_text(encoding="utf-8") for path in CONTROLS[page])
    routes = set(re.findall(r'"(?:GET|POST|DELETE)", (?:f"\{CONTROL\}|")(?:/_control)?/([\w-]+)"', code))
    documented = set(re.findall(r"/_control/([\w-]+)", page_text(page)))
    own = SHARED_CONTROLS if page == "docs/emulators.md" else set()
    assert documented - (SHARED_CONTROLS - own) == routes


def test_the_emulators_page_lists_every_kind_of_fault() -> None:
    kinds = section_text("emulators.md", "Faults")
    assert {without_backticks(line[0]) for line in table_cells(kinds)} == set(FaultKind)


# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_of_a_page_exists(path: Path) -> None:
    broken = []
    for target in link_targets(path):
        if re.match(r"https?://", target):
            continue
        file, _, anchor = target.partition("#")
        page = (path.parent / file).resolve() if file else path
        if not page.is_file() or (anchor and anchor not in heading_anchors(page)):
            broken.append(target)
    assert broken == []


def test_the_readme_links_to_every_page() -> None:
    linked = {(ROOT / target.partition("#")[0]).resolve() for target in link_targets(ROOT / "README.md")}
    assert set(DOCS.rglob("*.md")) <= linked


def test_every_page_that_the_code_names_exists() -> None:
    named = {
        page
        for path in tracked_files()
        if path.suffix in {".py", ".toml", ".json"} and path != Path(__file__) and not is_frozen(path)
        for page in re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text(encoding="utf-8"))
    }
    assert sorted(page for page in named if not (ROOT / page).exists()) == []


def test_every_path_that_a_page_names_exists() -> None:
    """Only paths in backticks, without placeholders such as `NAME` or `*`."""
    pattern = re.compile(r"`((?:shared|functions|emulators|infra|local|tests|docs)/[a-z_0-9./-]+)`")
    named = {path for page in PAGES for path in pattern.findall(page.read_text(encoding="utf-8"))}
    assert len(named) > 10
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


FORBIDDEN = {
    "a package registry": re.compile(r"(?:pypi|pythonhosted|npmjs)[.](?:org|com)|index-url[ =]http"),
    "a path of one machine": re.compile(r"/(?<![\w.}/]/)(?:work|home|root|Users)/"),
    "a path of one Windows machine": re.compile(r":\\Users"),
    "a neighbour of the checkout": re.compile(r"[.][.]/shared"),
    "an unfinished merge": re.compile(r"\n(?:<{7}|>{7}) "),
}


def test_no_tracked_file_names_a_registry_or_one_machines_path() -> None:
    if not tracked_files():
        pytest.skip("this is not a git checkout, so no file is tracked")
    unwanted = []
    for path in tracked_files():
        try:
            content = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        unwanted += [
            f"{path.relative_to(ROOT)}: {kind}" for kind, expression in FORBIDDEN.items() if expression.search(content)
        ]
    assert unwanted == []
