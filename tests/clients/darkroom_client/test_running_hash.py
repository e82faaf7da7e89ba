"""A hash computed alongside is the hash of the bytes in their order."""

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom_client.running_hash import ALONGSIDE_BYTES, RunningHash


@given(st.lists(st.sampled_from([1, 1000, ALONGSIDE_BYTES, ALONGSIDE_BYTES * 3]), max_size=20), st.booleans())
@settings(max_examples=30, deadline=None)
def test_large_and_small_pieces_in_any_order_give_the_same_hash(sizes, alongside):
    pieces = [bytes([number % 256]) * size for number, size in enumerate(sizes)]
    running = RunningHash(alongside)
    for piece in pieces:
        running.update(memoryview(piece))
    assert running.hexdigest() == hashlib.sha256(b"".join(pieces)).hexdigest()
    running.close()
