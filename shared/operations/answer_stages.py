"""Names the stages that answer a deal of Microsoft's, from the mapping file."""

from shared.domain.deal import STATUS
from shared.mapping.translation import Translation

UNTIL = "before Answer By ends"


def how_to_answer(translation: Translation) -> str:
    """Say which stages accept an unanswered deal, and which decline it (docs/protocol.md#accept-decline-and-close)."""
    stages, answers = list(translation.file.stage_table()), translation.rules.answers
    label = translation.rules[STATUS].label if STATUS in translation.rules.by_field else "Stage"
    declining = {"Declined", "Lost"} if answers.lost_declines else {"Declined"}
    accept = [stage.name for stage in stages if stage.status.is_accepted]
    decline = [stage.name for stage in stages if stage.status.is_final and stage.status.substatus in declining]
    said = [f"To accept it {UNTIL}, set {label} to {_or(accept)}."] if accept else []
    if decline:
        said.append(f"To decline it, choose a Closing Reason and set {label} to {_or(decline)}.")
    else:
        said.append("No stage of the mapping file declines it: decline it in Partner Center.")
    return " ".join(said)


def _or(names: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
