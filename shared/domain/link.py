"""The link: one opportunity and one referral, what they last agreed on, and what is about to be written.

The link is also the lock of the pair: an instance that works on it has stored an intent in it
(docs/protocol.md#lease-and-intent).
"""

from collections.abc import Mapping
from copy import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from shared.domain.answer_clock import AnswerTime
from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.deal import STATUS, TEAM, Deal, Side, Status, Value, fingerprint
from shared.domain.field_rules import Rules
from shared.domain.help_request import LEFT, HelpRequest
from shared.domain.joined_texts import refusal_mark
from shared.domain.leads import KnownLead
from shared.domain.link_states import Mark, State
from shared.domain.member_sets import without_details
from shared.domain.microsoft_record import HeardPartner, HeardRecord
from shared.domain.repeats import Repeats

WHOLE = "partner_center.*"
"""The key of a refusal of a whole deal at its creation."""

SET_AT_CREATION = "set_at_creation"
"""The code of a later difference of a value that travels only when a deal is created."""

CHOSEN_DEFAULT = "default"
"""The code of a value that stands in for one that a new deal lacked: nobody entered it, so it is never sent."""

REFUSED_BY_FAR_SIDE = "refused_by_"
"""Codes of refusals by a service. Refusals by a latch are decided again at each look."""
TRY_AGAIN = timedelta(hours=1)
"""How long after a refusal by Salesforce the same is written again, without a change of either side."""
REFUSED_BY_SALESFORCE = f"{REFUSED_BY_FAR_SIDE}{Side.SALESFORCE}"
"""The code of a value that Salesforce refused: it is tried again. Only another value ends the other refusals."""
UNREADABLY = "_unreadably"
REFUSED_UNREADABLY = frozenset(f"{REFUSED_BY_FAR_SIDE}{side}{UNREADABLY}" for side in Side)
"""The codes of values that a service, or what stands before it, refused without a reason. They are tried again too."""


WAS_DELETED, WAS_HIDDEN = "was_deleted", "was_hidden"
"""Why an opportunity is gone; each is the code of the sentence that says so."""


class EffectKind(StrEnum):
    """The kinds of writes."""

    CREATE_REFERRAL = "create_referral"
    PATCH_REFERRAL = "patch_referral"
    WRITE_OPPORTUNITY = "write_opportunity"
    MARK_OPPORTUNITY = "mark_opportunity"
    CREATE_OPPORTUNITY = "create_opportunity"


class Difference(Struct, frozen=True):
    """A known difference that stays: a refused value, or a value that waits.

    `value` is the fingerprint of the value that is not carried over; `since` is the time when it was first seen. `told`
    has the marks of the members of a list that were told one by one. `further` holds what a later build stored behind
    them.
    """

    value: str
    code: str
    since: datetime
    told: tuple[str, ...] = ()
    further: tuple[Any, ...] = ()


class Effect(Struct, frozen=True):
    """One coming write: the values that it sets, those that they replace, and the version and time of the decision.

    `unknown` holds the keys that a later build stored, as in `Link`. `ended` says that the run that made it has ended
    without knowing whether it took effect. `etag` is the version of the referral of which base and `values` hold
    everything (`known_versions.version_held`). `lines` report an opportunity that is created; `refused` and `cause` are
    those of its link. Only the run that creates it knows what Salesforce refused. `computed` names the fields that line
    items decided when the write was recorded.
    """

    kind: EffectKind
    values: Deal = field(default_factory=Deal)
    displaced: Deal = field(default_factory=Deal)
    version: str | None = None
    decided: datetime | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict)
    ended: bool = False
    etag: str | None = None
    lines: tuple[Line, ...] = ()
    refused: Mapping[str, Difference] = field(default_factory=dict)
    cause: Cause | None = None
    computed: tuple[str, ...] = ()


class Intent(Struct, frozen=True):
    """The coming writes, in order; empty while the instance still reads."""

    effects: tuple[Effect, ...] = ()

    def find(self, kind: EffectKind) -> Effect | None:
        """The effect of a kind, if it is not confirmed yet."""
        return next((effect for effect in self.effects if effect.kind is kind), None)

    @property
    def only_shows(self) -> bool:
        """Whether nothing but mark and audit is written, which may be written twice: no value is unknown."""
        return all(effect.kind is EffectKind.MARK_OPPORTUNITY for effect in self.effects)


class Unshown(Struct, frozen=True):
    """The columns of ours that Salesforce refused to take, and when: they are written again an hour later.

    `cause` is why it refused them last; None in a row of an earlier build.
    """

    columns: tuple[str, ...]
    since: datetime
    cause: Cause | None = None


class Gone(Struct, frozen=True):
    """Why an opportunity is gone, as the code of its sentence, since when, and whether its referral was closed since.

    `code` is WAS_DELETED or WAS_HIDDEN.
    """

    code: str
    since: datetime
    is_closed: bool = False


class Dated(Struct, frozen=True):
    """A version of the referral, and the `updatedDateTime` that it has."""

    etag: str
    updated: datetime


class Link(Struct, frozen=True):
    """One pair. Frozen: a change is a new link, stored under the row's ETag.

    base         the deal as both sides last agreed on it
    etag         the known version of the referral; None means unknown, so that the next look reads it
    agreed       whether every mapped value was agreed at `etag`: only then may a push take the referral from the base
    stamps       the known versions of the opportunity, by polling query; an absent one is unknown
    intent       what is about to be written; None while no instance works on the pair
    refused      refused values, by side and field ("partner_center.money")
    waiting      values that wait for a set time, by field
    reported     keys of the causes and warnings that the seller has already read; stored as `told`
    unwritten    whether audit lines or marks still have to be written back
    mapping      the hash of the mapping that the base was agreed under; None in a row of an earlier build
    sources      how each value of the base was read, by field
    inbox        the fingerprint of the inbox record that shows the opportunity; None where there is no record
    unshown      the columns of ours that Salesforce refused; None if it took all
    notice       how often the sync has tried to tell the owner of the new deal; None where nobody is to be told
    consented    whether the referral was created on the word of the checkbox that the customer has consented
    microsoft    what was heard of Microsoft's record; None where there is none
    partners     what was heard of the records of other partners, by referral id
    close_as_test whether the app closes the referral, because it is a test (`cosell close-test-referrals`)
    help         the request for help that Microsoft got, or may have got; None where it was never sent
    answer_by    until when we must answer the deal; None where nobody awaits an answer, or in a row of an earlier build
    lead         OPEN_LEAD or ACCEPTED_LEAD (`plan_lead.py`); None where the deal is none, and ticked if it was one
    erased       by field, fingerprints of values of a forgotten person that both sides may still hold (`forgetting.py`)
    before       the state that a link which is paused or gone returns to
    gone         why the opportunity is gone; None while it is there
    repeats      what was done again and again for the pair; None where nothing was
    dated        the date of the known version, or of an earlier one if a build before has worked the pair since
    unknown      keys that a later build stored: kept, and written back (docs/protocol.md#rows-of-other-builds)
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
    refused: Mapping[str, Difference] = field(default_factory=dict)
    waiting: Mapping[str, Difference] = field(default_factory=dict)
    reported: tuple[str, ...] = ()
    cause: Cause | None = None
    mark: Mark | None = None
    unwritten: bool = False
    mapping: str | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    inbox: str | None = None
    unshown: Unshown | None = None
    notice: int | None = None
    consented: bool = False
    microsoft: HeardRecord | None = None
    partners: Mapping[str, HeardPartner] = field(default_factory=dict)
    close_as_test: bool = False
    help: HelpRequest | None = None
    answer_by: AnswerTime | None = None
    lead: str | None = None
    erased: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    before: State | None = None
    gone: Gone | None = None
    repeats: Repeats | None = None
    dated: Dated | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def known_since(self) -> datetime | None:
        """The `updatedDateTime` of the known version of the referral; None where either is unknown."""
        return self.dated.updated if self.dated is not None and self.dated.etag == self.etag else None

    @property
    def has_ended(self) -> bool:
        """Whether both sides have agreed on the end of the deal, which is for ever in Partner Center."""
        status = self.base.get(STATUS)
        return isinstance(status, Status) and status.is_final

    @property
    def has_refused_value(self) -> bool:
        """Whether a service refused a value: somebody must act."""
        return any(known.code.startswith(REFUSED_BY_FAR_SIDE) for known in self.refused.values())

    @property
    def due_mark(self) -> Mark | None:
        """The mark for the seller: the first that holds of failed, waiting, differences and synced.

        A deal that is un-ticked has none: nobody knows whether both sides agree. A create, and a request for help, is
        waited for until its outcome is known.
        """
        if self.state is State.PAUSED:
            return None
        if self.cause is not None or self.has_refused_value:
            return Mark.FAILED
        is_asking = self.help is not None and not self.help.is_asked and LEFT not in self.reported
        if self.waiting or self.state is State.ON_HOLD or self.is_creating or is_asking:
            return Mark.WAITING
        return Mark.DIFFERENCES if self.refused else Mark.SYNCED

    def columns_left_out(self, now: datetime) -> frozenset[str]:
        """The columns of ours that are not written now, because Salesforce refused them within the last hour."""
        known = self.unshown
        return frozenset(known.columns) if known is not None and now - known.since < TRY_AGAIN else frozenset()

    @property
    def shown_again_at(self) -> datetime | None:
        """When the columns that Salesforce refused are written again; None if it took all, or if the deal is paused."""
        return self.unshown.since + TRY_AGAIN if self.unshown and self.state is not State.PAUSED else None

    @property
    def is_creating(self) -> bool:
        """Whether the creation of the referral has begun and its outcome is not known."""
        return self.intent is not None and self.intent.find(EffectKind.CREATE_REFERRAL) is not None

    def tried_anew(self) -> "Link":
        """The link of a pair that an operator asks for: both sides are read, and what a service refused is written."""
        refused = {key: one for key, one in self.refused.items() if not one.code.startswith(REFUSED_BY_FAR_SIDE)}
        unshown = self.unshown and replace(self.unshown, since=self.unshown.since - TRY_AGAIN)
        return replace(self, etag=None, refused=refused, unshown=unshown)

    def base_under(self, rules: Rules) -> Deal:
        """The base without the values that another mapping read in another way, or did not compare: they are unknown.

        Source: docs/protocol.md#a-changed-mapping.
        """
        if self.mapping is None:  # such a build compared no lists
            return self.base.without(*(rule.field for rule in rules.updatable if rule.is_set))
        if self.mapping == rules.mapping:
            return self.base
        now, then = rules.sources, self.sources
        known = [
            name for name in self.base if name in now and (then.get(name) == now[name] or self._knows_edit(name, rules))
        ]
        return Deal({name: self.base[name] for name in known} | self._owner_of_creation(rules))

    def _owner_of_creation(self, rules: Rules) -> dict[str, Value | None]:
        """The owner that the deal was sent with, where our team did not travel later: one who left it is removed.

        Salesforce had nobody else of that base, because the team of an arrival was in none.
        """
        is_sent_once = TEAM in rules.sources and TEAM not in self.sources
        return {TEAM: without_details(self.base[TEAM])} if is_sent_once and self.base.get(TEAM) else {}

    def _knows_edit(self, name: str, rules: Rules) -> bool:
        """Whether a text or list that travelled only at creation differs since: its base says which side was edited."""
        records = (self.refused.get(f"{side}.{name}") for side in Side)
        is_told = any(known is not None and known.code == SET_AT_CREATION for known in records)
        is_read_alike = name not in self.sources and not rules[name].in_rows
        return is_told and is_read_alike and isinstance(self.base[name], str | tuple)

    def refuses(self, key: str, value: Value | None) -> bool:
        """Whether exactly this value is known to be refused. Of joined texts, an earlier build kept the whole."""
        difference = self.refused.get(key)
        return difference is not None and difference.value in (fingerprint(value), refusal_mark(value))

    def knows_refusal(self, key: str, value: Value | None, cause: Cause) -> bool:
        """Whether the seller has read that this value is refused for this cause.

        Of several refused values, the link keeps only the cause of the last one: another column's says nothing new.
        """
        known = self.cause
        if known is None or not self.refuses(key, value):
            return False
        has_others = sum(one.code.startswith(REFUSED_BY_FAR_SIDE) for one in self.refused.values()) > 1
        return known.key == cause.key or (has_others and (cause.field is None or cause.field != known.field))


class Pointer(Struct, frozen=True):
    """Leads from a referral id to its link, or, while no opportunity exists yet, to the intent to create one.

    `inbox` is the fingerprint of the inbox record that shows the referral; None where there is no record. `lead` is
    what is known of the Salesforce lead that was made of it. `unknown` holds the keys that a later build stored, as in
    `Link`.
    """

    opportunity_id: str | None = None
    intent: Intent | None = None
    inbox: str | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict)
    lead: KnownLead | None = None

    @property
    def intended_opportunity(self) -> Effect | None:
        """The opportunity that a run set out to create for the referral, and may have created."""
        return self.intent.find(EffectKind.CREATE_OPPORTUNITY) if self.intent else None
