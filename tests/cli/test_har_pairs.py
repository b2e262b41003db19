from otel_apimetrics.cli.har_pairs import Pairs


def test_pairs_are_written_as_they_were_sent_or_else_encoded():
    pairs = Pairs([("q", "a%20b"), ("n", "a b&é")], ["q=a%20b"])
    assert pairs.text == "q=a%20b&n=a%20b%26%C3%A9"
    assert pairs.kept(pairs.text, pairs.text) == [(0, "q", "a%20b"), (1, "n", "a b&é")]


def test_what_is_left_is_found_by_its_name():
    pairs = Pairs([("a", "1"), ("b", "2"), ("a", "3")], [])
    assert pairs.kept("a=1&b=2&a=3", "b=2") == [(1, "b", "2")]
    assert pairs.kept("a=1&b=2&a=3", "") == []


def test_what_nobody_sent_is_not_told_as_left():
    assert Pairs([("a", "1")], []).kept("a=1", "x=1&a=1") == []
