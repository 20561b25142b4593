"""The docs and what is run say the same, links lead somewhere, and no file names what it must not."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from emulators.base.faults import FaultKind
from shared.app import App
from shared.operations.health import health_report
from tests.unit.docs.docs_reader import (
    DOCS,
    PAGES,
    ROOT,
    anchors,
    bare,
    found_in,
    links,
    rows,
    section,
    table,
    text,
    tracked,
)

# --- what is run ------------------------------------------------------------------------------------------------------


def test_every_key_of_the_health_answer_stands_in_the_runbook_and_the_reverse() -> None:
    said = SimpleNamespace(environment="production", sync="on", push_paused=False, pull_paused=False)
    app = SimpleNamespace(
        store=SimpleNamespace(cursor=lambda _: None),
        settings=SimpleNamespace(sync=said),
        translation=SimpleNamespace(hash=""),
    )
    assert list(table("troubleshooting.md", "Is all well?")) == list(health_report(cast("App", app)))


def test_every_function_stands_there_and_the_reverse() -> None:
    first = section("how-data-moves.md", "How data moves").partition("\n## ")[0]
    assert {bare(row[0]) for row in rows(first)} == set(found_in("functions", r'function_name\("(\w+)"\)'))


def test_every_target_of_the_makefile_stands_in_the_readme_and_the_reverse() -> None:
    makefile = text("Makefile")
    targets = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    told = {row[0].strip("`").removeprefix("make ") for row in rows(text("README.md")) if row[0].startswith("`make ")}
    assert told == targets
    said = re.compile(r"`make ([a-z]+)|^make ([a-z]+)(?: DEALS=\d+)?$", re.MULTILINE)
    mentioned = {first or second for page in PAGES for first, second in said.findall(page.read_text(encoding="utf-8"))}
    assert mentioned <= set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


# --- emulators --------------------------------------------------------------------------------------------------------

CONTROLS = {
    "emulators.md": ("emulators/base/emulator.py",),
    "emulators-key-vault.md": ("emulators/key_vault/emulator.py",),
    "emulators-partner-center.md": tuple(
        f"emulators/{name}.py"
        for name in ("partner_center/control_api", "entra/emulator", "partner_center/certificate_host")
    ),
}
SHARED_CONTROLS = {"journal", "faults", "clock", "reset"}


@pytest.mark.parametrize("page", CONTROLS)
def test_every_control_route_stands_there_and_the_reverse(page: str) -> None:
    code = "\n".join((ROOT / path).read_text(encoding="utf-8") for path in CONTROLS[page])
    routes = set(re.findall(r'"(?:GET|POST|DELETE)", (?:f"\{CONTROL\}|")(?:/_control)?/([\w-]+)"', code))
    told = set(re.findall(r"/_control/([\w-]+)", text(page)))
    own = SHARED_CONTROLS if page == "emulators.md" else set()
    assert told - (SHARED_CONTROLS - own) == routes


def test_every_kind_of_fault_stands_there_and_the_reverse() -> None:
    kinds = section("emulators.md", "Faults")
    assert {bare(row[0]) for row in rows(kinds)} == set(FaultKind)


# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    broken = []
    for target in links(path):
        if re.match(r"https?://", target):
            continue
        file, _, anchor = target.partition("#")
        page = (path.parent / file).resolve() if file else path
        if not page.is_file() or (anchor and anchor not in anchors(page)):
            broken.append(target)
    assert broken == []


def test_the_readme_leads_to_every_page() -> None:
    led = {(ROOT / target.partition("#")[0]).resolve() for target in links(ROOT / "README.md")}
    assert set(DOCS.rglob("*.md")) <= led


def test_every_page_that_the_code_names_exists() -> None:
    named = {
        page
        for path in tracked()
        if path.suffix in {".py", ".toml", ".json"} and path != Path(__file__)
        for page in re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text(encoding="utf-8"))
    }
    assert sorted(page for page in named if not (ROOT / page).exists()) == []


def test_every_path_that_a_page_names_exists() -> None:
    """In code marks; `NAME`, `*` and the like stand for something."""
    path = re.compile(r"`((?:shared|functions|emulators|infra|local|tests|docs)/[a-z_0-9./-]+)`")
    named = {found for page in PAGES for found in path.findall(page.read_text(encoding="utf-8"))}
    assert len(named) > 10
    assert sorted(found for found in named if not (ROOT / found).exists()) == []


FORBIDDEN = {
    "a package registry": re.compile(r"(?:pypi|pythonhosted|npmjs)[.](?:org|com)|index-url[ =]http"),
    "a path of one machine": re.compile(r"/(?<![\w.}/]/)(?:work|home|root|Users)/"),
    "a path of one Windows machine": re.compile(r":\\Users"),
    "a neighbour of the checkout": re.compile(r"[.][.]/shared"),
    "an unfinished merge": re.compile(r"\n(?:<{7}|>{7}) "),
}


def test_no_tracked_file_names_a_registry_or_a_path_of_one_machine() -> None:
    if not tracked():
        pytest.skip("this is no git checkout: nothing is tracked")
    found = []
    for path in tracked():
        try:
            content = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {what}" for what, text_ in FORBIDDEN.items() if text_.search(content)]
    assert found == []
