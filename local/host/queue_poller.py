"""Polling a queue for one function, as the storage extension does (reference/azure.md 6.6).

A message that fails becomes visible again after `visibilityTimeout`; after `maxDequeueCount` tries it goes to the
poison queue. A poison queue has no poison queue of its own: what fails there stays hidden for as long as a run may
take, is tried again, and after `maxDequeueCount` tries is left alone until it expires.
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
_SHORTEST_PAUSE = 0.1  # seconds: where the extension begins when a queue is empty
_LEASE_MARGIN = 30.0  # seconds that a message stays hidden beyond the longest run

_log = logging.getLogger(__name__)


class Poller:
    """One thread that takes messages, and as many as may be in work at once."""

    def __init__(self, function: Function, queues: Queues, settings: HostSettings, invocations: Invocations) -> None:
        """Nothing happens before `start`."""
        self.function = function
        self._queues = queues
        self._settings = settings
        self._invocations = invocations
        self._in_work = 0
        self._room = threading.Condition()
        self._stopped = threading.Event()
        self._workers = ThreadPoolExecutor(settings.concurrency, thread_name_prefix=f"queue-{function.queue}")
        self._thread = threading.Thread(target=self._poll, name=f"poll-{function.queue}", daemon=True)

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more messages, and wait for those in work."""
        self._stopped.set()
        with self._room:
            self._room.notify_all()
        self._queues.ring()
        self._thread.join()
        self._workers.shutdown()

    def _poll(self) -> None:
        pause = 0.0
        while self._await_room():
            version = self._queues.version
            taken = self._take()
            for message in taken:
                with self._room:
                    self._in_work += 1
                self._workers.submit(self._process, message)
            pause = 0.0 if taken else min(max(2 * pause, _SHORTEST_PAUSE), self._settings.max_polling_interval)
            if not taken and not self._stopped.is_set():
                self._queues.wait(self.function.queue, version, pause)

    def _await_room(self) -> bool:
        with self._room:
            self._room.wait_for(lambda: self._stopped.is_set() or self._in_work <= self._settings.new_batch_threshold)
        return not self._stopped.is_set()

    def _take(self) -> list[Message]:
        hidden = self._settings.function_timeout + _LEASE_MARGIN
        try:
            return self._queues.take(self.function.queue, self._settings.batch_size, hidden)
        except Exception as error:  # noqa: BLE001 - a queue service that is away for a while must not end the polling
            _log.error("queue %s cannot be read: %s", self.function.queue, type(error).__name__)
            return []

    def _process(self, message: Message) -> None:
        try:
            with self._invocations.activity.work():
                self._settle(message)
        except Exception as error:  # noqa: BLE001 - as in _take: the message comes back when its lease ends
            _log.error("a message of queue %s could not be settled: %s", self.function.queue, type(error).__name__)
        finally:
            with self._room:
                self._in_work -= 1
                self._room.notify_all()

    def _settle(self, message: Message) -> None:
        queue, limit = self.function.queue, self._settings.max_dequeue_count
        if message.dequeue_count > limit or not message.readable:
            self._poison(message)
            return
        try:
            self._invocations.run(self.function, queue_call(message))
        except InvocationFailed:
            if message.dequeue_count >= limit:
                self._poison(message)
            elif not queue.endswith(POISON_SUFFIX):
                self._queues.give_back(queue, message, self._settings.visibility_timeout)
        else:
            self._queues.delete(queue, message)

    def _poison(self, message: Message) -> None:
        queue = self.function.queue
        if queue.endswith(POISON_SUFFIX):
            return
        self._queues.put(queue + POISON_SUFFIX, message.body)
        self._queues.delete(queue, message)
        _log.warning("message %s of queue %s is poison after %d tries", message.id, queue, message.dequeue_count)
