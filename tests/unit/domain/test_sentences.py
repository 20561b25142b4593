"""Every sentence that a seller reads stands in one place, and every code that is used has one."""

import re
from pathlib import Path
from string import Formatter

import pytest

from shared.domain.latches import CLOSED_IS_FINAL, NO_SUCH_MOVE, NOT_ANSWERED
from shared.domain.plan import REQUIRED
from shared.domain.sentences import CAUSES, SENTENCES, cause, sentence

SHARED = Path(__file__).parents[3] / "shared"
CODE = "\n".join(path.read_text("utf-8") for path in SHARED.rglob("*.py"))


def blanks(*templates: str) -> dict[str, object]:
    return {name: "{x}" for template in templates for _, name, _, _ in Formatter().parse(template) if name}


@pytest.mark.parametrize("code", CAUSES)
def test_a_cause_says_what_is_wrong_and_what_to_do(code: str) -> None:
    found = cause(code, "field", **blanks(*CAUSES[code]))
    assert found.code == code
    for text in (found.reason, found.remedy):
        assert text[0].isupper() or text.startswith("{x}")
        assert text[-1] in ".?"


@pytest.mark.parametrize("code", SENTENCES)
def test_a_value_with_braces_is_no_template(code: str) -> None:
    said = blanks(SENTENCES[code])
    assert sentence(code, **said).count("{x}") == len(re.findall(r"{", SENTENCES[code]))


def test_every_code_that_the_code_asks_for_is_known() -> None:
    assert set(re.findall(r"\bcause\(\s*\"(\w+)\"", CODE)) <= set(CAUSES)
    assert set(re.findall(r"\bsentence\(\s*\"(\w+)\"", CODE)) <= set(SENTENCES)


@pytest.mark.parametrize("code", [latch.code for latch in (CLOSED_IS_FINAL, NO_SUCH_MOVE, NOT_ANSWERED)])
def test_every_latch_can_be_explained(code: str) -> None:
    assert code in CAUSES


@pytest.mark.parametrize("name", [name for name in REQUIRED if name != "status"])
def test_whatever_a_create_lacks_can_be_explained(name: str) -> None:
    """A status is never missing: a stage that means none is a problem of its own."""
    assert cause(f"missing_{name}").reason


def test_no_sentence_is_left_over() -> None:
    codes = set(re.findall(r"\"(\w+)\"", CODE.replace((SHARED / "domain/sentences.py").read_text("utf-8"), "")))
    missing = {f"missing_{name}" for name in REQUIRED}
    assert (set(CAUSES) | set(SENTENCES)) - codes - missing == set()
