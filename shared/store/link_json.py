"""Turn links and pointers into plain JSON and back. A value is written with its type, so that it is read unchanged."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from msgspec.structs import asdict

from shared.domain.cause import Cause
from shared.domain.deal import Company, Deal, Money, Person, Status, Value
from shared.domain.link import Difference, Effect, EffectKind, Intent, Link, Pointer
from shared.domain.link_states import Mark, State

Json = Mapping[str, Any]


def value_to_json(value: Value | None) -> Any:  # noqa: ANN401 - JSON has no static type
    """Return a value as `[type, content]`; text and None are written as they are."""
    match value:
        case None | str():
            return value
        case Money():
            return ["money", str(value.amount), value.currency]
        case Status():
            return ["status", value.status, value.substatus, value.reason]
        case Company():
            return ["company", asdict(value)]
        case date():
            return ["date", value.isoformat()]
        case tuple():
            return ["list", [asdict(item) if isinstance(item, Person) else item for item in value]]


_READERS: Mapping[str, Callable[..., Value]] = {
    "money": lambda amount, currency: Money(Decimal(amount), currency),
    "status": Status,
    "company": lambda parts: Company(**parts),
    "date": date.fromisoformat,
    "list": lambda items: tuple(Person(**item) if isinstance(item, dict) else item for item in items),
}


def value_from_json(stored: Any) -> Value | None:  # noqa: ANN401 - as above
    """Return the value that `value_to_json` wrote."""
    if stored is None or isinstance(stored, str):
        return stored
    kind, *content = stored
    return _READERS[kind](*content)


def deal_to_json(deal: Deal) -> Json:
    """Return the values of a deal by field."""
    return {field: value_to_json(value) for field, value in deal.items()}


def deal_from_json(stored: Json) -> Deal:
    """Return the deal that `deal_to_json` wrote."""
    return Deal({field: value_from_json(value) for field, value in stored.items()})


def _intent_to_json(intent: Intent | None) -> Any:  # noqa: ANN401 - as above
    if intent is None:
        return None
    return [
        {
            "kind": str(effect.kind),
            "values": deal_to_json(effect.values),
            "displaced": deal_to_json(effect.displaced),
            "version": effect.version,
            "decided": effect.decided.isoformat() if effect.decided else None,
        }
        for effect in intent.effects
    ]


def _intent_from_json(stored: Any) -> Intent | None:  # noqa: ANN401 - as above
    if stored is None:
        return None
    return Intent(
        tuple(
            Effect(
                EffectKind(effect["kind"]),
                deal_from_json(effect["values"]),
                deal_from_json(effect["displaced"]),
                effect["version"],
                datetime.fromisoformat(effect["decided"]) if effect["decided"] else None,
            )
            for effect in stored
        )
    )


def _differences_to_json(differences: Mapping[str, Difference]) -> Json:
    return {key: [known.value, known.code, known.since.isoformat()] for key, known in differences.items()}


def _differences_from_json(stored: Json) -> dict[str, Difference]:
    return {key: Difference(value, code, datetime.fromisoformat(since)) for key, (value, code, since) in stored.items()}


def link_to_json(link: Link) -> Json:
    """Return a whole link as JSON."""
    return {
        "opportunity_id": link.opportunity_id,
        "state": str(link.state),
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
        "cause": asdict(link.cause) if link.cause else None,
        "mark": str(link.mark) if link.mark else None,
        "unwritten": link.unwritten,
    }


def link_from_json(stored: Json) -> Link:
    """Return the link that `link_to_json` wrote."""
    return Link(
        **{
            **{key: value for key, value in stored.items() if key != "told"},
            "state": State(stored["state"]),
            "base": deal_from_json(stored["base"]),
            "intent": _intent_from_json(stored["intent"]),
            "refused": _differences_from_json(stored["refused"]),
            "waiting": _differences_from_json(stored["waiting"]),
            "reported": tuple(stored["told"]),
            "cause": Cause(**stored["cause"]) if stored["cause"] else None,
            "mark": Mark(stored["mark"]) if stored["mark"] else None,
        }
    )


def pointer_to_json(pointer: Pointer) -> Json:
    """Return a whole pointer as JSON."""
    return {"opportunity_id": pointer.opportunity_id, "intent": _intent_to_json(pointer.intent)}


def pointer_from_json(stored: Json) -> Pointer:
    """Return the pointer that `pointer_to_json` wrote."""
    return Pointer(stored["opportunity_id"], _intent_from_json(stored["intent"]))
