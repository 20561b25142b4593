"""Deadlines: they nest, they are never infinite, and a reader keeps to them."""

import socket
from collections.abc import Callable

import pytest

from shared.transport.deadline import Deadline, NoTimeLeft, TimedReader, call_deadline, current_deadline, seconds_left


def test_deadlines_nest_and_the_earlier_one_applies() -> None:
    now = [0.0]
    clock: Callable[[], float] = lambda: now[0]  # noqa: E731 - a clock is a function

    assert (seconds_left(), current_deadline()) == (None, None)
    with call_deadline(60, clock) as outer:
        now[0] = 50.0
        with call_deadline(30, clock) as inner:
            assert (outer.seconds_left(), inner.seconds_left(), seconds_left()) == (10, 10, 10)
        with call_deadline(5, clock) as inner:
            assert inner.seconds_left() == 5
            assert current_deadline() is inner
        now[0] = 70.0
        assert outer.seconds_left() == 0
    assert (seconds_left(), current_deadline()) == (None, None)


def test_an_inner_deadline_uses_the_clock_of_the_outer_one() -> None:
    now = [0.0]
    with call_deadline(60, lambda: now[0]), call_deadline(30) as inner:
        now[0] = 29.0
        assert inner.seconds_left() == 1
        now[0] = 30.0
        assert inner.seconds_left() == 0


def test_the_outer_deadline_is_restored_after_an_error() -> None:
    with call_deadline(60) as outer:
        with pytest.raises(KeyError), call_deadline(5):
            raise KeyError
        assert current_deadline() is outer


def test_what_is_left_never_means_waiting_for_ever() -> None:
    assert 0 < Deadline(0).socket_timeout() < 0.01
    assert 0 < Deadline(-5).socket_timeout(10) < 0.01
    assert Deadline(60).socket_timeout(10) == 10
    assert 5 < Deadline(6).socket_timeout(10) <= 6


def test_a_request_is_sent_only_while_there_is_time() -> None:
    now = [0.0]
    deadline = Deadline(10, lambda: now[0])
    now[0] = 9.0
    assert deadline.seconds_to_send() == 1
    now[0] = 10.0
    with pytest.raises(NoTimeLeft):
        deadline.seconds_to_send()


def test_a_reader_gives_each_read_the_time_left_and_then_raises() -> None:
    now = [0.0]
    ours, theirs = socket.socketpair()
    with ours, theirs, TimedReader(ours, Deadline(10, lambda: now[0])) as reader:
        theirs.sendall(b"abc")
        now[0] = 4.0
        assert (reader.read(2), ours.gettimeout()) == (b"ab", 6.0)
        now[0] = 9.0
        assert (reader.read(1), ours.gettimeout()) == (b"c", 1.0)
        now[0] = 10.0
        with pytest.raises(TimeoutError):
            reader.read(1)


def test_a_reader_still_reads_after_its_socket_was_closed() -> None:
    ours, theirs = socket.socketpair()
    reader = TimedReader(ours, Deadline(10))
    with theirs:
        theirs.sendall(b"abc")
        ours.close()
        assert reader.read(3) == b"abc"
        reader.close()
        assert ours.fileno() == -1
