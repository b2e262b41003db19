"""A WSGI app on a port of its own, in this process."""

import threading
from typing import Any, Final

from otel_apimetrics.prometheus.listening import listening, tls_context


class AppServer:
    """Serves a WSGI app from threads of its own, which hold up no exit.

    Args:
        app: any WSGI callable (PEP 3333).
        port: to listen on; 0 lets the system choose.
        host: to listen on.
        certificate: path of a PEM file, for TLS.
        key: path of the certificate's private key; without it in the same file.

    Raises:
        ConfigError: the port is taken, the certificate cannot be read, or there is a key alone.
    """

    def __init__(
        self,
        app: Any,
        port: int,
        host: str,
        *,
        certificate: str | None = None,
        key: str | None = None,
    ) -> None:
        context = tls_context(certificate, key)
        self._server: Final = listening(host, port, context)
        self._server.set_app(app)
        self.port: Final[int] = self._server.server_port
        self._thread: Final = threading.Thread(
            target=self._server.serve_forever, name="otel-apimetrics-scrapes", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
