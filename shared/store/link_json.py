"""Turn links and pointers into plain JSON and back.

A later build may have written keys that this build does not know. They are kept in `unknown` (in `further` for items
behind the known ones of a list) and written back (docs/protocol.md#rows-of-other-builds).
"""

from collections.abc import Mapping
from copy import replace
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct, ValidationError, convert

from shared.domain.answer_clock import AnswerTime
from shared.domain.audit import Line
from shared.domain.help_request import AskedBy, HelpRequest
from shared.domain.link import Dated, Difference, Effect, EffectKind, Intent, Link, Pointer
from shared.domain.link_states import Mark, State
from shared.store.heard_json import PartnerRow, RecordRow, news_to_json, partners_from, record_from
from shared.store.lead_json import LeadRow, lead_from, lead_to_json
from shared.store.list_rows import UNREADABLE_LINE, line_from_json, line_to_json
from shared.store.refusal_json import CauseRow, UnshownRow, cause_from, cause_to_json, unshown_from, unshown_to_json
from shared.store.repeats_json import RepeatsRow, repeats_from, repeats_to_json
from shared.store.rest_json import GoneRow, gone_from, rest_to_json
from shared.store.value_shapes import StoredDeal, deal_from_shapes, deal_to_json

Json = Mapping[str, Any]

FIRST_MARKS = (Mark.SYNCED, Mark.WAITING, Mark.FAILED)
"""The marks that builds up to 0.3.0 can read. Another one is stored as `FURTHER_MARK`, and counts without a `mark`.

Those builds keep that key, and show a mark of their own again.
"""
FURTHER_MARK = "further_mark"


class _DifferenceRow(Struct, array_like=True):
    value: str
    code: str
    since: datetime
    told: tuple[str, ...] = ()


class _EffectRow(Struct):
    kind: EffectKind
    values: StoredDeal
    displaced: StoredDeal
    version: str | None
    decided: datetime | None
    ended: bool = False
    etag: str | None = None
    lines: list[Any] = []
    refused: dict[str, _DifferenceRow] = {}
    cause: CauseRow | None = None
    computed: tuple[str, ...] = ()


class _HelpRow(Struct):
    code: str | None
    notes: str | None
    decided: datetime
    is_asked: bool = False
    is_question: bool = False
    asked_by: AskedBy = AskedBy.SYNC
    referral_id: str | None = None
    is_shown: bool = True


class _AnswerRow(Struct, array_like=True):
    until: datetime
    warned: int
    tries: int | None


class _DatedRow(Struct, array_like=True):
    etag: str
    updated: datetime


class _LinkRow(Struct):
    opportunity_id: str
    state: State
    referral_id: str | None
    engagement_id: str | None
    base: StoredDeal
    etag: str | None
    agreed: bool
    stamps: dict[str, str]
    intent: list[_EffectRow] | None
    refused: dict[str, _DifferenceRow]
    waiting: dict[str, _DifferenceRow]
    told: tuple[str, ...]
    cause: CauseRow | None
    mark: Mark | None
    unwritten: bool
    mapping: tuple[str, str | None] | None = None
    sources: dict[str, str] = {}
    inbox: str | None = None
    unshown: UnshownRow | None = None
    notice: int | None = None
    consented: bool = False
    microsoft: RecordRow | None = None
    partners: dict[str, PartnerRow] = {}
    close_as_test: bool = False
    help: _HelpRow | None = None
    answer_by: _AnswerRow | None = None
    lead: str | None = None
    erased: dict[str, tuple[str, ...]] = {}
    before: State | None = None
    gone: GoneRow | None = None
    repeats: RepeatsRow | None = None
    dated: _DatedRow | None = None


class _PointerRow(Struct):
    opportunity_id: str | None
    intent: list[_EffectRow] | None
    inbox: str | None = None
    lead: LeadRow | None = None


def link_to_json(link: Link) -> Json:
    """Return a whole link as JSON."""
    return {
        **link.unknown,
        "opportunity_id": link.opportunity_id,
        "state": link.state.value,
        "referral_id": link.referral_id,
        "engagement_id": link.engagement_id,
        "base": deal_to_json(link.base),
        "etag": link.etag,
        "agreed": link.agreed,
        "stamps": dict(link.stamps),
        "intent": _intent_to_json(link.intent),
        "refused": _differences_to_json(link.refused),
        "waiting": _differences_to_json(link.waiting),
        "told": list(link.reported),
        "cause": cause_to_json(link.cause),
        **_mark_to_json(link.mark),
        "unwritten": link.unwritten,
        **_mapping_to_json(link),
        **_inbox_to_json(link),
        **unshown_to_json(link.unshown),
        **({} if link.notice is None else {"notice": link.notice}),
        **({"consented": True} if link.consented else {}),
        **(news_to_json(link) if link.microsoft or link.partners else {}),
        **({"close_as_test": True} if link.close_as_test else {}),
        **({} if link.help is None else {"help": _help_to_json(link.help)}),
        **_answer_to_json(link.answer_by),
        **({} if link.lead is None else {"lead": link.lead}),
        **({"erased": {name: list(marks) for name, marks in link.erased.items()}} if link.erased else {}),
        **(rest_to_json(link) if link.before or link.gone else {}),
        **({} if link.repeats is None else repeats_to_json(link.repeats)),
        **({} if link.dated is None else {"dated": [link.dated.etag, link.dated.updated.isoformat()]}),
    }


def _mark_to_json(mark: Mark | None) -> Json:
    if mark is None or mark in FIRST_MARKS:
        return {"mark": mark.value if mark else None}
    return {"mark": None, FURTHER_MARK: mark.value}


def link_from_json(stored: Json) -> Link:
    """Return the link that `link_to_json` wrote. Raises ValidationError, ValueError for what this build cannot read."""
    row = convert(stored, _LinkRow)
    unknown = _unknown_keys(stored, row)
    further = unknown.pop(FURTHER_MARK) if unknown.get(FURTHER_MARK) in list(Mark) else None
    return Link(
        row.opportunity_id,
        row.state,
        row.referral_id,
        row.engagement_id,
        deal_from_shapes(row.base),
        row.etag,
        row.agreed,
        row.stamps,
        _intent_from(row.intent, stored["intent"]),
        _differences_from(row.refused, stored["refused"]),
        _differences_from(row.waiting, stored["waiting"]),
        row.told,
        cause_from(row.cause, stored["cause"]),
        row.mark or (Mark(further) if further else None),
        row.unwritten,
        _mapping_from(row),
        row.sources,
        row.inbox,
        unshown_from(row.unshown, stored),
        row.notice,
        row.consented,
        record_from(row.microsoft, stored["microsoft"]) if row.microsoft else None,
        partners_from(row.partners) if row.partners else {},
        row.close_as_test,
        _help_from(row.help, stored.get("help")),
        AnswerTime(row.answer_by.until, row.answer_by.warned, row.answer_by.tries) if row.answer_by else None,
        lead=row.lead,
        erased=row.erased,
        before=row.before,
        gone=gone_from(row.gone),
        repeats=repeats_from(row.repeats, stored),
        dated=Dated(row.dated.etag, row.dated.updated) if row.dated else None,
        unknown=unknown,
    )


def _mapping_to_json(link: Link) -> Json:
    return {"mapping": [link.mapping, link.etag], "sources": dict(link.sources)} if link.mapping else {}


def _mapping_from(row: _LinkRow) -> str | None:
    """The hash of the mapping, unless a build that does not know it has moved the known version of the referral since.

    Such a build keeps the key as it was, and may have worked with another mapping.
    """
    mapping, etag = row.mapping or (None, None)
    return mapping if etag == row.etag else None


def pointer_to_json(pointer: Pointer) -> Json:
    """Return a whole pointer as JSON."""
    known = {"opportunity_id": pointer.opportunity_id, "intent": _intent_to_json(pointer.intent)}
    return {**pointer.unknown, **known, **_inbox_to_json(pointer), **lead_to_json(pointer.lead)}


def _help_to_json(request: HelpRequest) -> Json:
    return {
        **request.unknown,
        "code": request.code,
        "notes": request.notes,
        "decided": request.decided.isoformat(),
        **({"is_asked": True} if request.is_asked else {}),
        **({"is_question": True} if request.is_question else {}),
        **({} if request.asked_by is AskedBy.SYNC else {"asked_by": request.asked_by.value}),
        **({} if request.referral_id is None else {"referral_id": request.referral_id}),
        **({} if request.is_shown else {"is_shown": False}),
    }


def _help_from(row: _HelpRow | None, stored: Any) -> HelpRequest | None:  # noqa: ANN401 - JSON of any shape
    if row is None:
        return None
    known = (row.code, row.notes, row.decided, row.is_asked, row.is_question, row.asked_by, row.referral_id)
    return HelpRequest(*known, row.is_shown, _unknown_keys(stored, row))


def _answer_to_json(known: AnswerTime | None) -> Json:
    return {} if known is None else {"answer_by": [known.until.isoformat(), known.warned, known.tries]}


def _inbox_to_json(shown: Link | Pointer) -> Json:
    return {} if shown.inbox is None else {"inbox": shown.inbox}


def pointer_from_json(stored: Json) -> Pointer:
    """Return the pointer that `pointer_to_json` wrote. Raises as `link_from_json`."""
    row = convert(stored, _PointerRow)
    intent, unknown = _intent_from(row.intent, stored["intent"]), _unknown_keys(stored, row)
    return Pointer(row.opportunity_id, intent, row.inbox, unknown, lead_from(row.lead, stored))


def _unknown_keys(stored: Json, row: Struct) -> dict[str, Any]:
    return {key: stored[key] for key in stored.keys() - row.__struct_fields__}


# --- the parts of a link ----------------------------------------------------------------------------------------------


def _intent_to_json(intent: Intent | None) -> list[Json] | None:
    if intent is None:
        return None
    return [
        {
            **effect.unknown,
            "kind": effect.kind.value,
            "values": deal_to_json(effect.values),
            "displaced": deal_to_json(effect.displaced),
            "version": effect.version,
            "decided": effect.decided.isoformat() if effect.decided else None,
            **({"ended": True} if effect.ended else {}),
            **({"etag": effect.etag} if effect.etag else {}),
            **({"lines": [line_to_json(line) for line in effect.lines]} if effect.lines else {}),
            **({"refused": _differences_to_json(effect.refused)} if effect.refused else {}),
            **({"cause": cause_to_json(effect.cause)} if effect.cause else {}),
            **({"computed": list(effect.computed)} if effect.computed else {}),
        }
        for effect in intent.effects
    ]


def _intent_from(rows: list[_EffectRow] | None, stored: list[Json]) -> Intent | None:
    if rows is None:
        return None
    return Intent(tuple(_effect_from(row, one) for row, one in zip(rows, stored, strict=True)))


def _effect_from(row: _EffectRow, stored: Json) -> Effect:
    values, displaced = deal_from_shapes(row.values), deal_from_shapes(row.displaced)
    known = Effect(row.kind, values, displaced, row.version, row.decided, _unknown_keys(stored, row), row.ended)
    if row.etag or row.computed:
        known = replace(known, etag=row.etag, computed=row.computed)
    if not (row.lines or row.refused or row.cause):
        return known
    lines = tuple(_line_from(line, row.decided) for line in row.lines)
    refused = _differences_from(row.refused, stored.get("refused", {}))
    return replace(known, lines=lines, refused=refused, cause=cause_from(row.cause, stored.get("cause", {})))


def _line_from(stored: Any, at: datetime | None) -> Line:  # noqa: ANN401 - JSON of any shape
    """The line, or one that says that only a later build can read it: it stops no pair."""
    try:
        return line_from_json(stored)
    except (ValidationError, ValueError):
        return Line(at or datetime.fromtimestamp(0, UTC), UNREADABLE_LINE)


def _differences_to_json(differences: Mapping[str, Difference]) -> Json:
    return {
        key: [
            *(known.value, known.code, known.since.isoformat()),
            *([list(known.told)] if known.told or known.further else []),
            *known.further,
        ]
        for key, known in differences.items()
    }


def _differences_from(rows: Mapping[str, _DifferenceRow], stored: Mapping[str, list[Any]]) -> dict[str, Difference]:
    known = len(_DifferenceRow.__struct_fields__)
    return {
        key: Difference(row.value, row.code, row.since, row.told, tuple(stored[key][known:]))
        for key, row in rows.items()
    }
