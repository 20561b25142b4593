"""Polls a queue for one function, as the storage extension does: docs/reference/azure.md#queues.

A message that fails becomes visible again after `visibilityTimeout`. After `maxDequeueCount` attempts it moves to the
poison queue. A poison queue has no poison queue of its own: a message that fails there stays invisible for the maximum
time of a run, and is then tried again. After `maxDequeueCount` attempts it is not tried again, until it expires.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from local.host.function_index import Function
from local.host.host_json import HostSettings
from local.host.invocations import InvocationFailed, Invocations
from local.host.queues import Message, Queues
from local.host.worker import queue_call

POISON_SUFFIX = "-poison"
_SHORTEST_PAUSE = 0.1  # seconds; the extension begins with this pause when a queue is empty
_LEASE_MARGIN = 30.0  # seconds that a message stays invisible after the maximum time of a run

_log = logging.getLogger(__name__)


class QueuePoller:
    """One thread that takes messages, and a pool of threads that apply them."""

    def __init__(self, function: Function, queues: Queues, settings: HostSettings, invocations: Invocations) -> None:
        """Prepare the threads; `start` begins to poll."""
        self.function = function
        self._queues = queues
        self._settings = settings
        self._invocations = invocations
        self._in_work = 0
        self._room = threading.Condition()
        self._stopped = threading.Event()
        self._workers = ThreadPoolExecutor(settings.concurrency, thread_name_prefix=f"queue-{function.queue_name}")
        self._thread = threading.Thread(
            target=self._poll_until_stopped, name=f"poll-{function.queue_name}", daemon=True
        )

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more messages, and wait until those in work are done."""
        self._stopped.set()
        with self._room:
            self._room.notify_all()
        self._queues.wake_waiters()
        self._thread.join()
        self._workers.shutdown()

    def _poll_until_stopped(self) -> None:
        pause = 0.0
        while self._wait_for_room():
            last_number = self._queues.change_number
            messages = self._take_messages()
            for message in messages:
                with self._room:
                    self._in_work += 1
                self._workers.submit(self._process_message, message)
            pause = 0.0 if messages else min(max(2 * pause, _SHORTEST_PAUSE), self._settings.max_polling_interval)
            if not messages and not self._stopped.is_set():
                self._queues.wait_for_change(self.function.queue_name, last_number, pause)

    def _wait_for_room(self) -> bool:
        with self._room:
            self._room.wait_for(lambda: self._stopped.is_set() or self._in_work <= self._settings.new_batch_threshold)
        return not self._stopped.is_set()

    def _take_messages(self) -> list[Message]:
        invisible_for = self._settings.function_timeout + _LEASE_MARGIN
        try:
            return self._queues.take_messages(self.function.queue_name, self._settings.batch_size, invisible_for)
        except Exception as error:  # noqa: BLE001 - the polling must go on when the queue service fails for a while
            _log.error("queue %s cannot be read: %s", self.function.queue_name, type(error).__name__)
            return []

    def _process_message(self, message: Message) -> None:
        try:
            with self._invocations.activity.count_work():
                self._apply_message(message)
        except Exception as error:  # noqa: BLE001 - the message becomes visible again when its lease ends
            _log.error(
                "a message of queue %s could not be deleted, returned or moved: %s",
                self.function.queue_name,
                type(error).__name__,
            )
        finally:
            with self._room:
                self._in_work -= 1
                self._room.notify_all()

    def _apply_message(self, message: Message) -> None:
        queue, limit = self.function.queue_name, self._settings.max_dequeue_count
        if message.dequeue_count > limit or not message.readable:
            self._move_to_poison(message)
            return
        try:
            self._invocations.run_function(self.function, queue_call(message))
        except InvocationFailed:
            if message.dequeue_count >= limit:
                self._move_to_poison(message)
            elif not queue.endswith(POISON_SUFFIX):
                self._queues.return_message(queue, message, self._settings.visibility_timeout)
        else:
            self._queues.delete_message(queue, message)

    def _move_to_poison(self, message: Message) -> None:
        queue = self.function.queue_name
        if queue.endswith(POISON_SUFFIX):
            return
        self._queues.put_message(queue + POISON_SUFFIX, message.body)
        self._queues.delete_message(queue, message)
        _log.warning(
            "message %s of queue %s moved to the poison queue after %d attempts",
            message.id,
            queue,
            message.dequeue_count,
        )
