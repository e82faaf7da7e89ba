"""Keeps what builds print, in order and bounded, and lets anyone read it while it grows."""

from __future__ import annotations

from dataset_registry.catalog import Transaction, Where
from dataset_registry.records import LogPiece, Work

# What one dataset's builds may log in all; what comes later is dropped, with a line that says so.
MAX_LOG_BYTES = 16 * 1024 * 1024
_FULL = "\n[the log is full: what came later was dropped]\n"
# A read returns so many pieces at most.
PIECES = 200


def append_log(tx: Transaction, work: Work, text: str, offset: int) -> None:
    """Append what is new of ``text``, which begins ``offset`` bytes behind the start of this claim's log."""
    last = _last(tx, work.subject)
    start = last.start + last.size_bytes if last else 0
    known = last.fence_end if last and last.work == work.id and last.fence == work.fence else 0
    data = text.encode()
    if offset + len(data) <= known or start >= MAX_LOG_BYTES:
        return
    fresh = data[max(known - offset, 0) :].decode(errors="replace")
    if start + len(data) >= MAX_LOG_BYTES:
        fresh = fresh[: MAX_LOG_BYTES - start] + _FULL
    tx.put(
        LogPiece(
            id=f"{work.subject}/{start}",
            subject=work.subject,
            start=start,
            size_bytes=len(fresh.encode()),
            text=fresh,
            work=work.id,
            fence=work.fence,
            fence_end=offset + len(data),
        )
    )


def read_log(tx: Transaction, subject: str, offset: int) -> tuple[str, int]:
    """Return text from a byte offset on, and where the next begins; the same offset again when there is no more."""
    before = tx.find(LogPiece, Where("subject", "=", subject), Where("start", "<=", offset), order=("-start",), limit=1)
    after = tx.find(
        LogPiece, Where("subject", "=", subject), Where("start", ">", offset), order=("start",), limit=PIECES
    )
    data = b""
    for piece in [*before, *after]:
        data += piece.text.encode()[max(offset - piece.start, 0) :]
    return data.decode(errors="replace"), offset + len(data)


def _last(tx: Transaction, subject: str) -> LogPiece | None:
    pieces = tx.find(LogPiece, Where("subject", "=", subject), order=("-start",), limit=1)
    return pieces[0] if pieces else None
