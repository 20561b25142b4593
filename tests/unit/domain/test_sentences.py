"""Every code has a sentence for sellers, and every sentence is used (docs/protocol.md#sentences-for-sellers)."""

import re
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter

import pytest

from shared.domain.audit import Line, text_line
from shared.domain.latches import CLOSED_IS_FINAL, NO_SUCH_MOVE, NOT_ANSWERED
from shared.domain.obstacles import REQUIRED
from shared.domain.sentences import CAUSES, HEADINGS, SENTENCES, LineDirection, cause, is_reported

SHARED = Path(__file__).parents[3] / "shared"
CODE = "\n".join(path.read_text("utf-8") for path in SHARED.rglob("*.py"))

CATALOGUE = {**SENTENCES, **{code: " ".join(texts) for code, texts in CAUSES.items()}}
"""The sentence of every code of an audit line."""
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


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


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_value_with_braces_is_not_used_as_a_template(code: str) -> None:
    values = {name: str(value) for name, value in placeholder_values(CATALOGUE[code]).items()}
    assert Line(NOW, code, values=values).text.count("{x}") == len(re.findall(r"{", CATALOGUE[code]))


@pytest.mark.parametrize("direction", LineDirection)
def test_every_direction_has_a_heading(direction: LineDirection) -> None:
    line = Line(NOW, "past_closing", direction, values={"value": "2026-01-31"})
    sentence = "Close Date 2026-01-31 has passed and the deal is open. Please enter a new date."
    assert line.text == f"{HEADINGS[direction]}: {sentence}"


def test_no_code_is_both_a_sentence_and_a_cause() -> None:
    assert set(SENTENCES) & set(CAUSES) == set()


def test_the_text_of_an_earlier_build_is_shown_as_it_is() -> None:
    text = "To Partner Center: Amount {label} → 200.00 USD; Close Date empty → 2027-01-31."
    assert text_line(NOW, text).text == text


@pytest.mark.parametrize("line", [Line(NOW, "changed", values={"label": "Amount"}), Line(NOW, "of_a_later_build")])
def test_a_line_that_cannot_be_rendered_is_shown_as_a_sentence_that_says_so(line: Line) -> None:
    assert line.text == SENTENCES["unreadable_line"]


def test_every_cause_and_sentence_that_the_code_uses_exists() -> None:
    assert set(re.findall(r"\bcause\(\s*\"(\w+)\"", CODE)) <= set(CAUSES)
    codes = set(re.findall(r"\bLine\(\s*[^\s,]+,\s*\"(\w+)\"", CODE)) | set(re.findall(r"_note\(\"(\w+)\"", CODE))
    assert codes <= set(CATALOGUE)
    assert len(codes) > 12, "the codes of lines were found"


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


def test_a_line_about_a_cause_has_its_reason_and_its_remedy() -> None:
    found = cause("missing_name", "name")
    assert Line(NOW, "missing_name").text == f"{found.reason} {found.remedy}"


def test_a_reason_without_values_is_known_in_an_earlier_wording_and_one_with_values_is_not() -> None:
    assert is_reported(cause("missing_name", "name"), ["missing_name:in other words"])
    fixed = cause("fixed_there", "notes", label="Notes", before="old", after="new")
    assert not is_reported(fixed, ["fixed_there:in other words"])
    assert is_reported(fixed, [fixed.key])
