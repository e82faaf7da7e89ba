"""What the doctor makes of certificates, clocks, tokens and versions."""

from __future__ import annotations

from concurrent import futures
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from darkroom.dataset.v1 import dataset_pb2 as pb
from darkroom_client import doctor_server
from darkroom_client.doctor_check import Level
from darkroom_client.logins import Login, store_login
from service_kit import tls

NOW = 1_800_000_000


def answer(now: float = NOW, expire: float = 0.0) -> pb.GetHealthReportResponse:
    found = pb.GetHealthReportResponse(version="1.0", token_name="anna", token_scopes=["read"])
    found.now_time.FromMicroseconds(round(now * 1e6))
    if expire:
        found.token_expire_time.FromMicroseconds(round(expire * 1e6))
    return found


@pytest.mark.parametrize(
    ("off_s", "level", "words"),
    [
        (0, Level.OK, "agrees"),
        (-3, Level.OK, "is 3 s before"),
        (30, Level.WARN, "is 30 s behind"),
        (-4000, Level.FAIL, "is 4000 s before"),
    ],
)
def test_clocks_that_differ_are_told_apart_from_a_slow_line(off_s: float, level: Level, words: str) -> None:
    found = doctor_server.answered("studio:1", answer(NOW + off_s), NOW, NOW)
    [clock] = [each for each in found if each.subject == "clock"]
    assert clock.level == level
    assert words in clock.text
    # An answer that took its time is no wrong clock.
    [slow] = [each for each in doctor_server.answered("s:1", answer(), NOW - 15, NOW + 1) if each.subject == "clock"]
    assert slow.level == Level.OK


@pytest.mark.parametrize(("days", "level"), [(0, Level.OK), (90, Level.OK), (3, Level.WARN), (-1, Level.FAIL)])
def test_a_token_that_will_end_is_named_in_time(days: float, level: Level) -> None:
    found = doctor_server.token("s:1", answer(expire=NOW + days * 86_400 if days else 0), NOW)
    assert found.level == level


@pytest.mark.parametrize(("life_days", "level"), [(400, Level.OK), (10, Level.WARN)])
def test_a_certificate_that_will_end_is_named_in_time(
    life_days: int, level: Level, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DARKROOM_LOGINS", str(tmp_path / "logins.json"))
    monkeypatch.setattr(tls, "_LIFE", timedelta(days=life_days))
    certificate, key = tls.make_certificate(tmp_path / "door")
    server = grpc.server(futures.ThreadPoolExecutor(1))
    port = server.add_secure_port("localhost:0", tls.server_credentials(certificate, key, None))
    server.start()
    try:
        store_login(f"localhost:{port}", Login(certificate.read_text(), True, "dr_x"))
        found = doctor_server.certificate(f"localhost:{port}")
    finally:
        server.stop(None)
    assert found.level == level
    assert f"good for {life_days} days" in found.text or f"good for {life_days - 1} days" in found.text


def test_neighbouring_versions_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_server, "installed_version", lambda name: "1.4.2")
    levels = {each: doctor_server.version("x", each).level for each in ("1.4.2", "1.4.0", "1.3.9", "1.5.0")}
    assert set(levels.values()) == {Level.OK}
    for each in ("1.2.0", "2.4.0", "", "odd"):
        assert doctor_server.version("x", each).level == Level.WARN
