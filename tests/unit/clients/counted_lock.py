"""A lock that counts the threads that have reached it."""

import threading


class CountedLock:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._came = threading.Semaphore(0)

    def acquire(self, *, timeout: float) -> bool:
        self._came.release()
        return self._lock.acquire(timeout=timeout)

    def release(self) -> None:
        self._lock.release()

    def wait_for(self, threads: int) -> None:
        """Wait until so many threads have reached the lock."""
        assert all(self._came.acquire(timeout=60) for _ in range(threads))
