"""Whatever a link or a pointer holds is read from the store unchanged."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.cause import Cause
from shared.domain.deal import Deal, Value, fingerprint
from shared.domain.link import Difference, Effect, EffectKind, Intent, Link, Pointer, Unshown
from shared.domain.link_states import Mark, State
from shared.store.link_json import link_from_json, link_to_json, pointer_from_json, pointer_to_json
from shared.store.row_codec import pack, unpack
from tests.property.generated_deals import values_by_field

# With half surrogate pairs too: a remote system may have cut a text between the two halves.
WORDS = st.text(st.characters(exclude_categories=[]), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
KEYS = st.text(st.characters(codec="utf-8"), max_size=8).map("unknown {}".format)
UNKNOWN = st.dictionaries(KEYS, JSON, max_size=2)
"""The keys are chosen by a later build, so none holds half a surrogate pair; the values may."""
FURTHER = st.lists(JSON, max_size=2).map(tuple)
NONE_OR_WORD = st.one_of(st.none(), WORDS)
MOMENTS = st.builds(
    lambda second, zone: (datetime(2026, 1, 1, tzinfo=UTC) + second).astimezone(zone),
    st.timedeltas(timedelta(0), timedelta(days=3650)),
    st.just(UTC),
)


def partial_deal() -> st.SearchStrategy[Deal]:
    fields: dict[str, st.SearchStrategy[Any]] = {
        name: st.one_of(st.none(), st.just(()) if name == "solutions" else strategy, strategy)
        for name, strategy in values_by_field().items()
    }
    one_field = st.sampled_from(list(fields)).flatmap(lambda name: st.tuples(st.just(name), fields[name]))
    return st.lists(one_field, max_size=2).map(lambda pairs: Deal(dict(pairs)))


TOLD = st.lists(WORDS, max_size=2).map(tuple)
DIFFERENCES = st.dictionaries(WORDS, st.builds(Difference, WORDS, WORDS, MOMENTS, TOLD, FURTHER), max_size=2)
CAUSES = st.one_of(st.none(), st.builds(Cause, WORDS, NONE_OR_WORD, WORDS, WORDS, UNKNOWN))
EFFECTS = st.builds(
    Effect,
    st.sampled_from(EffectKind),
    partial_deal(),
    partial_deal(),
    NONE_OR_WORD,
    st.one_of(st.none(), MOMENTS),
    UNKNOWN,
    ended=st.booleans(),
    etag=NONE_OR_WORD.map(lambda etag: etag or None),
    refused=DIFFERENCES,
    cause=CAUSES,
    computed=st.lists(WORDS, max_size=2).map(tuple),
)
INTENTS = st.one_of(st.none(), st.lists(EFFECTS, max_size=2).map(lambda effects: Intent(tuple(effects))))
LINKS = st.builds(
    Link,
    opportunity_id=WORDS,
    state=st.sampled_from(State),
    referral_id=NONE_OR_WORD,
    engagement_id=NONE_OR_WORD,
    base=partial_deal(),
    etag=NONE_OR_WORD,
    agreed=st.booleans(),
    stamps=st.dictionaries(WORDS, WORDS, max_size=2),
    intent=INTENTS,
    refused=DIFFERENCES,
    waiting=DIFFERENCES,
    reported=st.lists(WORDS, max_size=2).map(tuple),
    cause=CAUSES,
    mark=st.one_of(st.none(), st.sampled_from(Mark)),
    unwritten=st.booleans(),
    inbox=NONE_OR_WORD,
    unshown=st.one_of(st.none(), st.builds(Unshown, st.lists(WORDS, max_size=2).map(tuple), MOMENTS, CAUSES)),
    unknown=UNKNOWN,
)


@given(LINKS)
def test_a_link_is_read_unchanged(link: Link) -> None:
    assert link_from_json(unpack(pack(link_to_json(link)))) == link


@given(st.builds(Pointer, NONE_OR_WORD, INTENTS, NONE_OR_WORD, UNKNOWN))
def test_a_pointer_is_read_unchanged(pointer: Pointer) -> None:
    assert pointer_from_json(unpack(pack(pointer_to_json(pointer)))) == pointer


@given(partial_deal())
def test_a_value_keeps_its_fingerprint(deal: Deal) -> None:
    """A refused value is recognised by its fingerprint, so the store must not change it."""

    def fingerprints(values: Deal) -> dict[str, str]:
        return {name: fingerprint(value) for name, value in values.items()}

    again = link_from_json(unpack(pack(link_to_json(Link("x", base=deal))))).base
    assert fingerprints(again) == fingerprints(deal)


@given(st.sampled_from(list(values_by_field())).flatmap(lambda name: values_by_field()[name]))
def test_parts_that_equality_ignores_are_kept_too(value: Value) -> None:
    """The reason of a status is not compared, but it is sent when the deal is closed."""
    again = link_from_json(unpack(pack(link_to_json(Link("x", base=Deal(field=value)))))).base["field"]
    assert getattr(again, "reason", None) == getattr(value, "reason", None)
    assert type(again) is type(value)
