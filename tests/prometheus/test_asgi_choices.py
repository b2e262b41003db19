"""The path that `skip_paths` and labels see is the one that Starlette tells."""

from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from otel_apimetrics.prometheus.asgi_choices import Choices
from tests.in_process import make_scope

PARTS = st.sampled_from(
    ["a", "Z9", "-._~", "/", "//", "{x}", ":", "@", "%", "%2f", "?", "#", ";", " ", "\\", "é", "\n"]
)
PATHS = st.lists(PARTS, max_size=5).map(lambda parts: "/" + "".join(parts))


@given(PATHS, st.one_of(st.just(""), PATHS), st.booleans(), st.booleans())
def test_a_path_is_what_starlette_tells_without_the_root(path, root, is_below, is_mounted):
    scope = make_scope(path=root.rstrip("/") + path if is_below else path, root_path=root)
    if is_mounted:
        scope |= {"app_root_path": root, "root_path": f"{root}/sub"}
    request = Request({**scope})
    base = request.base_url.path.rstrip("/")
    assert Choices().path(Request(scope)) == request.url.path.removeprefix(base)
