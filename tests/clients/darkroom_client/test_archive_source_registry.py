"""A chunk is taken out of its message without decoding it, unless there is more in it than expected."""

from hypothesis import given
from hypothesis import strategies as st

from darkroom.dataset.v1 import dataset_pb2
from darkroom_client.archive_source_registry import chunk_of


@given(st.binary(max_size=300) | st.sampled_from([127, 128, 16383, 16384, 1 << 20]).map(bytes))
def test_a_chunk_is_what_decoding_gives(data):
    message = dataset_pb2.ReadShardResponse(data=data).SerializeToString()
    assert bytes(chunk_of(message)) == data


def test_a_message_with_fields_of_a_newer_server_is_decoded():
    message = dataset_pb2.ReadShardResponse(data=b"abc").SerializeToString()
    assert bytes(chunk_of(message + b"\x10\x05")) == b"abc"
    assert bytes(chunk_of(b"\x10\x05" + message)) == b"abc"
