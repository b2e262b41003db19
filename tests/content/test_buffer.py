from array import array
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_apimetrics.content import BodyBuffer
from otel_apimetrics.content import buffer as module


@pytest.fixture(autouse=True)
def no_bytes_in_flight() -> Iterator[None]:
    """Forget what these buffers keep: nobody clears them."""
    yield
    module.forget()


unhurried = settings(deadline=None)

CHUNKS = st.lists(
    st.binary(max_size=40).flatmap(
        lambda chunk: st.sampled_from([chunk, bytearray(chunk), memoryview(chunk)])
    )
)


@unhurried
@given(chunks=CHUNKS, limit=st.integers(-1, 100))
def test_all_bytes_are_counted_and_the_first_are_kept(chunks, limit):
    buffer = BodyBuffer(limit)
    for chunk in chunks:
        buffer.write(chunk)
    whole = b"".join(bytes(chunk) for chunk in chunks)
    assert buffer.size == len(whole)
    assert buffer.truncated is (len(whole) > max(limit, 0))
    assert buffer.data == whole[: max(limit, 0)]


@unhurried
@given(before=CHUNKS, after=CHUNKS)
def test_reading_the_data_does_not_stop_the_writing(before, after):
    buffer = BodyBuffer(1000_000)
    for chunk in before:
        buffer.write(chunk)
    assert buffer.data == b"".join(bytes(chunk) for chunk in before)
    for chunk in after:
        buffer.write(chunk)
    assert buffer.data == b"".join(bytes(chunk) for chunk in before + after)


@pytest.mark.parametrize("view", [bytearray, lambda data: memoryview(bytearray(data))])
def test_a_chunk_that_its_owner_writes_to_again_keeps_its_first_value(view):
    owned = view(b"first")
    buffer = BodyBuffer(100)
    buffer.write(owned)
    owned[:] = b"other"
    assert buffer.data == b"first"


def test_bytes_are_kept_without_a_copy():
    chunk = b"a chunk of some length"
    buffer = BodyBuffer(100)
    buffer.write(chunk)
    assert buffer.data is chunk


def test_a_view_of_wider_items_is_counted_in_bytes():
    numbers = memoryview(array("I", [1, 2, 3]))
    buffer = BodyBuffer(6)
    buffer.write(numbers)
    assert buffer.size == numbers.nbytes
    assert buffer.data == numbers.tobytes()[:6]


def test_a_view_of_two_dimensions_is_kept_as_its_bytes():
    buffer = BodyBuffer(4)
    buffer.write(memoryview(b"abcdef").cast("B", (2, 3)))
    assert (buffer.size, buffer.data) == (6, b"abcd")


def test_a_subclass_of_bytes_is_kept_as_bytes():
    class Chunk(bytes):
        pass

    buffer = BodyBuffer(2)
    buffer.write(Chunk(b"abc"))
    assert (type(buffer.data), buffer.data, buffer.size) == (bytes, b"ab", 3)


def test_a_limit_of_zero_counts_and_keeps_nothing():
    buffer = BodyBuffer(0)
    buffer.write(b"abc")
    assert (buffer.size, buffer.data, buffer.truncated) == (3, b"", True)


def test_nothing_written_is_not_truncated():
    buffer = BodyBuffer(0)
    buffer.write(b"")
    assert (buffer.size, buffer.data, buffer.truncated) == (0, b"", False)


def test_a_cleared_buffer_keeps_nothing_and_counts_on():
    buffer = BodyBuffer(100)
    buffer.write(b"abc")
    buffer.clear()
    buffer.write(b"de")
    assert (buffer.size, buffer.data, buffer.truncated) == (5, b"", True)


def test_a_buffer_takes_no_other_attribute():
    with pytest.raises(AttributeError):
        BodyBuffer(1).note = "x"
