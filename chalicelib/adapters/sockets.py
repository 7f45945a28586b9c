"""Sockets that end at one time, however slowly the other side sends: a time limit a call would start anew each time."""

import socket
import ssl
import time
from typing import Any

SILENCE_SECONDS = 60.0  # for which the other side may send and take nothing


class _Timed(socket.socket):
    """``ends`` is on the monotonic clock; all that is sent or received after it times out."""

    ends = float("inf")

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(patience_until(self.ends))
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(patience_until(self.ends))
        return super().send(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(patience_until(self.ends))
        super().sendall(*args, **kwargs)


class TimedSocket(_Timed):
    """Without TLS."""


class TimedTlsSocket(_Timed, ssl.SSLSocket):
    """With TLS, as ``SSLContext.sslsocket_class``."""


def connected(address: tuple[Any, ...], family: int, ends: float) -> TimedSocket:
    """A connection to a numeric address. Raises OSError."""
    connection = TimedSocket(family, socket.SOCK_STREAM)
    try:
        connection.ends = ends
        connection.settimeout(patience_until(ends))
        connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def secured(connection: TimedSocket, context: ssl.SSLContext, host: str) -> TimedTlsSocket:
    """The connection with TLS, once the server has proved to be ``host``; a cut-off is no end. Raises OSError."""
    secure = context.wrap_socket(
        connection, server_hostname=host, do_handshake_on_connect=False, suppress_ragged_eofs=False
    )
    assert isinstance(secure, TimedTlsSocket)
    try:
        secure.ends = connection.ends
        secure.settimeout(patience_until(secure.ends))
        secure.do_handshake()
    except BaseException:
        secure.close()
        raise
    return secure


def patience_until(ends: float) -> float:
    """What is left, or as long as we wait for a word. Raises TimeoutError where nothing is left."""
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError("out of time")
    return min(left, SILENCE_SECONDS)
