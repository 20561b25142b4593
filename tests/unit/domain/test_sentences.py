"""Every code has a sentence for sellers, and every sentence is used (docs/protocol.md#sentences-for-sellers)."""

import re
from pathlib import Path
from string import Formatter

import pytest

from shared.domain.latches import CLOSED_IS_FINAL, NO_SUCH_MOVE, NOT_ANSWERED
from shared.domain.plan import REQUIRED
from shared.domain.sentences import CAUSES, SENTENCES, cause, sentence

SHARED = Path(__file__).parents[3] / "shared"
CODE = "\n".join(path.read_text("utf-8") for path in SHARED.rglob("*.py"))


def placeholder_values(*templates: str) -> dict[str, object]:
    """A value for each placeholder of the templates. The value is itself a placeholder, which must stay as it is."""
    return {name: "{x}" for template in templates for _, name, _, _ in Formatter().parse(template) if name}


@pytest.mark.parametrize("code", CAUSES)
def test_the_reason_and_the_remedy_of_a_cause_are_whole_sentences(code: str) -> None:
    result = cause(code, "field", **placeholder_values(*CAUSES[code]))
    assert result.code == code
    for text in (result.reason, result.remedy):
        assert text[0].isupper() or text.startswith("{x}")
        assert text[-1] in ".?"


@pytest.mark.parametrize("code", SENTENCES)
def test_a_value_with_braces_is_not_used_as_a_template(code: str) -> None:
    values = placeholder_values(SENTENCES[code])
    assert sentence(code, **values).count("{x}") == len(re.findall(r"{", SENTENCES[code]))


def test_every_cause_and_sentence_that_the_code_uses_exists() -> None:
    assert set(re.findall(r"\bcause\(\s*\"(\w+)\"", CODE)) <= set(CAUSES)
    assert set(re.findall(r"\bsentence\(\s*\"(\w+)\"", CODE)) <= set(SENTENCES)


@pytest.mark.parametrize("code", [latch.code for latch in (CLOSED_IS_FINAL, NO_SUCH_MOVE, NOT_ANSWERED)])
def test_every_latch_has_a_cause(code: str) -> None:
    assert code in CAUSES


@pytest.mark.parametrize("name", [name for name in REQUIRED if name != "status"])
def test_every_value_that_a_create_requires_has_a_cause(name: str) -> None:
    """A status is never missing: a stage without a status has a cause of its own."""
    assert cause(f"missing_{name}").reason


def test_every_cause_and_sentence_is_used() -> None:
    codes = set(re.findall(r"\"(\w+)\"", CODE.replace((SHARED / "domain/sentences.py").read_text("utf-8"), "")))
    missing = {f"missing_{name}" for name in REQUIRED}
    assert (set(CAUSES) | set(SENTENCES)) - codes - missing == set()
