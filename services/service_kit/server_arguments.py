"""What a gRPC server is told, with the reasons: its own defaults lose calls and keep silent strangers for ever."""

from __future__ import annotations

from dataclasses import dataclass

MAX_MESSAGE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class ServerArguments:
    """A server's bounds; tests shorten them to see each one's effect, since grpcio ignores a wrong name silently."""

    pending_calls: int = 100_000
    """Calls that may wait to be looked at; by default a burst of more than 1,000 loses some. Admission bounds them."""
    handshake_s: float = 5.0
    """A connection that has not said by then who it is goes; by default it stays for minutes."""
    idle_s: float = 300.0
    """A connection without calls goes; clients make another one by themselves."""
    age_s: float = 1800.0
    """An older connection takes no new calls, so that clients spread again over all servers behind one name."""
    age_grace_s: float = 6 * 3600.0
    """What still runs on it then may go on: an import of hours must not be cut, and no stream outlives a token much."""
    keepalive_s: float = 60.0
    """A connection that is silent for so long is asked whether somebody is there."""
    keepalive_answer_s: float = 20.0
    """It goes unless somebody answers by then."""
    pings_apart_s: float = 10.0
    """A client that asks more often, three times, is sent away."""
    connections: int = 10_000
    """More than these are closed at once; fewer where the process may open fewer files."""
    streams: int = 20_000
    """Calls at a time on one connection; a client with more keeps them until others end."""
    message_bytes: int = MAX_MESSAGE_BYTES
    """Of a message, in either direction; bytes of photos and archives come in pieces."""

    def options(self) -> tuple[tuple[str, int], ...]:
        """Return them under gRPC's names."""
        return (
            ("grpc.server.max_pending_requests", self.pending_calls),
            ("grpc.server.max_pending_requests_hard_limit", 2 * self.pending_calls),
            ("grpc.server_handshake_timeout_ms", _ms(self.handshake_s)),
            ("grpc.max_connection_idle_ms", _ms(self.idle_s)),
            ("grpc.max_connection_age_ms", _ms(self.age_s)),
            ("grpc.max_connection_age_grace_ms", _ms(self.age_grace_s)),
            ("grpc.keepalive_time_ms", _ms(self.keepalive_s)),
            ("grpc.keepalive_timeout_ms", _ms(self.keepalive_answer_s)),
            # Without it a peer that keeps the line open but does not answer has a minute.
            ("grpc.http2.ping_timeout_ms", _ms(self.keepalive_answer_s)),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", _ms(self.pings_apart_s)),
            ("grpc.max_allowed_incoming_connections", self.connections),
            ("grpc.max_concurrent_streams", self.streams),
            ("grpc.max_receive_message_length", self.message_bytes),
            ("grpc.max_send_message_length", self.message_bytes),
            # By default a second server binds the same port without a word.
            ("grpc.so_reuseport", 0),
        )


USUAL = ServerArguments()


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
