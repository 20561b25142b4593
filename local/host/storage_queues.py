"""Azure's queues, or Azurite's, behind the host's port (reference/azure.md 2 and 6.6).

Messages travel in base64, as the Functions extension writes and expects them, unless `host.json` says otherwise.
"""

import base64
import binascii
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import requests
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.queue import QueueClient, QueueMessage, QueueServiceClient

from local.host.queues import Bell, Message, refuse_too_large, utc_now

_API_VERSION = "2026-06-06"  # the newest that Azurite 3.37 knows; the library's own default is newer
_TIMEOUT_SECONDS = 20
_NOT_OURS = frozenset({"PopReceiptMismatch", "MessageNotFound", "QueueNotFound"})


class StorageQueues:
    """Queues of one storage account. A message put through this object wakes its waiters, as in the platform."""

    def __init__(self, connection_string: str, *, encoding: str = "base64", ca_bundle: str | None = None) -> None:
        """`ca_bundle` is the file of certificates to trust, where the address is https."""
        self._session = requests.Session()
        self._session.trust_env = False
        transport = RequestsTransport(session=self._session, session_owner=False)
        options: dict[str, Any] = {"connection_verify": ca_bundle} if ca_bundle else {}
        self._service = QueueServiceClient.from_connection_string(
            connection_string, transport=transport, api_version=_API_VERSION, retry_total=2,
            connection_timeout=_TIMEOUT_SECONDS, read_timeout=_TIMEOUT_SECONDS, **options,
        )  # fmt: skip
        self._encoded = encoding == "base64"
        self._clients: dict[str, QueueClient] = {}
        self._bell = Bell()

    @property
    def version(self) -> int:
        """See Queues."""
        return self._bell.version

    def put(self, queue: str, body: str, *, delay: float = 0.0) -> None:
        """See Queues."""
        refuse_too_large(body)
        content = base64.b64encode(body.encode()).decode() if self._encoded else body
        self._client(queue).send_message(content, visibility_timeout=round(delay))
        self._bell.ring()

    def take(self, queue: str, count: int, hidden: float) -> list[Message]:
        """See Queues."""
        pages = self._client(queue).receive_messages(
            messages_per_page=count, visibility_timeout=round(hidden), max_messages=count
        )
        return [self._message(found) for found in pages]

    def delete(self, queue: str, message: Message) -> bool:
        """See Queues."""
        return _held(lambda: self._client(queue).delete_message(message.id, message.pop_receipt))

    def give_back(self, queue: str, message: Message, after: float) -> bool:
        """See Queues."""
        client, seconds = self._client(queue), round(after)
        held = _held(lambda: client.update_message(message.id, message.pop_receipt, visibility_timeout=seconds))
        self._bell.ring()
        return held

    def count(self, queue: str) -> int:
        """See Queues. The service calls the number approximate."""
        return self._client(queue).get_queue_properties().approximate_message_count or 0

    def wait(self, queue: str, version: int, timeout: float) -> None:
        """See Queues."""
        del queue
        self._bell.wait(version, timeout)

    def ring(self) -> None:
        """See Queues."""
        self._bell.ring()

    def close(self) -> None:
        """See Queues."""
        for client in self._clients.values():
            client.close()
        self._service.close()
        self._session.close()

    def _client(self, queue: str) -> QueueClient:
        if queue not in self._clients:
            client = self._service.get_queue_client(queue)
            with suppress(ResourceExistsError):  # somebody else made it, which is as good
                client.create_queue()
            self._clients[queue] = client
        return self._clients[queue]

    def _message(self, found: QueueMessage) -> Message:
        body, readable = self._decoded(str(found.content))
        now = utc_now()
        return Message(
            str(found.id), body, int(found.dequeue_count or 1), str(found.pop_receipt), found.inserted_on or now,
            found.expires_on or now + timedelta(days=7), found.next_visible_on or now, readable,
        )  # fmt: skip

    def _decoded(self, content: str) -> tuple[str, bool]:
        if not self._encoded:
            return content, True
        try:
            return base64.b64decode(content, validate=True).decode(), True
        except (binascii.Error, UnicodeDecodeError):
            return content, False


def _held(act: Callable[[], object]) -> bool:
    """Do something to a message; False if its receipt is stale or it is gone."""
    try:
        act()
    except HttpResponseError as error:
        code = getattr(error, "error_code", None)
        if str(getattr(code, "value", code)) in _NOT_OURS:
            return False
        raise
    return True
