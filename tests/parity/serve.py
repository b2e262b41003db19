"""Serves one of the apps with a vendor's SDK, or with ours, until it is told to end.

python -m tests.parity.serve VENDOR (sdk|exchanges|spans) (flask|fastapi) PORT URL
"""

import sys
from importlib import import_module
from typing import Any

from tests.parity import apps


def served(vendor: str, way: str, framework: str, url: str) -> Any:
    """Make the app with what records it."""
    app = {"flask": apps.make_flask, "fastapi": apps.make_fastapi}[framework]()
    if way == "sdk":
        return import_module(f"tests.parity.vendors.{vendor}_sdk").install(app, framework, url)
    ours = import_module("tests.parity.ours")
    return ours.install(app, vendor, way, url)


def main(vendor: str, way: str, framework: str, port: str, url: str) -> None:
    """Serve until SIGINT."""
    app = served(vendor, way, framework, url)
    if framework == "flask":
        import waitress

        waitress.serve(
            app, listen=f"127.0.0.1:{port}", threads=4, clear_untrusted_proxy_headers=False
        )
    else:
        import uvicorn

        uvicorn.run(
            app, port=int(port), log_level="warning", proxy_headers=False, server_header=False
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
