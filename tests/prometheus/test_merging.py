"""The numbers of several processes, put together."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_apimetrics.prometheus import wire
from otel_apimetrics.prometheus.exposition import expose
from otel_apimetrics.prometheus.families import Exemplar, Family, Series
from otel_apimetrics.prometheus.merging import Part, baseline_of, folded, merged, without


def counter(*series, name="orders"):
    return Family(name, "counter", series=[Series((), value) for value in series])


def gauge(mode, value, since=0.0, labels=()):
    return Family("fill", "gauge", mode=mode, series=[Series(labels, value, created=since)])


def live(*families, pid=1):
    return Part(families, pid, is_live=True)


def ended(*families):
    return Part(families)


def shown(*parts):
    return {
        (family.name, series.labels): series.value
        for family in merged(parts)
        for series in family.series
    }


def test_counters_are_added_up_over_those_that_live_and_those_that_have_ended():
    assert shown(ended(counter(1)), live(counter(2)), live(counter(4), pid=2)) == {
        ("orders", ()): 7
    }


@pytest.mark.parametrize(
    ("mode", "value"),
    [("sum", 12), ("livesum", 5), ("max", 7), ("livemax", 4), ("min", 1), ("livemin", 1),
     ("mostrecent", 7), ("livemostrecent", 1)],
)  # fmt: skip
def test_a_gauge_becomes_one_as_its_mode_says(mode, value):
    gone = ended(gauge(mode, 7, since=30))
    assert shown(gone, live(gauge(mode, 4, since=10)), live(gauge(mode, 1, since=20), pid=2)) == {
        ("fill", ()): value
    }
    again = ended(*folded([gone]))
    assert shown(again, live(gauge(mode, 4, since=10)), live(gauge(mode, 1, since=20), pid=2)) == {
        ("fill", ()): value
    }


def test_a_gauge_of_all_is_told_apart_by_the_pid_of_those_that_live():
    assert shown(ended(gauge("all", 7)), live(gauge("all", 4)), live(gauge("all", 1), pid=2)) == {
        ("fill", (("pid", "1"),)): 4,
        ("fill", (("pid", "2"),)): 1,
    }


def test_a_gauges_own_label_pid_is_kept_beside_that_of_the_process():
    series = [Series((("exported_pid", "c"), ("pid", "a")), 4), Series((("pid", "b"),), 5)]
    assert shown(live(Family("fill", "gauge", mode="all", series=series))) == {
        ("fill", (("exported_exported_pid", "a"), ("exported_pid", "c"), ("pid", "1"))): 4,
        ("fill", (("exported_pid", "b"), ("pid", "1"))): 5,
    }


def test_a_series_counts_since_the_earliest_and_has_the_newest_exemplar():
    old, new = Exemplar(1, 10.0, "a" * 32, "b" * 16), Exemplar(1, 20.0, "c" * 32, "d" * 16)
    one = Family("orders", "counter", series=[Series((), 1, created=5, exemplars=(new,))])
    other = Family("orders", "counter", series=[Series((), 1, created=3, exemplars=(old,))])
    body = expose(
        merged([live(one), live(other, pid=2)]),
        accept="application/openmetrics-text; version=1.0.0",
    ).body.decode()
    assert "orders_created 3.0" in body
    assert 'trace_id="' + "c" * 32 in body
    assert "a" * 32 not in body


def test_histograms_of_other_buckets_keep_those_that_they_have_in_common():
    def histogram(bounds, buckets):
        return Family(
            "wait", "histogram",
            series=[Series((), 1.5, sum(buckets), tuple(buckets), tuple(bounds))],
        )  # fmt: skip

    (family,) = merged(
        [live(histogram([1, 2, 5], [1, 2, 3, 4])), live(histogram([2, 7], [5, 6, 7]))]
    )
    (series,) = family.series
    assert (series.bounds, series.buckets) == ((2,), (1 + 2 + 5, 3 + 4 + 6 + 7))
    assert (series.count, series.value) == (28, 3.0)


def test_a_name_of_two_kinds_is_the_first_ones_and_the_log_says_so(caplog):
    assert shown(
        live(counter(1)), live(Family("orders", "gauge", series=[Series((), 5)]), pid=2)
    ) == {("orders", ()): 1}
    assert "orders of process 2 is not exposed" in caplog.text


def test_what_was_inherited_is_taken_away_once():
    baseline = baseline_of([counter(5), gauge("livesum", 2)])
    (counted, in_flight) = without([counter(7), gauge("livesum", 1)], baseline)
    assert (counted.series[0].value, in_flight.series[0].value) == (2, -1)
    (counted, in_flight) = without([counter(5), gauge("livesum", 2)], baseline)
    assert counted.series == in_flight.series == [], "the parent tells it"


def test_what_is_observed_anew_is_not_inherited_unless_it_counts():
    observed = [replace(one, is_observed=True) for one in (counter(7), gauge("livesum", 10))]
    baseline = baseline_of([counter(5), gauge("livesum", 10)])
    (counted, in_pool) = without(observed, baseline)
    assert (counted.series[0].value, in_pool.series[0].value) == (2, 10)


def test_a_counter_that_begins_again_owes_nothing():
    baseline = baseline_of([counter(5)])
    assert [without([counter(value)], baseline)[0].series[0].value for value in (3, 4, 9)] == [
        3,
        4,
        9,
    ]


labels = st.sampled_from([(), (("shop", "a"),), (("shop", "b"),)])
kinds = st.sampled_from(["counter", "histogram", "summary", "gauge"])
finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
series_of = st.builds(
    Series,
    labels=labels,
    value=finite,
    count=st.integers(0, 9),
    created=st.floats(0, 1e9),
    exemplars=st.lists(
        st.builds(Exemplar, finite, finite, st.just("a" * 32), st.just("b" * 16)), max_size=2
    ).map(tuple),
    scope=st.tuples(st.text(max_size=3), st.text(max_size=3), st.text(max_size=3)),
)
families = st.lists(
    st.builds(
        Family,
        name=st.sampled_from(["orders", "wait"]),
        kind=kinds,
        help=st.text(max_size=5),
        series=st.lists(series_of, max_size=3, unique_by=lambda one: (one.scope, one.labels)),
        mode=st.sampled_from(["sum", "livesum", "all", "max", "mostrecent"]),
    ),
    max_size=2,
    unique_by=lambda family: family.name,
)


@given(families)
def test_what_is_read_is_what_was_written(told):
    assert wire.read(wire.written(told, ["0-1-ab"])) == wire.Told(told, ["0-1-ab"])


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b"\x80\x04K\x01.", b'{"version":2}',
     json.dumps({"version": 1, "names": [], "bounds": [], "scopes": [], "families": [[]]}).encode(),
     json.dumps({"version": 1, "names": [], "bounds": [], "scopes": [],
                 "families": [["a", "odd", "sum", "", "", []]]}).encode(),
     json.dumps({"version": 1, "names": [], "bounds": [], "scopes": [],
                 "families": [["a", "counter", "sum", "", "", [[0, [], 1, 0, [], 0, 0, []]]]]}).encode()],
)  # fmt: skip
def test_what_is_none_of_ours_is_refused(data):
    with pytest.raises(ValueError):  # noqa: PT011  of whatever wording
        wire.read(data)


whole = st.integers(0, 1_000)


@given(
    st.lists(st.lists(whole, min_size=1, max_size=4), min_size=1, max_size=6),
    st.data(),
)
def test_whoever_is_folded_and_when_the_totals_are_the_same(processes, data):
    """Each list is what one process tells, one after the other; the last may be its end."""
    dead, alive, total = [], [], 0
    for pid, values in enumerate(processes, 1):
        part = [counter(values[-1]), gauge("livesum", values[-1]), gauge_of_max(values[-1])]
        total += values[-1]
        if data.draw(st.booleans()):
            dead.append(part)
            if data.draw(st.booleans()):
                dead = [folded(Part(one) for one in dead)]
        else:
            alive.append(live(*part, pid=pid))
    parts = [*(ended(*one) for one in dead), *alive]
    assert shown(*parts)["orders", ()] == total
    assert shown(*parts)["highest", ()] == max(values[-1] for values in processes)
    assert shown(*parts).get(("fill", ()), 0) == sum(
        part.families[1].series[0].value for part in alive
    )


def gauge_of_max(value):
    return replace(gauge("max", value), name="highest")
