import gzip
import importlib
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_apimetrics.content import coding
from otel_apimetrics.content.coding import CodingError, undo

unhurried = settings(deadline=None)

SOME = b"".join(b'{"id": %d, "name": "row %d"}\n' % (n, n * 7919) for n in range(40))


def raw_deflate(data):
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


def module(name):
    return pytest.importorskip(name)


def brotli_of(name):
    found = module(name)
    return found.compress, coding.brotli_decoder(found)


def zstd_of(name):
    found = module(name)
    return found.compress, coding.zstd_decoder(found)


def zstandard():
    found = module("zstandard")
    return found.ZstdCompressor().compress, coding.zstandard_decoder(found)


MAKERS = {
    "gzip": lambda: (gzip.compress, coding.gzip),
    "deflate": lambda: (zlib.compress, coding.deflate),
    "bare deflate": lambda: (raw_deflate, coding.deflate),
    "brotli": lambda: brotli_of("brotli"),
    "brotlicffi": lambda: brotli_of("brotlicffi"),
    "zstandard": zstandard,
    "backports.zstd": lambda: zstd_of("backports.zstd"),
}

each_decoder = pytest.mark.parametrize("name", MAKERS)
COMPRESS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: module("brotli").compress(data),
    "zstd": lambda data: module("zstandard").ZstdCompressor().compress(data),
}


def plain(data, encoding, *, complete=True, limit=65536, max_ratio=100):
    return undo(data, encoding, complete=complete, limit=limit, max_ratio=max_ratio)


@each_decoder
@unhurried
@given(data=st.binary(max_size=2000))
def test_a_decoder_gives_back_what_was_coded(name, data):
    compress, decode = MAKERS[name]()
    assert decode(compress(data), 4000) == (data, True)


@each_decoder
@unhurried
@given(cut=st.integers(1, 80))
def test_a_decoder_gives_a_prefix_of_cut_data(name, cut):
    compress, decode = MAKERS[name]()
    data, ended = decode(compress(SOME)[:-cut], 65536)
    assert SOME.startswith(data)
    assert not ended


@each_decoder
def test_a_decoder_stops_near_its_bound(name):
    compress, decode = MAKERS[name]()
    data, ended = decode(compress(bytes(20_000_000)), 1000)
    assert 1000 <= len(data) <= 4_000_000
    assert not data.strip(b"\0")
    assert not ended


@each_decoder
def test_a_decoder_refuses_what_is_not_its_own(name):
    _, decode = MAKERS[name]()
    with pytest.raises(CodingError):
        decode(b"The quick brown fox jumps over the lazy dog", 1000)


@each_decoder
def test_a_decoder_does_not_take_what_follows_the_end(name):
    compress, decode = MAKERS[name]()
    with pytest.raises(CodingError):
        decode(compress(SOME) + b"what follows", 65536)


@each_decoder
@unhurried
@given(data=st.binary(max_size=300))
def test_a_decoder_knows_no_other_error_and_no_more_than_its_bound(name, data):
    compress, decode = MAKERS[name]()
    for candidate in (data, compress(SOME)[:20] + data):
        try:
            found, _ = decode(candidate, 500)
        except CodingError:
            continue
        assert len(found) <= 4_000_000


@pytest.mark.parametrize("name", ["gzip", "zstandard", "backports.zstd"])
def test_several_members_are_one_body(name):
    compress, decode = MAKERS[name]()
    assert decode(compress(b"one ") + compress(b"two"), 1000) == (b"one two", True)


@pytest.mark.parametrize("name", ["gzip", "zstandard", "backports.zstd"])
def test_a_bound_between_two_members_is_no_end(name):
    compress, decode = MAKERS[name]()
    assert decode(compress(b"one ") + compress(b"two"), 4) == (b"one ", False)


@pytest.mark.parametrize("name", ["gzip", "zstandard", "backports.zstd"])
def test_a_body_of_very_many_members_is_refused(name):
    compress, decode = MAKERS[name]()
    with pytest.raises(CodingError):
        decode(compress(b"a") * 100, 1000)


@pytest.mark.parametrize("name", ["zstandard", "backports.zstd"])
def test_a_window_larger_than_the_rfc_allows_is_refused(name):
    _, decode = MAKERS[name]()
    parameters = module("zstandard").ZstdCompressionParameters.from_level(3, window_log=25)
    compress = module("zstandard").ZstdCompressor(compression_params=parameters).compressobj()
    data = compress.compress(SOME) + compress.flush()
    with pytest.raises(CodingError):
        decode(data, 65536)


@pytest.mark.parametrize("name", COMPRESS)
def test_each_coding_is_known_by_its_name(name):
    assert plain(COMPRESS[name](SOME), name.upper()) == (SOME, True)


@unhurried
@given(
    names=st.lists(st.sampled_from(["gzip", "deflate", "br", "zstd"]), max_size=3),
    data=st.binary(max_size=500),
)
def test_stacked_codings_are_undone_last_first(names, data):
    coded = data
    for name in names:
        coded = COMPRESS[name](coded)
    assert plain(coded, " , identity,".join(names)) == (data, True)


@pytest.mark.parametrize(
    "encoding",
    [
        "compress",
        "aws-chunked",
        "gzip, aws-chunked",
        "gzip;q=1",
        "gzip, gzip, gzip, gzip",
        "gzip" + "," * 200,
    ],
)
def test_an_unknown_coding_or_too_many_are_refused(encoding):
    coded = gzip.compress(gzip.compress(gzip.compress(gzip.compress(SOME))))
    with pytest.raises(CodingError):
        plain(coded, encoding)


def test_a_checksum_that_is_wrong_is_an_error():
    coded = bytearray(gzip.compress(SOME))
    coded[-6] ^= 1
    with pytest.raises(CodingError):
        plain(bytes(coded), "gzip")


@pytest.mark.parametrize("name", COMPRESS)
def test_complete_data_that_ends_early_is_an_error_and_cut_data_is_not(name):
    coded = COMPRESS[name](SOME)[:-9]
    with pytest.raises(CodingError):
        plain(coded, name)
    prefix, whole = plain(coded, name, complete=False)
    assert SOME.startswith(prefix)
    assert not whole


@pytest.mark.parametrize("name", COMPRESS)
def test_what_exceeds_the_limit_is_cut_there(name):
    assert plain(COMPRESS[name](SOME), name, limit=100) == (SOME[:100], False)


@pytest.mark.parametrize("name", COMPRESS)
def test_what_exceeds_the_ratio_is_refused(name):
    with pytest.raises(CodingError):
        plain(COMPRESS[name](bytes(60_000)), name)
    assert plain(COMPRESS[name](bytes(60_000)), name, max_ratio=10_000) == (bytes(60_000), True)


@pytest.mark.parametrize("name", COMPRESS)
def test_the_limit_is_no_ratio(name):
    coded = COMPRESS[name](bytes(10_000_000))
    assert plain(coded, name, limit=len(coded) * 100) == (bytes(len(coded) * 100), False)


def test_a_bomb_within_a_bomb_is_bounded_at_each_step():
    coded = gzip.compress(gzip.compress(bytes(100_000_000)))
    with pytest.raises(CodingError):
        plain(coded, "gzip, gzip")


def test_an_outer_coding_cut_at_the_limit_leaves_a_prefix_of_the_inner_one():
    data = b"".join(b"%d" % (n * 7919) for n in range(3000))
    coded = gzip.compress(gzip.compress(data))
    prefix, whole = plain(coded, "gzip, gzip", limit=2000)
    assert data.startswith(prefix)
    assert prefix
    assert not whole


@unhurried
@given(
    data=st.binary(max_size=400),
    limit=st.integers(-1, 400),
    ratio=st.integers(-1, 5),
    complete=st.booleans(),
)
@pytest.mark.parametrize("encoding", ["", "identity", "gzip", "deflate, gzip"])
def test_no_limit_makes_it_fail_otherwise_or_give_more(encoding, data, limit, ratio, complete):
    for name in encoding.split(", ") if encoding else []:
        data = COMPRESS.get(name, bytes)(data)
    try:
        found, whole = plain(data, encoding, complete=complete, limit=limit, max_ratio=ratio)
    except CodingError:
        return
    assert len(found) <= max(limit, 0)
    assert complete or not whole


@pytest.mark.parametrize("complete", [True, False])
def test_nothing_is_no_coding(complete):
    assert plain(b"", "gzip", complete=complete) == (b"", complete)
    assert plain(b"", "unheard-of", complete=complete) == (b"", complete)


@pytest.fixture
def forgotten():
    yield
    coding.brotli.cache_clear()
    coding.zstd.cache_clear()


def without(monkeypatch, *names):
    for name in names:
        monkeypatch.setitem(importlib.import_module("sys").modules, name, None)
    coding.brotli.cache_clear()
    coding.zstd.cache_clear()


@pytest.mark.parametrize("name", ["br", "zstd"])
def test_an_optional_coding_without_its_package_is_unknown(monkeypatch, forgotten, name):
    coded = COMPRESS[name](SOME)
    without(monkeypatch, "brotli", "brotlicffi", "zstandard", "backports.zstd", "compression.zstd")
    with pytest.raises(CodingError):
        plain(coded, name)


@pytest.mark.parametrize(
    ("name", "absent"),
    [("br", "brotli"), ("br", "brotlicffi"), ("zstd", "zstandard"), ("zstd", "backports.zstd")],
)
def test_one_of_two_packages_is_enough(monkeypatch, forgotten, name, absent):
    for package in ("brotlicffi", "backports.zstd"):
        module(package)
    coded = COMPRESS[name](SOME)
    without(monkeypatch, absent)
    assert plain(coded, name) == (SOME, True)


def test_a_brotli_that_cannot_bound_its_output_is_not_used(monkeypatch, forgotten):
    class Decompressor:
        """The interface of brotli 1.1, which takes no limit."""

        def process(self, data):
            return module("brotli").Decompressor().process(data)

    coded = COMPRESS["br"](SOME)
    without(monkeypatch, "brotlicffi")
    monkeypatch.setattr(module("brotli"), "Decompressor", Decompressor)
    with pytest.raises(CodingError):
        plain(coded, "br")
