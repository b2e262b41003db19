"""The blocks of Python in the package's own description, run with either package.

python -m tests.compat.prometheus_flask_exporter.readme MODULE (repaired|as-written)

prints what came of each block. Imports nothing of ours: the package's own environment runs it too.
"""

import json
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from pathlib import Path

import flask
import prometheus_client

TEXT = Path(__file__).with_name("readme.txt")
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_NAME = "prometheus_flask_exporter"
_RETURNS_NOTHING = ("\n    pass", '\n    return ""', "Flask refuses a view that returns nothing")


@dataclass(frozen=True)
class Block:
    """What a block needs to run, and what is asked of it then."""

    about: str
    names: tuple[str, ...] = ("PrometheusMetrics",)
    """Of the package, that it does not import itself."""
    before: str = ""
    asks: tuple[str, ...] = ()
    """Paths, of its app."""
    then: str = ""
    """Code that runs in it afterwards."""
    repairs: tuple[tuple[str, str, str], ...] = ()
    """What is replaced where it fails with the package too: by what, and why."""
    needs: str = ""
    """A module that may be absent."""
    shows: tuple[str, ...] = ()
    """Lines of a scrape of the app."""


_APP = "from flask import Flask, request\napp = Flask('readme')\n"
_METRICS = f"{_APP}metrics = PrometheusMetrics(app)\n"
_GUNICORN_ENDS = "import os\nclass worker: pid = os.getpid()\nchild_exit(None, worker)\n"

BLOCKS = (
    Block(
        "usage",
        asks=("/", "/skip", "/thing", "/long-running", "/status/418"),
        repairs=(
            _RETURNS_NOTHING,
            ("['type']", "['item_type']", "the view's argument is item_type: KeyError"),
        ),
        shows=(
            'app_info{version="1.0.3"} 1.0',
            'flask_http_request_total{method="GET",status="200"} 2.0',
            'invocation_by_type_total{item_type="thing"} 1.0',
            "in_progress 0.0",
            'requests_by_status_count{status="418"} 1.0',
            'requests_by_status_and_path_count{path="/status/418",status="418"} 1.0',
        ),
    ),
    Block(
        "defaults of one's own",
        before=_APP,
        asks=("/simple", "/simple"),
        repairs=(_RETURNS_NOTHING,),
        shows=('by_path_counter_total{path="/simple"} 2.0',),
    ),
    Block(
        "one metric for several views",
        before=_APP,
        asks=("/simple", "/plain", "/not/tracked/by/path"),
        repairs=(_RETURNS_NOTHING,),
        shows=(
            'by_path_counter_total{path="/simple"} 1.0',
            'by_path_counter_total{path="/plain"} 1.0',
        ),
    ),
    Block(
        "group_by",
        before=f"{_APP}make = PrometheusMetrics\nimport prometheus_client\n"
        "def PrometheusMetrics(app, **options):\n"
        "    app = Flask('readme')\n"
        "    registry = prometheus_client.CollectorRegistry()\n"
        "    return make(app, registry=registry, **options)\n",
        repairs=(
            (
                "# Error: this is not supported:\nPrometheusMetrics(app, group_by=lambda r: r.path)\n",
                "",
                "it says itself that this is an error",
            ),
        ),
    ),
    Block(
        "information",
        before=_APP,
        shows=("dynamic_info 42.1",),
    ),
    Block(
        "app factory",
        before=_APP,
        asks=("/",),
        shows=('flask_http_request_total{method="GET",status="404"} 1.0',),
    ),
    Block(
        "a secured endpoint",
        before=f"{_APP}from tests.compat.prometheus_flask_exporter.readme import HTTPBasicAuth\n",
        asks=("/metrics",),
        then="auth.lets_in = True\n",
        shows=('flask_http_request_total{method="GET",status="401"} 1.0',),
    ),
    Block(
        "an endpoint of one's own",
        before=_APP,
        asks=("/metrics",),
        then="assert 'flask_exporter_info' in response_data\n"
        "assert content_type.startswith('text/plain')\n",
    ),
    Block(
        "gunicorn",
        names=(),
        before="from flask import Flask\n",
        then=_GUNICORN_ENDS,
        asks=("/metrics",),
    ),
    Block(
        "gunicorn, endpoint in the app",
        names=(),
        before="from flask import Flask\n",
        then=_GUNICORN_ENDS,
        asks=("/",),
        shows=('flask_http_request_total{method="GET",status="404"} 1.0',),
    ),
    Block(
        "another server",
        names=(),
        before="this_worker = primary_worker = lambda: 1\n",
        then="assert MyMultiprocessMetrics().should_start_http_server() is True\n",
    ),
    Block(
        "processes",
        names=(),
        asks=("/",),
        shows=('flask_http_request_total{method="GET",status="404"} 1.0',),
    ),
    Block(
        "uWSGI's lazy-apps",
        names=(),
        before=f"{_APP}from {_NAME}.multiprocess import UWsgiPrometheusMetrics\n",
        asks=("/",),
        shows=('flask_http_request_total{method="GET",status="404"} 1.0',),
    ),
    Block("Connexion", names=(), needs="connexion", then="app = app.app\n"),
    Block(
        "the type of a response",
        names=("ConnexionPrometheusMetrics",),
        before="import connexion\napp = connexion.App('readme')\n",
        needs="connexion",
        then="app = app.app\n",
    ),
    Block(
        "Flask-RESTful",
        names=(),
        needs="flask_restful",
        asks=("/",),
        shows=('flask_http_request_total{method="GET",status="404"} 1.0',),
    ),
)


def sources():
    """Give the code of the blocks."""
    return _BLOCK.findall(TEXT.read_text(encoding="utf-8"))


class HTTPBasicAuth:
    """As much of Flask-HTTPAuth's as the block uses."""

    lets_in = False

    def login_required(self, view):
        """Let nobody in, or everybody."""

        @wraps(view)
        def asked():
            return view() if self.lets_in else ("Unauthorized Access", 401)

        return asked


def run(number, module, *, repaired):
    """Run a block; give the statuses of what was asked, and a scrape or why there is none."""
    block, code = BLOCKS[number], sources()[number]
    for wrong, right, _ in block.repairs if repaired else ():
        assert wrong in code
        code = code.replace(wrong, right)
    imports = "".join(f"from {_NAME} import {name}\n" for name in block.names)
    prometheus_client.REGISTRY = prometheus_client.CollectorRegistry(auto_describe=True)
    namespace = {"__name__": "readme"}
    exec(_with(module, f"{imports}{block.before}{code}"), namespace)
    app = namespace.get("app")
    statuses = []
    if isinstance(app, flask.Flask):
        if "init_app" not in code and "for_app_factory" in code:
            namespace["metrics"].init_app(app)
        statuses = [app.test_client().get(path).status_code for path in block.asks]
    exec(_with(module, block.then), namespace)
    app = namespace.get("app")
    if not isinstance(app, flask.Flask):
        return statuses, ""
    answer = app.test_client().get("/metrics")
    return statuses, answer.text if answer.status_code == 200 else answer.status_code


def _with(module, code):
    return code.replace(f"from {_NAME}", f"from {module}")


def main(module, how):
    """Run all that can be run here."""
    import_module(module)
    found = []
    for number, block in enumerate(BLOCKS):
        with tempfile.TemporaryDirectory() as directory:
            if "multiprocess" in sources()[number] + block.before:
                os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory
            try:
                if block.needs:
                    import_module(block.needs)
                found.append(run(number, module, repaired=how == "repaired"))
            except Exception as error:
                found.append(f"{type(error).__name__}: {error}")
            finally:
                os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
