"""Names what a person can choose where a remedy asks for a stage or a closing reason: columns and their values.

Source: docs/protocol.md#accept-decline-and-close, docs/protocol.md#closing-reasons.
"""

from collections.abc import Iterator, Mapping

from shared.domain.answering import ASKED_FOR
from shared.domain.closing_reasons import MISTAKE, NOT_WON
from shared.domain.deal import STATUS
from shared.mapping.translation import Translation

UNTIL = "before Answer By ends"
REASON = "Closing Reason"
ACTIVE, LOST, CLOSED = "active", "lost or declined", "closed"
STAGES_OF: Mapping[str, tuple[str, ...]] = {
    "already_accepted": (ACTIVE, LOST),
    "help_not_answered": (ACTIVE,),
    "no_such_move": (ACTIVE, CLOSED),
    "not_answered": (ACTIVE, CLOSED),
    "stage_on_hold": (ACTIVE,),
    "unknown_stage": (ACTIVE, CLOSED),
}
"""The kinds of stages that the remedy of a cause asks for."""


def how_to_answer(translation: Translation) -> str:
    """Say which stages accept an unanswered deal, and which decline it with which reason."""
    stages, column = _stages(translation), _stage_column(translation)
    declining = stages[LOST] if translation.rules.answers.lost_declines else _named(translation, {"Declined"})
    said = [f"To accept it {UNTIL}, set {column} to {_or(stages[ACTIVE])}."] if stages[ACTIVE] else []
    if declining:
        said.append(f"To decline it, set {column} to {_or(declining)}{_reason_of_decline(translation)}.")
    else:
        said.append("No stage of the mapping file declines it: decline it in Partner Center.")
    return " ".join(said)


def _reason_of_decline(translation: Translation) -> str:
    """The reason that a decline asks for; empty where the org has no column for it."""
    if translation.org is not None and translation.org.hides(translation.file.ours.reason):
        return ""
    return f", and {_reason_column(translation)} to one of these: {'; '.join(NOT_WON)}"


def with_choices(translation: Translation, code: str, remedy: str) -> str:
    """The remedy of a cause, with the column of a stage or reason that it asks for, and the stages of each kind."""
    return " ".join((remedy, *_choices(translation, code)))


def _choices(translation: Translation, code: str) -> Iterator[str]:
    stages = _stages(translation)
    if code in ASKED_FOR:
        lost, mistake = "; ".join(NOT_WON), "; ".join(MISTAKE)
        yield f"{_reason_column(translation)} has these values for a deal that is lost or declined: {lost}."
        yield f"And these for one that is closed as an error: {mistake}."
    for kind in STAGES_OF.get(code, ()):
        if stages[kind]:
            yield f"{_stage_column(translation)} has these {kind} stages: {', '.join(stages[kind])}."


def _stages(translation: Translation) -> Mapping[str, list[str]]:
    """The names of the stages of the mapping file by their kind."""
    stages = list(translation.file.stage_table())
    return {
        ACTIVE: [stage.name for stage in stages if stage.status.is_accepted],
        LOST: _named(translation, {"Declined", "Lost"}),
        CLOSED: [stage.name for stage in stages if stage.status.is_final],
    }


def _named(translation: Translation, substatuses: set[str]) -> list[str]:
    stages = translation.file.stage_table()
    return [stage.name for stage in stages if stage.status.is_final and stage.status.substatus in substatuses]


def _stage_column(translation: Translation) -> str:
    rules = translation.rules
    label = rules[STATUS].label if STATUS in rules.by_field else "Stage"
    return f"{label} ({translation.stage_column})"


def _reason_column(translation: Translation) -> str:
    return f"{REASON} ({translation.file.ours.reason})"


def _or(names: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
