"""The referrals API: list by date, read, create, change (reference/partner-center.md sections 1, 2, 5).

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
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from shared.clients.exact_json import json_text
from shared.clients.partner_center import json_bodies
from shared.clients.partner_center.connection_probe import VALIDATE_MFA, Probe, read_probe, token_claims
from shared.clients.partner_center.error_mapping import Reply
from shared.clients.partner_center.json_bodies import Json
from shared.clients.partner_center.request import OutgoingRequest, RequestSender, Token, resource_url
from shared.foundation.errors import Ambiguous, Cause, CosellError, NotFound, Rejected, Unavailable
from shared.transport.client import open_client

BASE_URL = "https://api.partner.microsoft.com/v1.0/engagements"
CALL_SECONDS = 60.0
"""Seconds for one call, tries and waits included; each page of a list is one call."""

STAMP_FIELDS = (
    "id", "eTag", "organizationId", "engagementId", "createdDateTime", "updatedDateTime", "externalReferenceId",
    "target",
)  # fmt: skip
"""What a list tells of each referral: enough to drop what is not ours or not new (protocol.md section 8)."""

PROBE_SIZE = 50
"""Referrals that `probe` looks at."""

_CREATE_STATUSES = frozenset({HTTPStatus.OK, HTTPStatus.CREATED})
_PATCH_STATUSES = frozenset({HTTPStatus.OK, HTTPStatus.NO_CONTENT})


def open_referrals(
    base_url: str, token: Token, *, ca_bundle: Path | str | None = None, deadline: float = CALL_SECONDS
) -> "Referrals":
    """Referrals on a client of their own, to be closed with `close`. Raises ConfigurationError for the address."""
    return Referrals(base_url, token, client=open_client(ca_bundle), deadline=deadline)


class Referrals:
    """`shared.sync.ports.PartnerCenter` over HTTP.

    Every method raises errors of `errors` only: Throttled and Unavailable (come again), SignInFailed (the side
    is paused), NotFound, Conflict, Rejected, and for writes Ambiguous. Safe to share between threads.
    """

    def __init__(
        self,
        base_url: str,
        token: Token,
        *,
        client: httpx.Client,
        deadline: float = CALL_SECONDS,
        new_id: Callable[[], str] = lambda: str(uuid4()),
        clock: Callable[[], float] = time.monotonic,
        chance: random.Random | None = None,
    ) -> None:
        """Talk to `base_url` (with its path, `/v1.0/engagements`) alone; the token goes nowhere else.

        Raises ConfigurationError for an address that is not https (a loopback may be http).
        """
        self._url = resource_url(base_url, "referrals", "Partner Center's address", BASE_URL)
        self._client = client
        self._token = token
        self._sender = RequestSender(token, client, deadline=deadline, new_id=new_id, clock=clock, chance=chance)
        self._unfiltered: set[str] = set()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    # --- reading

    def changed_since(self, since: datetime) -> Iterator[Sequence[Json]]:
        """Pages of stamps with `updatedDateTime >= since`, newest first; see the port."""
        return self._pages_since("updatedDateTime", since)

    def created_since(self, since: datetime) -> Iterator[Sequence[Json]]:
        """As `changed_since`, by `createdDateTime`."""
        return self._pages_since("createdDateTime", since)

    def get(self, referral_id: str) -> Json:
        """One referral. Raises NotFound."""
        request = OutgoingRequest("GET", self._referral_url(referral_id), f"referral {referral_id}")
        return self._sender.read(request, _parse_representation)

    def access_token_claims(self) -> Json:
        """Sign in, and give what the access token says of itself, unverified; empty where it is opaque."""
        return token_claims(self._token(False))  # noqa: FBT003 - the callable has no names

    def probe_connection(self) -> Probe:
        """The newest referrals, and what the answer tells of MFA, account, tenant and clock; for checks, not for runs.

        Raises what a list call raises.
        """
        query = str(httpx.QueryParams({"$orderby": "updatedDateTime desc", "$top": str(PROBE_SIZE)}))
        address = self._url.copy_with(query=query.encode())
        request = OutgoingRequest("GET", address, "referrals", headers=VALIDATE_MFA)
        return self._sender.read(request, lambda reply: read_probe(reply, self._token(False)))  # noqa: FBT003 - as above

    # --- writing

    def create(self, body: Json) -> Json:
        """Create a referral and return its representation. Never repeated. Raises Rejected, Ambiguous."""
        request = OutgoingRequest("POST", self._url, "referrals", _CREATE_STATUSES, json_text(body).encode())
        return self._sender.write(request, _parse_representation)

    def patch(self, referral_id: str, operations: Sequence[Json], etag: str) -> Json:
        """Apply JSON Patch operations under `If-Match: etag` (quotes included); return the new representation.

        Raises Conflict on 412, Rejected on 400, NotFound, Ambiguous.
        """
        if not (etag and etag.isascii() and etag.isprintable()):
            raise Rejected(_BAD_ETAG)
        headers = {"If-Match": etag, "Prefer": "return=representation"}
        request = OutgoingRequest(
            "PATCH",
            self._referral_url(referral_id),
            f"referral {referral_id}",
            _PATCH_STATUSES,
            json_text(operations).encode(),
            headers,
        )
        with self._sender.one_deadline():
            return self._sender.write(request, _parse_patch_reply) or self._read_back(referral_id)

    def _read_back(self, referral_id: str) -> Json:
        """What a PATCH made of the referral where the service did not say (204 despite `Prefer`)."""
        try:
            return self.get(referral_id)
        except CosellError as error:
            # Confirmed means seen (protocol.md section 3): the patch happened, its effect is not known.
            raise Ambiguous(
                f"PATCH referral {referral_id}: done, but not read back ({type(error).__name__})"
            ) from error

    # --- lists

    def _pages_since(self, field: str, since: datetime) -> Iterator[Sequence[Json]]:
        """Newest first, until the service ends the list or a stamp is older than `since`."""
        for stamps in self._all_pages(field, since):
            recent = [stamp for stamp in stamps if not _is_older(stamp.get(field), since)]
            if recent:
                yield recent
            if len(recent) < len(stamps):
                return

    def _all_pages(self, field: str, since: datetime) -> Iterator[Sequence[Json]]:
        stamps, link = self._first_page(field, since)
        seen: set[str] = set()
        while True:
            yield stamps
            if link is None:
                return
            query = urlsplit(link).query
            if not query or query in seen:
                raise Unavailable(
                    "GET referrals: the nextLink leads nowhere" if not query else "GET referrals: a circle"
                )
            seen.add(query)
            stamps, link = self._read_page(query)

    def _first_page(self, field: str, since: datetime) -> tuple[Sequence[Json], str | None]:
        """The first page; where the filter is refused, of the whole list, and so from then on in this process."""
        options = {"$orderby": f"{field} desc", "$select": ",".join(STAMP_FIELDS)}
        whole = str(httpx.QueryParams(options))
        if field in self._unfiltered:
            return self._read_page(whole)
        moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            return self._read_page(str(httpx.QueryParams({"$filter": f"{field} ge {moment}", **options})))
        except Rejected:
            first = self._read_page(whole)
        self._unfiltered.add(field)
        return first

    def _read_page(self, query: str) -> tuple[Sequence[Json], str | None]:
        """One page. Of a nextLink only the query is used: links name http and a wrong path (2.3)."""
        request = OutgoingRequest("GET", self._url.copy_with(query=query.encode()), "referrals")
        return self._sender.read(request, lambda reply: json_bodies.parse_page(reply.body))

    def _referral_url(self, referral_id: str) -> httpx.URL:
        """The address of a referral. What cannot be an id is not found, without asking: ids come from events too."""
        if not json_bodies.is_referral_id(referral_id):
            raise NotFound("there is no referral of such an id")
        return self._url.copy_with(path=f"{self._url.path}/{referral_id}")


_BAD_ETAG = Cause("badETag", "eTag", "the version of the referral cannot be sent back", "Tell the operator.")


def _parse_representation(reply: Reply) -> Json:
    return json_bodies.parse_referral(reply.body, reply.headers)


def _parse_patch_reply(reply: Reply) -> Json | None:
    return None if reply.status == HTTPStatus.NO_CONTENT else _parse_representation(reply)


def _is_older(moment: object, since: datetime) -> bool:
    """Whether a stamp is surely older; what cannot be read is not."""
    try:
        return datetime.fromisoformat(str(moment)) < since
    except (ValueError, TypeError):
        return False
