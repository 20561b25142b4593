"""Decides whether a stage in Salesforce is the answer of a person, or a question to one. Pure.

A flow or another automation may set a stage that nobody has chosen. It is not sent to Microsoft.

Source: docs/protocol.md#answers-that-nobody-gave.
"""

from copy import replace
from datetime import datetime

from shared.domain.cause import Cause
from shared.domain.deal import Status, Value, fingerprint
from shared.domain.link import Difference, Link
from shared.domain.records import Opportunity
from shared.domain.sentences import cause

UNASKED = "unasked_stage"
_REFUSED_KEY = "partner_center.status"
UNSEEN_INSERT = "unseen_insert"
"""The key under which a link remembers, until it is planned, that the insert of its opportunity was not read back.

Another stage than the intended one may then be automation's, whoever has saved since.
"""


def question_key(stage: str) -> str:
    """The key under which the link remembers that a stage is a question."""
    return f"{UNASKED}:{stage}"


def answer_key(status: Value | None) -> str:
    """The key under which the link remembers that a person has chosen a status that is not sent yet.

    Our own write-back makes the connector's user the last one who saved, so it can be asked only once.
    """
    return f"answer:{fingerprint(status)}"


def without_questions(link: Link) -> Link:
    """The link of an opportunity whose stage was replaced by Partner Center's status: no stage is a question now."""
    return replace(link, reported=tuple(key for key in link.reported if not key.startswith(f"{UNASKED}:")))


def stage_cause(opportunity: Opportunity, kept: Status | None) -> Cause:
    """Why a stage is a question, with the status that Partner Center keeps."""
    return cause(UNASKED, "status", value=opportunity.stage, kept=kept)


def question_record(known: Difference | None, status: Value | None, now: datetime) -> Difference:
    """The record of a status that is not sent because it is a question; the link's own if it is the same."""
    asked = Difference(fingerprint(status), UNASKED, now)
    return known if known and (known.value, known.code) == (asked.value, UNASKED) else asked


def is_question(link: Link, opportunity: Opportunity, own_user: str) -> bool:
    """Whether nobody has chosen the opportunity's stage, as far as we know. `own_user` is the connector's user.

    A question stands until a person chooses another stage: an edit of another field is no answer.
    """
    status = opportunity.deal.get("status")
    if question_key(opportunity.stage) in link.reported or UNSEEN_INSERT in link.reported:
        return True
    if answer_key(status) in link.reported or _is_on_record(link, status):
        return False
    return opportunity.is_automated or opportunity.modified_by == own_user


def _is_on_record(link: Link, status: Value | None) -> bool:
    """Whether this status waits or was refused as a person's, also by a build that stored no key for it."""
    known = (link.waiting.get("status"), link.refused.get(_REFUSED_KEY))
    return any(one is not None and one.value == fingerprint(status) and one.code != UNASKED for one in known)
