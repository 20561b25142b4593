"""Answer the list call: filter, order, selection and pages (docs/reference/partner-center.md#listing-referrals)."""

import random
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from itertools import islice
from typing import Any

from emulators.partner_center import odata_filter
from emulators.partner_center.late_lists import are_late, in_order, listed_versions
from emulators.partner_center.referral_shape import PUBLIC_HOST, REFERRAL
from emulators.partner_center.referral_store import CREATED, UPDATED, ReferralStore, Span, StoredReferral
from emulators.partner_center.service_errors import invalid_request
from emulators.partner_center.switches import Switches

OPTIONS = frozenset({"$filter", "$orderby", "$select", "$top", "$skip", "$count", "$skiptoken"})
CONTEXT = f"https://{PUBLIC_HOST}/v1.0/$metadata#Referrals"
MOST_TOKENS = 2_000
_INT32 = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed list call; `after` says from which position a further page continues.

    `top` is the number of referrals on this page and all further pages together; None: no limit. `again` are referrals
    of the page before that this page shows once more.
    """

    filter: odata_filter.Filter
    order: str
    descending: bool
    select: tuple[str, ...]
    top: int | None
    skip: int
    count: int = 0
    after: tuple[int, str] | None = None
    again: tuple[StoredReferral, ...] = ()


class Listing:
    """Answers list calls, and keeps the position of each `$skiptoken`."""

    def __init__(
        self,
        store: ReferralStore,
        switches: Switches,
        chance: random.Random,
        is_ours: Callable[[StoredReferral], bool] = lambda _: True,
        tag: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`chance` makes the skip tokens. `is_ours` tells our referrals from those of other parties.

        `tag` notes in the journal how lists differ from what is stored: `lag`, `stale`, `gap` or `repeats`.
        """
        self._store, self._switches, self._chance, self._is_ours, self._tag = store, switches, chance, is_ours, tag
        self._tokens: OrderedDict[str, Query] = OrderedDict()

    def list_page(
        self, query: Mapping[str, str], now: int, may_see: Callable[[StoredReferral], bool], host: str
    ) -> dict[str, Any]:
        """Return the body of one page. `now` is in ticks; `host` is the emulator's own address. Raises ServiceError."""
        parsed = self._parse_query(query)
        referrals = self._matching_referrals(parsed, now, may_see)
        if parsed.after is None:
            matching = list(referrals)
            parsed = replace(parsed, count=len(matching))
            referrals = iter(matching)
        size = self._switches.page_size if parsed.top is None else min(parsed.top, self._switches.page_size)
        page = list(islice(referrals, parsed.skip, parsed.skip + size + 1))
        body: dict[str, Any] = {"@odata.context": CONTEXT, "@odata.count": parsed.count}
        shown = [*parsed.again, *page[:size]]
        body["value"] = [_select_properties(referral.record, parsed.select) for referral in shown]
        if parsed.again:
            self._tag("repeats")
        if len(page) > size and size != parsed.top:
            body["@odata.nextLink"] = self._next_link(parsed, page[:size], size, host)
        return body

    def _matching_referrals(
        self, query: Query, now: int, may_see: Callable[[StoredReferral], bool]
    ) -> Iterator[StoredReferral]:
        compiled = query.filter
        if not self._shows_related(compiled):
            may_see = self._only_ours(may_see)
        referrals = self._referrals_in_order(query, compiled.span_of(query.order), now)
        if compiled.exact and set(compiled.spans) <= {query.order}:
            return (referral for referral in referrals if referral.listed <= now and may_see(referral))
        return (
            referral
            for referral in referrals
            if referral.listed <= now and may_see(referral) and compiled.test(referral.record)
        )

    def _referrals_in_order(self, query: Query, span: Span, now: int) -> Iterator[StoredReferral]:
        if now < self._store.last_listed:
            self._tag("lag")
        if not are_late(self._switches):
            return self._store.iterate_by_date(query.order, span, descending=query.descending, after=query.after)
        versions = listed_versions(self._store, self._switches, query.order, now)
        if len(versions) < len(self._store):
            self._tag("gap")
        if any(is_old for _, is_old in versions):
            self._tag("stale")
        shown = [version for version, _ in versions]
        return in_order(shown, query.order, span, descending=query.descending, after=query.after)

    def _shows_related(self, compiled: odata_filter.Filter) -> bool:
        """Return whether the list shows the referrals of other parties in our engagements.

        Source: docs/reference/partner-center.md#engagement-and-the-microsoft-record
        """
        which = self._switches.related_lists
        return which == "all" or (which == "engagement" and "engagementId" in compiled.fixed)

    def _only_ours(self, may_see: Callable[[StoredReferral], bool]) -> Callable[[StoredReferral], bool]:
        return lambda referral: self._is_ours(referral) and may_see(referral)

    def _parse_query(self, query: Mapping[str, str]) -> Query:
        unknown = {name for name in query if name.startswith("$")} - OPTIONS
        if unknown:
            raise invalid_request(f"The query option {min(unknown)} is not supported.", target=min(unknown))
        if "$skiptoken" in query:
            return self._query_of_token(query["$skiptoken"])
        text = query.get("$filter", "")
        compiled = (
            odata_filter.parse_filter(text, frozenset(self._switches.unfilterable))
            if text.strip()
            else odata_filter.EVERYTHING
        )
        order, descending = _parse_order(query.get("$orderby", ""))
        _check_count_option(query)
        return Query(
            compiled,
            order,
            descending,
            _parse_select(query),
            _parse_whole_number(query, "$top") if "$top" in query else None,
            _parse_whole_number(query, "$skip"),
        )

    def _query_of_token(self, token: str) -> Query:
        if token not in self._tokens:
            raise invalid_request("The skip token is not valid.", target="$skiptoken")
        return self._tokens[token]

    def _next_link(self, query: Query, page: Sequence[StoredReferral], size: int, host: str) -> str:
        token, last, repeats = f"{self._chance.getrandbits(96):024x}", page[-1], self._switches.list_repeats
        ticks = last.updated if query.order == UPDATED else last.created
        top = None if query.top is None else query.top - size
        again = tuple(page[-repeats:]) if repeats else ()
        self._tokens[token] = replace(query, after=(ticks, last.id), skip=0, top=top, again=again)
        while len(self._tokens) > MOST_TOKENS:
            self._tokens.popitem(last=False)
        if self._switches.next_link == "clean":
            return f"https://{host}/v1.0/engagements/referrals?$skiptoken={token}"
        return f"http://{PUBLIC_HOST}/v1.0/referrals?$skiptoken={token}"


def _parse_order(text: str) -> tuple[str, bool]:
    """Return the property to order by, and whether the order is descending. Raises ServiceError.

    The first key is enough, because no two referrals have the same time.
    """
    keys = [part.split() for part in text.split(",")] if text.strip() else [[CREATED, "asc"]]
    for key in keys:
        if not key or key[0] not in (UPDATED, CREATED) or key[1:] not in ([], ["asc"], ["desc"]):
            raise invalid_request(
                "The results can be ordered by createdDateTime and updatedDateTime only.", target="$orderby"
            )
    return keys[0][0], keys[0][1:] == ["desc"]


def _parse_select(query: Mapping[str, str]) -> tuple[str, ...]:
    names = tuple(name.strip() for name in query.get("$select", "").split(",") if name.strip())
    for name in names:
        if name not in REFERRAL and name != "*":
            raise invalid_request(f"Could not find a property named '{name}'.", target="$select")
    return () if "*" in names else names


def _select_properties(record: Mapping[str, Any], names: tuple[str, ...]) -> Mapping[str, Any]:
    return {name: record[name] for name in names if name in record} if names else record


def _parse_whole_number(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "0")
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > _INT32:
        raise invalid_request(f"{name} must be a whole number of 32 bits.", target=name)
    return int(text)


def _check_count_option(query: Mapping[str, str]) -> None:
    if query.get("$count", "true") not in ("true", "false"):
        raise invalid_request("$count must be true or false.", target="$count")
