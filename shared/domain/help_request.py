"""The request for help that Microsoft gets for a deal: at most one, and it cannot be taken back.

It is stored with the link before it is sent, and it stays there when the lease ends: while its outcome is unknown, the
other values of the pair go on. Source: docs/protocol.md#asking-microsoft-for-help.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from shared.domain.deal import VISIBILITY, Deal, Side, fingerprint
from shared.domain.sharing import Sharing

HELP, NOTES_TO_MICROSOFT = "help", "notes_to_microsoft"
"""The two fields, by their names in the mapping file."""
HELP_KEY, NOTES_KEY = f"{Side.PARTNER_CENTER}.{HELP}", f"{Side.PARTNER_CENTER}.{NOTES_TO_MICROSOFT}"
"""The keys of what is not sent of them."""
UNCONFIRMED = "help_unconfirmed"
"""The code of the question whether Microsoft was asked."""
LEFT = "help_left"
"""The key under which an un-ticked deal remembers that nobody looks for its request any more."""


class AskedBy(StrEnum):
    """Who made Microsoft take part in a deal."""

    SYNC = "sync"
    COLLEAGUE = "colleague"
    MICROSOFT = "microsoft"
    """Microsoft sent the deal: no help can be asked for."""


class HelpStep(StrEnum):
    """What the sync does next about a request for help."""

    ASK = "ask"
    LOOK = "look"
    """An earlier request is looked for. It is sent again only if lists show such records, and none is there."""
    FORGET = "forget"


class HelpRequest(Struct, frozen=True):
    """One request for help.

    code         Partner Center's code of the help; None where nobody has seen it
    notes        the fingerprint of the notes to Microsoft; None where nobody has seen them
    decided      when it was sent, or found
    is_asked     whether it is known that Microsoft has it; else its outcome is unknown
    is_question  whether a person must say if Microsoft has it
    asked_by     who asked
    referral_id  the id of Microsoft's record; None where nobody has seen it
    is_shown     whether the opportunity shows it: the fields of one that a colleague asked about may be empty
    unknown      keys that a later build stored, as in `Link`
    """

    code: str | None
    notes: str | None
    decided: datetime
    is_asked: bool = False
    is_question: bool = False
    asked_by: AskedBy = AskedBy.SYNC
    referral_id: str | None = None
    is_shown: bool = True
    unknown: Mapping[str, Any] = field(default_factory=dict)


def sharing_mark(sharing: Sharing) -> str:
    """The fingerprint of what is shared with Microsoft: the wait for it begins anew when it changes."""
    return fingerprint(f"{sharing.deal_type}:{sharing.code}:{sharing.notes}")


def whole_mark(deal: Deal, sharing: Sharing) -> str:
    """The fingerprint of a whole deal: a refused one is tried again when it changes, also in what Microsoft is asked.

    Stored rows hold fingerprints of deals without help, so those must not change.
    """
    whole = fingerprint(deal)
    return fingerprint(f"{whole}:{sharing.help}:{sharing.notes}") if sharing.help else whole


def request_mark(deal: Deal, sharing: Sharing) -> str:
    """The fingerprint of a request and its deal. The tick that the request itself sets does not count."""
    return whole_mark(deal.without(VISIBILITY), sharing)
