"""What stands in another object's place can be told from it by its identity and `type` alone."""

import collections.abc
import copy
import io
import pickle
import weakref

import pytest
from django.http import HttpResponse

from otel_apimetrics import ApiMetricsWSGIMiddleware
from otel_apimetrics.frameworks import stand_in as room
from otel_apimetrics.frameworks.stand_in import StandIn, stand_in
from tests.frameworks import django_project
from tests.in_process import make_environ, serve_wsgi
from tests.telemetry import Telemetry

OK = "200 OK"


class Mapping(dict):
    """One with values, comparisons and an operator that gives itself back."""

    def __iadd__(self, other):
        self.update(other)
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return True


def test_the_special_methods_are_those_of_the_other_ones_class():
    other = Mapping(a=1)
    standing = stand_in(StandIn, other)
    assert isinstance(standing, Mapping)
    assert standing == other
    assert other == standing
    assert standing["a"] == len(standing) == 1
    assert "a" in standing
    assert [*standing] == ["a"]
    standing["b"] = 2
    del standing["a"]
    assert other == {"b": 2}
    assert repr(standing) == repr(other)
    assert dir(standing) == dir(other)
    with pytest.raises(TypeError, match="unhashable type: 'Mapping'"):
        hash(standing)
    with pytest.raises(TypeError, match="'Mapping' object is not callable"):
        standing()
    assert type(standing).__doc__ == Mapping.__doc__
    assert weakref.ref(standing)() is standing


def test_a_method_that_gives_its_object_back_gives_the_stand_in():
    other = Mapping()
    standing = same = stand_in(StandIn, other)
    same += {"a": 1}
    assert same is standing
    with standing as entered:
        assert entered is standing
        raise KeyError  # which the other one swallows
    assert other == {"a": 1}


def test_attributes_are_set_and_deleted_where_they_belong():
    other = Mapping()
    standing = stand_in(StandIn, other)
    standing.name = "x"
    assert vars(other) == standing.__dict__ == {"name": "x"}
    del standing.name
    assert not hasattr(other, "name")
    with pytest.raises(AttributeError, match="'Mapping' object has no attribute 'name'"):
        _ = standing.name


def test_a_copy_is_a_copy_of_the_other_one():
    standing = stand_in(StandIn, Mapping(a=[1]))
    for made in (
        copy.copy(standing),
        copy.deepcopy(standing),
        pickle.loads(pickle.dumps(standing)),
    ):
        assert type(made) is Mapping
        assert made == standing


def test_a_half_made_one_has_no_attributes():
    with pytest.raises(AttributeError):
        _ = object.__new__(StandIn).anything


def test_many_classes_do_not_grow_memory_without_bound():
    for number in range(300):
        assert stand_in(StandIn, type(f"C{number}", (), {})()) is not None
    assert len(room._classes) <= room._MOST_CLASSES


class Chunks:
    """A response of a framework: it has items, attributes, and is read more than once."""

    def __init__(self, *chunks):
        self.chunks, self.headers = list(chunks), {}

    def __iter__(self):
        return iter(self.chunks)

    def __getitem__(self, name):
        return self.headers[name]

    def __setitem__(self, name, value):
        self.headers[name] = value


def recorded(answer, telemetry: Telemetry):
    def app(environ, start_response):
        start_response(OK, [])
        return answer

    return ApiMetricsWSGIMiddleware(app, capture_body="all", **telemetry.providers)


def test_a_middleware_can_read_a_response_and_hand_it_on(telemetry: Telemetry):
    inner = recorded(Chunks(b"one ", b"two"), telemetry)
    seen = []

    def outer(environ, start_response):
        response = inner(environ, start_response)
        seen.append(b"".join(response))
        response["x-seen"] = "yes"
        seen.append(response["x-seen"])
        seen.append(isinstance(response, collections.abc.Iterator))
        return response

    assert serve_wsgi(outer, make_environ()).body == b"one two"
    assert seen == [b"one two", "yes", False]
    assert telemetry.server_span.attributes["http.response.body.size"] == 7


def test_an_iterator_is_an_iterator_and_its_own(telemetry: Telemetry):
    iterable = recorded((chunk for chunk in [b"a", b"b"]), telemetry)(make_environ(), print)
    assert iter(iterable) is iterable
    assert next(iterable) == b"a"
    assert [*iterable] == [b"b"]
    assert telemetry.server_span.attributes["http.response.body.size"] == 2


class Restarting(Chunks):
    """Has a `__next__` that is not what its iteration gives."""

    def __next__(self):
        return b"never"


def test_what_is_iterated_is_what_the_other_one_gives_to_iterate(telemetry: Telemetry):
    assert serve_wsgi(recorded(Restarting(b"a", b"b"), telemetry), make_environ()).body == b"ab"


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_copy_of_a_sequence_is_a_plain_one(telemetry: Telemetry, kind):
    answer = kind([b"a", b"b"])
    returned = recorded(answer, telemetry)(make_environ(), lambda *_: None)
    for made in (
        copy.copy(returned),
        copy.deepcopy(returned),
        pickle.loads(pickle.dumps(returned)),
    ):
        assert type(made) is kind
        assert made == answer == returned
    returned.close()


@pytest.mark.swallows_errors
def test_a_class_that_cannot_be_looked_at_is_served(telemetry: Telemetry, no_swallowed_errors):
    class Odd(type):
        def __dir__(cls):
            raise KeyError("dir")

    class Answer(metaclass=Odd):
        def __iter__(self):
            return iter([b"a"])

    assert serve_wsgi(recorded(Answer(), telemetry), make_environ()).body == b"a"
    assert [place for place, _ in no_swallowed_errors] == ["wsgi.stand_in"]
    assert telemetry.total() == 1


def test_djangos_response_is_djangos_response_to_a_middleware_outside(telemetry, instrumentor):
    django_project.configure()
    from django.core.handlers.wsgi import WSGIHandler

    seen = []

    def outer(environ, start_response):
        response = handler(environ, start_response)
        seen.append((isinstance(response, HttpResponse), response.status_code, "X-A" in response))
        response["X-A"] = "1"
        response.status_code = 418
        seen.append((response.has_header("x-a"), response["X-A"], response.status_code))
        del response["X-A"]
        seen.append((response.get("X-A"), bytes(response), response.content, repr(response)))
        with pytest.raises(TypeError) as refused:
            len(response)
        seen.append(str(refused.value))
        response.content = b"changed"
        return response

    answers = []
    for handler in (
        WSGIHandler(),
        instrumentor.instrument_app(WSGIHandler(), **telemetry.providers),
    ):
        served = serve_wsgi(outer, make_environ(path="/items/7/"))
        answers.append((seen[:], [event for event in served.events if event[0] != "close"]))
        seen.clear()
    assert answers[0] == answers[1]
    assert answers[0][1][-1] == ("chunk", b"changed")
    assert telemetry.server_span.attributes["http.response.body.size"] == 7


def test_a_file_like_answer_keeps_what_else_it_can(telemetry: Telemetry):
    returned = recorded(io.BytesIO(b"a\nb"), telemetry)(make_environ(), lambda *_: None)
    assert isinstance(returned, io.BytesIO)
    assert returned.getvalue() == b"a\nb"
    with returned as entered:
        assert [*entered] == [b"a\n", b"b"]
    assert returned.closed
