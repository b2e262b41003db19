"""A proxy on loopback that opens tunnels (RFC 9110, section 9.3.6), all to one place."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Tunnel:
    """Leads each CONNECT to one port of loopback, whatever host was named.

    Args:
        port: where the tunnels end.
        credentials: what `Proxy-Authorization` has to say; "" for anything.
    """

    def __init__(self, port: int, credentials: str = "") -> None:
        self.asked: list[str] = []
        """The host and port of each CONNECT."""
        self.headers: list[dict[str, str]] = []
        tunnel = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_CONNECT(self) -> None:
                self.close_connection = True
                tunnel.asked.append(self.path)
                tunnel.headers.append({name.lower(): value for name, value in self.headers.items()})
                if credentials not in self.headers.get("Proxy-Authorization", ""):
                    self.send_response(407)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                with socket.create_connection(("127.0.0.1", port), 20) as far:
                    self.send_response(200)
                    self.end_headers()
                    back = threading.Thread(target=_pump, args=(far, self.connection), daemon=True)
                    back.start()
                    _pump(self.connection, far)
                    back.join(20)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.authority = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.authority}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


def _pump(near: socket.socket, far: socket.socket) -> None:
    """Hand on what comes until it ends, and the end too."""
    try:
        while piece := near.recv(65_536):
            far.sendall(piece)
        far.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@contextmanager
def tunnel(port: int, credentials: str = "") -> Iterator[Tunnel]:
    made = Tunnel(port, credentials)
    try:
        yield made
    finally:
        made.close()
