"""Callables of the user: given as they are, by a word, or by an import path."""

import functools

import pytest

from otel_apimetrics.config import ConfigError, build
from otel_apimetrics.exchange import Exchange, Request


def refused(options, environ=None):
    with pytest.raises(ConfigError) as caught:
        build(options, environ or {})
    return str(caught.value)


def exchange(**headers):
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Exchange(id="0" * 32, request=Request(method="GET", headers=pairs))


def identity_of(consumer):
    return getattr(consumer, "id", consumer)


def plain(_exchange):
    return None


async def awaited(_exchange):
    return None


class Hook:
    def __call__(self, _exchange):
        return None


class AsyncHook:
    async def __call__(self, _exchange):
        return None


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module that can be imported while the test runs."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(source):
        name = f"hooks_of_{tmp_path.name}"
        (tmp_path / f"{name}.py").write_text(source)
        return name

    return write


@pytest.mark.parametrize("option", ["identify", "label", "skip"])
@pytest.mark.parametrize("hook", [plain, awaited, Hook(), AsyncHook()])
def test_a_callable_is_taken_as_it_is(option, hook):
    assert getattr(build({option: hook}, {}), option) is hook


@pytest.mark.parametrize("option", ["label", "skip", "sample_rate"])
def test_an_import_path_is_resolved_when_the_configuration_is_built(option, module):
    name = module("def hook(exchange):\n    return 1\n")
    hook = getattr(build({}, {f"OTEL_APIMETRICS_{option.upper()}": f"{name}:hook"}), option)
    assert hook.__name__ == "hook"
    assert hook(exchange()) == 1


def test_identify_takes_an_import_path_too(module):
    name = module("def hook(exchange):\n    return 'ada'\n")
    hook = build({"identify": f"{name}:hook"}, {}).identify
    assert identity_of(hook(exchange())) == "ada"


@pytest.mark.parametrize("option", ["label", "skip"])
@pytest.mark.parametrize("hook", [7, Hook, ["operator:not_"], "os:name", "collections:OrderedDict"])
def test_what_is_no_callable_is_refused(option, hook):
    message = refused({option: hook})
    assert message.startswith(option)
    assert '"module:name"' in message


@pytest.mark.parametrize("path", ["no_colon", ":name", "module:", " : "])
def test_what_is_no_import_path_is_refused(path):
    assert 'use an import path "module:name"' in refused({"label": path})


@pytest.mark.parametrize("path", ["no_such_module_at_all:hook", "operator:no_such_name"])
def test_an_import_path_that_leads_nowhere_is_refused_with_the_reason(path):
    message = refused({"label": path})
    assert message.startswith(f"label={path!r}")
    assert "no_such" in message.partition("importable")[2]


def test_the_message_of_a_module_that_fails_at_import_stays_out(module):
    name = module("raise RuntimeError('postgres://user:s3cret@db')\n")
    message = refused({"skip": f"{name}:hook"})
    assert "RuntimeError" in message
    assert "s3cret" not in message


def test_a_word_identifies(module):
    hook = build({"identify": "header:x-user"}, {}).identify
    assert identity_of(hook(exchange(x_user="ada"))) == "ada"


def test_a_list_is_asked_in_order():
    hook = build({"identify": [plain, "header:x-user", lambda _: "last"]}, {}).identify
    assert identity_of(hook(exchange(x_user="ada"))) == "ada"
    assert identity_of(hook(exchange())) == "last"


def test_a_list_of_one_is_that_one():
    assert build({"identify": [plain]}, {}).identify is plain


def test_an_empty_list_identifies_nobody_whatever_the_environment_says():
    config = build({"identify": []}, {"OTEL_APIMETRICS_IDENTIFY": "header:x-user"})
    assert config.identify is None


@pytest.mark.parametrize("value", ["nonsense", "header:", ["header:x", "nonsense"]])
def test_a_spec_that_is_no_word_is_refused(value):
    message = refused({"identify": value})
    assert message.startswith("identify is not accepted: ")
    assert "header:NAME" in message


@pytest.mark.parametrize("value", [7, Hook, [plain, 7]])
def test_what_cannot_identify_is_refused(value):
    assert refused({"identify": value}).startswith("identify")


def test_the_variable_is_named_for_a_bad_spec():
    message = refused({}, {"OTEL_APIMETRICS_IDENTIFY": "nonsense"})
    assert message.startswith("OTEL_APIMETRICS_IDENTIFY is not accepted: 'nonsense'")


def test_a_sample_rate_may_be_a_callable():
    def rate(_exchange):
        return 0.5

    assert build({"sample_rate": rate}, {}).sample_rate is rate


@pytest.mark.parametrize("hook", [awaited, AsyncHook(), functools.partial(awaited)])
def test_a_sample_rate_cannot_be_async(hook):
    assert "not async" in refused({"sample_rate": hook})


@pytest.mark.parametrize("option", ["identify", "label", "skip"])
@pytest.mark.parametrize("hook", [awaited, AsyncHook(), functools.partial(awaited)])
def test_async_hooks_are_noticed_and_refused_where_nothing_is_awaited(option, hook):
    config = build({option: hook}, {})
    assert config.has_async_hooks
    with pytest.raises(ConfigError, match=f"^{option} cannot be async under Flask.*plain function"):
        config.require_sync("Flask")


def test_each_async_hook_is_named():
    config = build({"identify": plain, "label": awaited, "skip": awaited}, {})
    with pytest.raises(ConfigError, match="^label and skip cannot"):
        config.require_sync("Flask")


def test_an_async_member_makes_the_whole_chain_async():
    assert build({"identify": ["header:x", awaited]}, {}).has_async_hooks
    assert not build({"identify": ["header:x", plain]}, {}).has_async_hooks


@pytest.mark.parametrize("options", [{}, {"identify": plain, "label": Hook(), "skip": plain}])
def test_plain_hooks_pass_under_wsgi(options):
    config = build(options, {})
    assert not config.has_async_hooks
    assert config.require_sync("Flask") is None
