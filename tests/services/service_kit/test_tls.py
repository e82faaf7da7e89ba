"""Certificates of one's own making, believed by whoever has them in one file of roots."""

from __future__ import annotations

from concurrent import futures
from pathlib import Path

import grpc

from service_kit.tls import SERVER_NAME, channel_credentials, make_certificate, server_credentials


def test_certificates_of_several_servers_may_stand_in_one_file_of_roots(tmp_path: Path) -> None:
    # Equal subjects without key identifiers: whichever stood first was taken for the issuer of both.
    doors = [make_certificate(tmp_path / name) for name in ("a", "b")]
    roots = tmp_path / "both.pem"
    roots.write_text("".join(certificate.read_text() for certificate, _ in doors))
    for certificate, key in doors:
        server = grpc.server(futures.ThreadPoolExecutor(1))
        port = server.add_secure_port("localhost:0", server_credentials(certificate, key, None))
        server.start()
        options = [("grpc.ssl_target_name_override", SERVER_NAME)]
        try:
            with grpc.secure_channel(f"localhost:{port}", channel_credentials(roots), options=options) as channel:
                grpc.channel_ready_future(channel).result(20)
        finally:
            server.stop(None)
