"""Call the referrals API: list by date, read, create, and change with a conditional PATCH.

Sources: docs/reference/partner-center.md#operations, docs/reference/partner-center.md#listing-referrals,
docs/reference/partner-center.md#creating-a-referral and docs/reference/partner-center.md#changing-a-referral.

>>> referrals = app.partner_center
>>> for stamps in referrals.changed_since(yesterday):
...     for stamp in stamps:
...         referral = referrals.get(stamp["id"])
>>> operation = {"op": "replace", "path": "/details/dealValue", "value": 25000}
>>> referrals.patch(referral["id"], [operation], etag=referral["eTag"])["details"]["dealValue"]
25000
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import override
from uuid import uuid4

import httpx

from shared.clients.call_pace import CallPace
from shared.clients.exact_json import json_bytes
from shared.clients.partner_center import json_bodies
from shared.clients.partner_center.answer_dates import HearDate, ignore_date
from shared.clients.partner_center.connection_probe import VALIDATE_MFA, Probe, read_probe, token_claims
from shared.clients.partner_center.error_mapping import Reply
from shared.clients.partner_center.json_bodies import Json
from shared.clients.partner_center.list_queries import (
    STAMP_FIELDS,
    exact_literal,
    is_older,
    is_younger,
    list_query,
    literal,
    query_of_link,
)
from shared.clients.partner_center.request import OutgoingRequest, RequestSender, Token, open_service, resource_url
from shared.clients.partner_center.sharing_guard import refuse_shared_body, refuse_shared_operations
from shared.foundation.errors import Ambiguous, Cause, CosellError, NotFound, Rejected
from shared.transport.exchange import Service

BASE_URL = "https://api.partner.microsoft.com/v1.0/engagements"
CALL_SECONDS = 60.0
"""For one call, with its tries and waits. Each page of a list is one call (docs/protocol.md#time-and-deadlines)."""

SECOND = timedelta(seconds=1)
"""Most filters have whole seconds."""
MICROSECOND = timedelta(microseconds=1)
"""What is cut from a date that has seven digits after the second."""

WHOLE_FIELDS = (*STAMP_FIELDS, "status", "type", "qualification", "inviteContext")
"""The properties that a list of all referrals returns: also which are closed, and which are leads.

Source: docs/protocol.md#the-daily-compare.
"""

PROBE_SIZE = 50
"""The number of referrals that `probe_connection` reads."""

_CREATE_STATUSES = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED})
_PATCH_STATUSES = frozenset({HTTPStatus.OK, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT})
"""202 is a documented success (docs/reference/partner-center.md#operations). Without a referral in the answer, the
outcome is unknown: the service may still be at work.
"""


def open_referrals(
    base_url: str,
    token: Token,
    *,
    ca_bundle: Path | str | None = None,
    deadline: float = CALL_SECONDS,
    may_share: bool = True,
    pace: CallPace | None = None,
) -> "Referrals":
    """A client for the referrals API with its own connections; call `close` at the end.

    Unless it `may_share`, it sends no write that shares a deal with Microsoft. Raises ConfigurationError for a wrong
    address.
    """
    kind = Referrals if may_share else PrivateReferrals
    service = open_service(_list_address(base_url), ca_bundle, deadline)
    return kind(base_url, token, service=service, deadline=deadline, pace=pace)


class Referrals:
    """`shared.sync.ports.PartnerCenter` over HTTP. Threads can share one object.

    Every method raises only errors of `shared.foundation.errors`: Throttled and Unavailable (try again later),
    SignInFailed (pause the side), NotFound, Conflict, Rejected; a write also raises Ambiguous.
    """

    def __init__(  # noqa: PLR0913 - what is one of a kind comes from outside, each by its name
        self,
        base_url: str,
        token: Token,
        *,
        service: Service,
        deadline: float = CALL_SECONDS,
        new_id: Callable[[], str] = lambda: str(uuid4()),
        clock: Callable[[], float] = time.monotonic,
        chance: random.Random | None = None,
        pace: CallPace | None = None,
    ) -> None:
        """Send only to `base_url` (with its path `/v1.0/engagements`), so that the token reaches no other host.

        Raises ConfigurationError if the address is not https. A loopback address may be http.
        """
        self._url = _list_address(base_url)
        self._service = service
        self._token = token
        self._path = self._url.raw_path.decode()
        self._sender = RequestSender(
            token, service, deadline=deadline, new_id=new_id, clock=clock, chance=chance, pace=pace
        )
        self._unfiltered: set[tuple[str, bool]] = set()

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    # --- reading

    def changed_since(self, since: datetime, hear: HearDate = ignore_date) -> Iterator[Sequence[Json]]:
        """Pages of stamps with `updatedDateTime >= since`, newest first. See `PartnerCenter` in `shared.sync.ports`.

        `hear` is called once, before the first page is yielded, also where no page has a wanted stamp.
        """
        return self._since("updatedDateTime", since, hear)

    def changed_between(self, since: datetime, until: datetime) -> Iterator[Sequence[Json]]:
        """Pages of whole referrals, newest first. See `PartnerCenter` in `shared.sync.ports`."""
        field = "updatedDateTime"
        bound = f"{field} ge {exact_literal(since)} and {field} le {exact_literal(until + MICROSECOND)}"
        return self._pages(field, bound, lambda row: not is_older(row.get(field), since), (), ends=True)

    def created_since(self, since: datetime) -> Iterator[Sequence[Json]]:
        """Pages of stamps with `createdDateTime >= since`, newest first."""
        return self._since("createdDateTime", since)

    def all_referrals(self, until: datetime | None = None) -> Iterator[Sequence[Json]]:
        """Pages of all stamps, the last created first. See `PartnerCenter` in `shared.sync.ports`."""
        field = "createdDateTime"
        bound = f"{field} le {literal(until + SECOND)}" if until else ""
        return self._pages(
            field, bound, lambda stamp: not (until and is_younger(stamp.get(field), until)), WHOLE_FIELDS
        )

    def whole_referrals(self) -> Iterator[Sequence[Json]]:
        """Pages of all referrals, whole, the last created first: for a first load, which must not read each singly."""
        return self._pages("createdDateTime", "", lambda _: True, ())

    def get(self, referral_id: str) -> Json:
        """One referral. Raises NotFound."""
        return self._sender.read(self._get_request(referral_id), _parse_representation)

    def in_engagement(self, engagement_id: str) -> Sequence[Json]:
        """The whole referrals of an engagement that the list shows. Raises Rejected if the filter is refused.

        Source: docs/reference/partner-center.md#engagement-and-the-microsoft-record.
        """
        if not json_bodies.is_referral_id(engagement_id):
            raise NotFound("no engagement can have this id")
        query = str(httpx.QueryParams({"$filter": f"engagementId eq '{engagement_id}'"}))
        followed, records = set[str](), list[Json]()
        while query:
            request = OutgoingRequest("GET", self._target(query), "referrals")
            page, link = self._sender.read(request, _parse_page)
            records += page
            query = query_of_link(link, followed) if link else ""
            followed.add(query)
        return records

    def access_token_claims(self) -> Json:
        """Sign in, and return the claims of the access token: not verified, and empty if the token is opaque."""
        return token_claims(self._token(False))  # noqa: FBT003 - a Callable has no keywords

    def probe_connection(self) -> Probe:
        """The newest referrals, and what the answer states about MFA, account, tenant and clock. Used by checks only.

        Raises the same errors as a list call.
        """
        query = str(httpx.QueryParams({"$orderby": "updatedDateTime desc", "$top": str(PROBE_SIZE)}))
        request = OutgoingRequest("GET", self._target(query), "referrals", headers=VALIDATE_MFA)
        return self._sender.read(request, lambda reply: read_probe(reply, self._token(False)))  # noqa: FBT003 - as above

    # --- writing

    def create(self, body: Json) -> Json:
        """Create a referral and return it. The request is never repeated. Raises Rejected, Ambiguous."""
        keys = (str(body.get("externalReferenceId") or ""),)
        request = OutgoingRequest("POST", self._path, "referrals", _CREATE_STATUSES, json_bytes(body), keys=keys)
        with self._sender.one_deadline() as deadline:
            return self._sender.exchange(request, _parse_representation, deadline)

    def patch(self, referral_id: str, operations: Sequence[Json], etag: str) -> Json:
        """Send a PATCH with `If-Match: etag` (quotes included), and return the changed referral.

        `operations` are JSON Patch. If the answer does not contain the referral (204 despite `Prefer`), it is read.
        Raises Conflict on 412, Rejected on 400, NotFound, Ambiguous.
        Sources: docs/reference/partner-center.md#etags-and-concurrency,
        docs/protocol.md#writing-to-partner-center.
        """
        if not (etag and etag.isascii() and etag.isprintable()):
            raise Rejected(_BAD_ETAG)
        headers = {"If-Match": etag, "Prefer": "return=representation"}
        request = OutgoingRequest(
            "PATCH",
            self._referral_path(referral_id),
            f"referral {referral_id}",
            _PATCH_STATUSES,
            json_bytes(operations),
            headers,
            (referral_id,),
        )
        with self._sender.one_deadline() as deadline:
            changed = self._sender.exchange(request, _parse_patch_reply, deadline)
            if changed is not None:
                return changed
            try:
                return self._sender.read(self._get_request(referral_id), _parse_representation)
            except CosellError as error:
                # The PATCH happened, but its effect was not seen (docs/protocol.md#confirmed-means-seen).
                reason = f"accepted, but not read back ({type(error).__name__})"
                raise Ambiguous(f"PATCH referral {referral_id}: {reason}") from error

    # --- lists

    def _since(self, field: str, since: datetime, hear: HearDate = ignore_date) -> Iterator[Sequence[Json]]:
        """Pages of stamps, newest first, until the list ends or a stamp is older than `since`."""
        bound = f"{field} ge {literal(since)}"
        return self._pages(field, bound, lambda stamp: not is_older(stamp.get(field), since), hear=hear, ends=True)

    def _pages(
        self,
        field: str,
        bound: str,
        is_wanted: Callable[[Json], bool],
        fields: Sequence[str] = STAMP_FIELDS,
        *,
        hear: HearDate = ignore_date,
        ends: bool = False,
    ) -> Iterator[Sequence[Json]]:
        """The wanted stamps of each page of a list by a date; `ends` says that the first unwanted one ends it.

        If the service refuses the filter `bound`, this process lists such stamps, or whole referrals, without a filter
        from then on.
        Source: docs/reference/partner-center.md#filters.
        """
        unfiltered, kind = list_query(field, fields=fields), (field, not fields)
        query = unfiltered if kind in self._unfiltered else list_query(field, bound, fields)
        followed, is_filtered = set[str](), query != unfiltered
        while query:
            request = OutgoingRequest("GET", self._target(query), "referrals")
            try:
                (stamps, link), date = self._sender.read(request, lambda reply: (_parse_page(reply), reply.date))
            except Rejected:
                if followed or query == unfiltered:
                    raise
                query = unfiltered
                continue
            if not followed:
                hear(date)
            if is_filtered and not followed and query == unfiltered:
                self._unfiltered.add(kind)
            if wanted := [stamp for stamp in stamps if is_wanted(stamp)]:
                yield wanted
            if ends and len(wanted) < len(stamps):
                return
            query = query_of_link(link, followed) if link else ""
            followed.add(query)

    def _get_request(self, referral_id: str) -> OutgoingRequest:
        path = self._referral_path(referral_id)
        return OutgoingRequest("GET", path, f"referral {referral_id}", keys=(referral_id,))

    def _target(self, query: str) -> str:
        """The path of the list with a query, whose characters are encoded where an address needs it."""
        return self._url.copy_with(query=query.encode()).raw_path.decode()

    def _referral_path(self, referral_id: str) -> str:
        """The path of a referral. Ids also come from events, so an impossible id raises NotFound without a call."""
        if not json_bodies.is_referral_id(referral_id):
            raise NotFound("no referral can have this id")
        return f"{self._path}/{referral_id}"


class PrivateReferrals(Referrals):
    """The client outside production: a write that shares a deal with Microsoft raises Rejected, and is not sent."""

    @override
    def create(self, body: Json) -> Json:
        refuse_shared_body(body)
        return super().create(body)

    @override
    def patch(self, referral_id: str, operations: Sequence[Json], etag: str) -> Json:
        refuse_shared_operations(operations)
        return super().patch(referral_id, operations, etag)


_BAD_ETAG = Cause(
    "badETag", "eTag", "the version (eTag) of the referral cannot be sent in a header", "Please tell the operator."
)


def _list_address(base_url: str) -> httpx.URL:
    return resource_url(base_url, "referrals", "Partner Center's address", BASE_URL)


def _parse_representation(reply: Reply) -> Json:
    return json_bodies.parse_referral(reply.body, reply.headers)


def _parse_patch_reply(reply: Reply) -> Json | None:
    """The changed referral; None if the answer does not contain it."""
    return None if reply.status == HTTPStatus.NO_CONTENT else _parse_representation(reply)


def _parse_page(reply: Reply) -> tuple[Sequence[Json], str | None]:
    return json_bodies.parse_page(reply.body)
