"""Implements the host's queues with the storage queues of Azure or Azurite.

Messages are in base64, as the Functions extension writes and expects them, unless `host.json` says otherwise. Sources:
docs/reference/azure.md#queues and docs/reference/azure.md#azurite.
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

from local.host.queues import ChangeSignal, Message, refuse_too_large, utc_now

_API_VERSION = "2026-06-06"  # the newest version that Azurite 3.37 supports; the library's default is newer
_TIMEOUT_SECONDS = 20
_NO_LONGER_HELD = frozenset({"PopReceiptMismatch", "MessageNotFound", "QueueNotFound"})


class StorageQueues:
    """The queues of one storage account. A message put through this object wakes its pollers at once."""

    def __init__(self, connection_string: str, *, encoding: str = "base64", ca_bundle: str | None = None) -> None:
        """`ca_bundle` is a file with the certificates to trust, for an https address."""
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
        self._signal = ChangeSignal()

    @property
    def change_number(self) -> int:
        """See Queues."""
        return self._signal.change_number

    def put_message(self, queue: str, body: str, *, delay: float = 0.0) -> None:
        """See Queues."""
        refuse_too_large(body)
        content = base64.b64encode(body.encode()).decode() if self._encoded else body
        self._client_for(queue).send_message(content, visibility_timeout=round(delay))
        self._signal.wake_waiters()

    def take_messages(self, queue: str, count: int, invisible_for: float) -> list[Message]:
        """See Queues."""
        pages = self._client_for(queue).receive_messages(
            messages_per_page=count, visibility_timeout=round(invisible_for), max_messages=count
        )
        return [self._convert_message(received) for received in pages]

    def delete_message(self, queue: str, message: Message) -> bool:
        """See Queues."""
        return _apply_if_held(lambda: self._client_for(queue).delete_message(message.id, message.pop_receipt))

    def return_message(self, queue: str, message: Message, after: float) -> bool:
        """See Queues."""
        client, seconds = self._client_for(queue), round(after)
        was_held = _apply_if_held(
            lambda: client.update_message(message.id, message.pop_receipt, visibility_timeout=seconds)
        )
        self._signal.wake_waiters()
        return was_held

    def count_messages(self, queue: str) -> int:
        """See Queues. The service calls the number approximate."""
        return self._client_for(queue).get_queue_properties().approximate_message_count or 0

    def wait_for_change(self, queue: str, last_number: int, timeout: float) -> None:
        """See Queues."""
        del queue
        self._signal.wait_for_change(last_number, timeout)

    def wake_waiters(self) -> None:
        """See Queues."""
        self._signal.wake_waiters()

    def close(self) -> None:
        """See Queues."""
        for client in self._clients.values():
            client.close()
        self._service.close()
        self._session.close()

    def _client_for(self, queue: str) -> QueueClient:
        if queue not in self._clients:
            client = self._service.get_queue_client(queue)
            with suppress(ResourceExistsError):  # another process created the queue meanwhile
                client.create_queue()
            self._clients[queue] = client
        return self._clients[queue]

    def _convert_message(self, received: QueueMessage) -> Message:
        body, readable = self._decode_body(str(received.content))
        now = utc_now()
        return Message(
            str(received.id),
            body,
            int(received.dequeue_count or 1),
            str(received.pop_receipt),
            received.inserted_on or now,
            received.expires_on or now + timedelta(days=7),
            received.next_visible_on or now,
            readable,
        )

    def _decode_body(self, content: str) -> tuple[str, bool]:
        if not self._encoded:
            return content, True
        try:
            return base64.b64decode(content, validate=True).decode(), True
        except (binascii.Error, UnicodeDecodeError):
            return content, False


def _apply_if_held(act: Callable[[], object]) -> bool:
    """Do `act` to a message. Returns False if its receipt is stale or the message no longer exists."""
    try:
        act()
    except HttpResponseError as error:
        code = getattr(error, "error_code", None)
        if str(getattr(code, "value", code)) in _NO_LONGER_HELD:
            return False
        raise
    return True
