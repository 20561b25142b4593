"""The link: one opportunity and one referral, what they last agreed on, and what is about to be written.

The link is also the lock of the pair: whoever works on it has written an intent into it (protocol.md section 3).
"""

from collections.abc import Mapping
from copy import replace
from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field

from shared.domain.cause import Cause
from shared.domain.deal import Deal, Value, fingerprint
from shared.domain.states import Mark, State

WHOLE = "partner_center.*"


class EffectKind(StrEnum):
    """The writes there are."""

    CREATE_REFERRAL = "create_referral"
    PATCH_REFERRAL = "patch_referral"
    WRITE_OPPORTUNITY = "write_opportunity"
    MARK_OPPORTUNITY = "mark_opportunity"
    CREATE_OPPORTUNITY = "create_opportunity"


class Effect(Struct, frozen=True):
    """One write to come: the values it sets, the values they displace, the version it was decided on, and when."""

    kind: EffectKind
    values: Deal = field(default_factory=Deal)
    displaced: Deal = field(default_factory=Deal)
    version: str | None = None
    decided: datetime | None = None


class Intent(Struct, frozen=True):
    """What is about to be written, in order; empty while its owner is still reading."""

    effects: tuple[Effect, ...] = ()

    def without(self, kind: EffectKind) -> "Intent":
        """This intent with the confirmed effect struck off."""
        return Intent(tuple(effect for effect in self.effects if effect.kind is not kind))

    def find(self, kind: EffectKind) -> Effect | None:
        """The effect of a kind, if it is still to come."""
        return next((effect for effect in self.effects if effect.kind is kind), None)


class Record(Struct, frozen=True):
    """A difference that is known and stays: a value that was refused, or one that waits.

    `value` is the fingerprint of the value that is not carried over; `since` is when it was first seen.
    """

    value: str
    code: str
    since: datetime


class Link(Struct, frozen=True):
    """One pair. Frozen: a change is a new link, written under the row's ETag.

    `etag` and `stamps` are the known versions of the referral and of the opportunity's queries; None or absent means
    unknown, so that the next look reads. `agreed` says that every mapped value was agreed at `etag`: only then may a
    push take the referral as the base has it. `refused` is by field and side ("partner_center.money"); `WHOLE` stands
    for a deal that was refused at its creation.
    """

    opportunity_id: str
    state: State = State.LIVE
    referral_id: str | None = None
    engagement_id: str | None = None
    base: Deal = field(default_factory=Deal)
    etag: str | None = None
    agreed: bool = False
    stamps: Mapping[str, str] = field(default_factory=dict)
    intent: Intent | None = None
    refused: Mapping[str, Record] = field(default_factory=dict)
    waiting: Mapping[str, Record] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    cause: Cause | None = None
    mark: Mark | None = None
    unwritten: bool = False

    def locked(self, *effects: Effect) -> "Link":
        """This link with an intent in it."""
        return replace(self, intent=Intent(effects))

    def released(self) -> "Link":
        """This link with nobody working on it."""
        return replace(self, intent=None)

    def knows(self, query: str, stamp: str | None) -> bool:
        """Whether the row with this stamp was seen already."""
        return stamp is not None and self.stamps.get(query) == stamp

    def refuses(self, key: str, value: Value | Deal | None) -> bool:
        """Whether exactly this value (or this whole deal) is on record as refused."""
        record = self.refused.get(key)
        return record is not None and record.value == fingerprint(value)


class Pointer(Struct, frozen=True):
    """What a referral id leads to: a link, or, while no opportunity exists yet, the intent to make one."""

    opportunity_id: str | None = None
    intent: Intent | None = None
