"""The answers that our own HTTP/1.1 connection reads, and those that it refuses. h11 is the second opinion."""

import ssl
from collections.abc import Iterable

import h11
import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.transport.http1 import MAX_HEAD_BYTES, Connection

MAX = 100
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"Transfer-Encoding: Chunked\r\n\r\n"


class Played(httpcore.NetworkStream):
    """A stream that plays the pieces of an answer, and keeps what was written. An empty piece is its end."""

    def __init__(self, *pieces: bytes, breaks: bool = False) -> None:
        self.pieces, self.written, self.breaks = [*pieces], b"", breaks

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del max_bytes, timeout
        return self.pieces.pop(0) if self.pieces else b""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        if self.breaks:
            raise httpcore.WriteError("reset")
        self.written += buffer

    def close(self) -> None:
        self.pieces.clear()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        raise NotImplementedError

    def get_extra_info(self, info: str) -> object:
        return bool(self.pieces) if info == "is_readable" else None


def exchanged(*pieces: bytes) -> tuple[int, bytes, bool]:
    """The status and the body of an answer, and whether the connection can be used again."""
    connection = Connection(Played(*pieces))
    answer = connection.exchange("GET", "/", {}, None, MAX)
    return answer.status, answer.body, connection.is_idle()


ANSWERS = [
    (OK + b"Content-Length: 4\r\n\r\nbody", (200, b"body", True)),
    (OK + b"content-length:4 \r\n\r\nbody", (200, b"body", True)),
    (OK + b"Content-Length: 0\r\n\r\n", (200, b"", True)),
    (OK + CHUNKED + b"2\r\nbo\r\n0002;name=x\r\ndy\r\n0\r\nX: 1\r\nY: 2\r\n\r\n", (200, b"body", True)),
    (b"HTTP/1.1 204 No Content\r\nETag: x\r\n\r\n", (204, b"", True)),
    (b"HTTP/1.1 204\r\n\r\n", (204, b"", True)),
    (b"HTTP/1.1 304 \r\nContent-Length: 4\r\n\r\n", (304, b"", True)),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 204 No\r\n\r\n", (204, b"", True)),
    (OK + b"Connection: keep-alive, Close\r\nContent-Length: 4\r\n\r\nbody", (200, b"body", False)),
    (OK + b"Content-Length: 4\r\n\r\nbody and more", (200, b"body", False)),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nbody", (200, b"body", False)),
    (OK + b"\r\nbody", (200, b"body", False)),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "expected"), ANSWERS)
def test_an_answer_is_read_whole_however_it_arrives(answer: bytes, expected: tuple[int, bytes, bool]) -> None:
    assert exchanged(answer) == expected
    if b"more" not in answer:  # else the rest may arrive after the answer was read
        assert exchanged(*(answer[at : at + 1] for at in range(len(answer)))) == expected
        assert all(exchanged(answer[:at], answer[at:]) == expected for at in range(1, len(answer)))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", httpcore.RemoteProtocolError),
        (b"<html>", httpcore.RemoteProtocolError),
        (b"HTTP/2 200 OK\r\n\r\n", httpcore.RemoteProtocolError),
        (b"HTTP/1.1 20 OK\r\n\r\n", httpcore.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\nContent-Length: 4\n\nbody", httpcore.RemoteProtocolError),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", httpcore.RemoteProtocolError),
        (OK + b"Content-Length 4\r\n\r\nbody", httpcore.RemoteProtocolError),
        (OK + b"Content-Length : 4\r\n\r\nbody", httpcore.RemoteProtocolError),
        (OK + b"A: b\r\n folded\r\nContent-Length: 4\r\n\r\nbody", httpcore.RemoteProtocolError),
        (OK + b"A: b\rc\r\nContent-Length: 4\r\n\r\nbody", httpcore.RemoteProtocolError),
        (OK + b"Content-Length: -4\r\n\r\nbody", httpcore.RemoteProtocolError),
        (OK + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nbody", httpcore.RemoteProtocolError),
        (OK + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", httpcore.RemoteProtocolError),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", httpcore.RemoteProtocolError),
        (OK + b"Content-Length: 4\r\n\r\nbod", httpcore.RemoteProtocolError),
        (OK + b"Content-Length: 4\r\n", httpcore.RemoteProtocolError),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n", httpcore.RemoteProtocolError),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n", httpcore.RemoteProtocolError),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nbody\r\n0\r\n\r\n", httpcore.RemoteProtocolError),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0x4\r\nbody\r\n0\r\n\r\n", httpcore.RemoteProtocolError),
        (OK + b"A: " + b"b" * MAX_HEAD_BYTES, httpcore.RemoteProtocolError),
        (OK + b"Content-Length: %d\r\n\r\n" % (MAX + 1), httpcore.ReadError),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"3c\r\n" + b"x" * 60 + b"\r\n3c\r\n", httpcore.ReadError),
        (OK + b"\r\n" + b"x" * (MAX + 1), httpcore.ReadError),
    ],
)
def test_an_answer_that_is_not_right_is_refused_and_its_connection_is_not_used_again(
    answer: bytes, error: type[Exception]
) -> None:
    connection = Connection(Played(*(answer[at : at + 1000] for at in range(0, len(answer), 1000))))
    with pytest.raises(error):
        connection.exchange("GET", "/", {}, None, MAX)
    assert not connection.is_idle()


def test_a_request_is_one_piece() -> None:
    stream = Played(OK + b"Content-Length: 0\r\n\r\n")
    Connection(stream).exchange("PUT", "/a?b=c", {"Host": "x:1", "If-Match": 'W/"é"'}, b"\r\n", MAX)
    assert (
        stream.written
        == 'PUT /a?b=c HTTP/1.1\r\nHost: x:1\r\nIf-Match: W/"é"\r\nContent-Length: 2\r\n\r\n\r\n'.encode()
    )


@pytest.mark.parametrize(
    ("target", "value"), [("/a b", ""), ("/a\r\nX: 1", ""), ("/", "a\r\nX: 1"), ("/", "a\n"), ("/", "\0")]
)
def test_nothing_can_be_smuggled_into_a_request(target: str, value: str) -> None:
    stream = Played()
    with pytest.raises(httpcore.LocalProtocolError):
        Connection(stream).exchange("PUT", target, {"A": value}, b"", MAX)
    assert stream.written == b""


def test_a_server_may_answer_before_it_has_read_the_request() -> None:
    connection = Connection(Played(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", breaks=True))
    assert connection.exchange("PUT", "/", {}, b"x", MAX).status == 413


def test_repeated_headers_are_joined() -> None:
    connection = Connection(Played(OK + b"A: 1\r\na: 2\r\nB:\r\nContent-Length: 0\r\n\r\n"))
    assert connection.exchange("GET", "/", {}, None, MAX).headers == {"a": "1, 2", "b": "", "content-length": "0"}


# --- a second opinion

LINES = st.sampled_from(
    [
        b"Content-Length: 4", b"Content-Length: 4, 4", b"Content-Length: +4", b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: chunked, chunked", b"Connection: close", b"A: b", b"A:", b": b", b" A: b", b"A : b",
        b"A: \x0bb", b"A: b\x00", b"\xe9: b", b"A: \xe9 ",
    ]
)  # fmt: skip
HEADS = st.sampled_from(
    [OK, b"HTTP/1.1 204 No\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 200\r\n", b"HTTP/1.1 099 A\r\n"]
)
BODIES = st.sampled_from(
    [
        b"body",
        b"4\r\nbody\r\n0\r\n\r\n",
        b"4;x=\x01\r\nbody\r\n0\r\n\r\n",
        b"0\r\n\r\n",
        b"4\r\nbody\r\n0\r\nX: 1\r\n\r\n",
        b"",
    ]
)


@given(
    HEADS,
    st.lists(LINES, max_size=3),
    BODIES,
    st.lists(st.tuples(st.integers(0, 80), st.binary(max_size=2)), max_size=2),
)
def test_what_is_accepted_is_read_as_h11_reads_it(
    head: bytes, lines: list[bytes], body: bytes, changes: Iterable[tuple[int, bytes]]
) -> None:
    answer = head + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body
    for at, replaced in changes:
        answer = answer[:at] + replaced + answer[at + 1 :]
    try:
        status, content, _ = exchanged(answer)
    except (httpcore.ProtocolError, httpcore.ReadError):
        return
    assert (status, content) == read_with_h11(answer)


def read_with_h11(answer: bytes) -> tuple[int, bytes]:
    connection = h11.Connection(our_role=h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(answer)
    connection.receive_data(b"")
    status, content = 0, b""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            content += event.data
        elif isinstance(event, h11.EndOfMessage):
            return status, content
