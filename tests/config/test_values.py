"""Words, lists, numbers and sizes, as code, YAML and the environment write them."""

import pytest

from otel_apimetrics.config import ConfigError, build


def read(option, value):
    return getattr(build({option: value}, {}), option)


def refused(option, value):
    with pytest.raises(ConfigError) as caught:
        build({option: value}, {})
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (0, 0),
        (1048576, 1048576),
        ("4096", 4096),
        (" 16KiB ", 16384),
        ("64k", 65536),
        ("64 KB", 65536),
        ("1m", 1048576),
        ("1MiB", 1048576),
        ("12b", 12),
    ],
)
def test_a_body_size_is_bytes_or_a_binary_multiple(value, size):
    assert read("max_body_size", value) == size


@pytest.mark.parametrize(
    "value", [-1, 1048577, "2m", "16 GiB", "k", "1.5k", 1.5, True, [1], "-1", "१"]
)
def test_a_body_size_out_of_range_or_form_is_refused_with_the_range(value):
    message = refused("max_body_size", value)
    assert message.startswith("max_body_size")
    assert "0 to 1048576" in message
    assert '"16KiB"' in message


@pytest.mark.parametrize(("value", "count"), [(1, 1), (1500, 1500), (" 7 ", 7)])
def test_the_number_of_consumers_is_a_whole_number(value, count):
    assert read("max_consumers", value) == count


@pytest.mark.parametrize("value", [0, 1501, "many", "1.0", 2.0, True, None.__class__])
def test_a_number_of_consumers_past_the_cardinality_limit_is_refused(value):
    assert "from 1 to 1500" in refused("max_consumers", value)


@pytest.mark.parametrize(
    ("value", "share"), [(0, 0.0), (1, 1.0), (0.25, 0.25), ("0.5", 0.5), (" 1e-3 ", 0.001)]
)
def test_a_sample_rate_is_a_share(value, share):
    result = read("sample_rate", value)
    assert result == share
    assert isinstance(result, float)


@pytest.mark.parametrize(
    "value", [-0.1, 1.1, float("nan"), float("inf"), 10**400, "half", "10%", True, False, [1]]
)
def test_what_is_no_share_is_refused(value):
    assert "a number from 0 to 1" in refused("sample_rate", value)


@pytest.mark.parametrize("option", ["capture_body", "capture_headers", "client_ip"])
def test_a_bare_off_of_yaml_is_understood_as_off(option):
    assert read(option, False) == "off"


@pytest.mark.parametrize("option", ["capture_body", "capture_headers", "client_ip", "metrics"])
def test_a_bare_on_of_yaml_is_refused_because_it_does_not_say_which(option):
    assert "(of type bool)" not in refused(option, True)
    assert "=True" in refused(option, True)


@pytest.mark.parametrize("word", ["off", "errors", "all", "schema", " ALL "])
def test_words_are_read_in_any_letter_case(word):
    assert read("capture_body", word) == word.strip().lower()


@pytest.mark.parametrize("word", ["truncated", "full", "hash", "off"])
def test_each_mode_of_client_addresses_is_known(word):
    assert read("client_ip", word) == word


def test_a_long_value_is_cut_in_the_message():
    message = refused("capture_body", "x" * 10_000)
    assert len(message) < 200
    assert "x..." in message


def test_an_object_is_named_by_its_type_because_its_text_may_hold_credentials():
    class Client:
        def __repr__(self):
            return "Client(token='s3cret')"

    message = refused("capture_body", Client())
    assert "s3cret" not in message
    assert "Client" in message


@pytest.mark.parametrize(
    ("value", "sets"),
    [
        ("default", {"default"}),
        ("all", {"default", "all"}),
        ("semconv", {"default", "semconv"}),
        ("all, semconv", {"default", "all", "semconv"}),
        (["ALL"], {"default", "all"}),
        ({"default"}, {"default"}),
        ("off", set()),
        (False, set()),
    ],
)
def test_metric_sets_add_to_the_default_ones(value, sets):
    assert read("metrics", value) == frozenset(sets)


@pytest.mark.parametrize("value", ["off,all", "everything", [], ["default", "x"], ","])
def test_an_unknown_metric_set_is_refused(value):
    assert "use off, or a list of default, all or semconv" in refused("metrics", value)


@pytest.mark.parametrize(
    "value", ["plan,region", ["plan", " ", "region"], ("plan", "region", "plan")]
)
def test_a_list_comes_from_a_string_or_a_sequence_without_blanks_and_repeats(value):
    assert read("metric_labels", value) == ("plan", "region")


def test_a_set_has_the_same_order_in_each_process():
    assert read("metric_labels", {"c", "a", "b"}) == ("a", "b", "c")


@pytest.mark.parametrize("name", ["1st", "with space", "é", "x" * 65])
def test_a_label_that_is_no_attribute_name_is_refused_by_name(name):
    assert refused("metric_labels", ["good", name]).startswith(f"metric_labels={name!r}")


@pytest.mark.parametrize("value", [5, {"a": 1}])
def test_what_is_no_list_is_refused(value):
    assert "use a list, or a string with commas" in refused("metric_labels", value)


def test_a_list_with_something_else_than_strings_is_refused():
    assert "metric_labels=7 is not accepted: use strings" in refused("metric_labels", ["a", 7])


def test_an_environment_is_stripped_text():
    assert read("environment", " production ") == "production"


@pytest.mark.parametrize("value", [1, ["a"], "two\nlines"])
def test_an_environment_that_is_no_printable_text_is_refused(value):
    assert "printable string" in refused("environment", value)
