"""Says beside a build which dataset comes nearest to it: a mistyped option is better seen now than after it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from darkroom_client.miss_text import nearest_line
from darkroom_client.output import say
from darkroom_client.resolution import Resolution
from darkroom_client.snapshot import RequestSnapshot, RequestState


class MissNote:
    """Asks once, in a thread, as soon as it is known that a request is a miss; nobody waits for the answer."""

    def __init__(self, resolve: Callable[[], Resolution]) -> None:
        self._resolve = resolve
        self._asked = False

    def show(self, snapshot: RequestSnapshot) -> None:
        """Look at a newer state of the request."""
        if snapshot.state is RequestState.BUILDING and not self._asked:
            self._asked = True
            threading.Thread(target=self._say, name="nearest", daemon=True).start()

    def _say(self) -> None:
        # Whatever goes wrong here, the request itself meets it too and says it; or the client was closed meanwhile.
        with contextlib.suppress(Exception):
            if line := nearest_line(self._resolve()):
                say(line)
