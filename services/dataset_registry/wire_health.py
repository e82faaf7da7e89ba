"""Turns what the registry saw of itself into a message."""

from __future__ import annotations

from collections.abc import Iterable

from darkroom.dataset.v1 import dataset_pb2
from dataset_registry.health_report import Health
from dataset_registry.wire import moment

_SCHEME = "bearer "


def health_message(health: Health) -> dataset_pb2.GetHealthReportResponse:
    """Return the message."""
    return dataset_pb2.GetHealthReportResponse(
        now_time=moment(health.now),
        version=health.version,
        checks=[
            dataset_pb2.HealthCheck(
                subject=each.subject, level=f"HEALTH_LEVEL_{each.level}", text=each.text, remedy=each.remedy
            )
            for each in health.checks
        ],
        token_name=health.token.name if health.token else "",
        token_scopes=health.token.scopes if health.token else (),
        token_expire_time=moment(health.token.expire_time) if health.token else None,
    )


def bearer(metadata: Iterable[tuple[str, str | bytes]] | None) -> str:
    """Return the token that a call brought; "": none."""
    header = dict(metadata or ()).get("authorization", "")
    if not isinstance(header, str) or not header.lower().startswith(_SCHEME):
        return ""
    return header[len(_SCHEME) :].strip()
