"""A certificate authority that no system trusts, and what it certifies."""

import ssl
import subprocess
from pathlib import Path

SERVED = "DNS:vendor.example,IP:127.0.0.1"


class Authority:
    """Made by `openssl` in a directory: `bundle` is what a client has to trust."""

    def __init__(self, directory: Path) -> None:
        self.bundle = directory / "authority.pem"
        key, request = directory / "authority.key", directory / "server.csr"
        self._key, self._certificate = directory / "server.key", directory / "server.pem"
        extensions = directory / "extensions"
        extensions.write_text(f"subjectAltName={SERVED}\n")
        made = ["-newkey", "rsa:2048", "-nodes", "-subj"]
        self._run(
            "req", "-x509", *made, "/CN=A private authority", "-days", "2", "-keyout", key,
            "-addext", "keyUsage=critical,keyCertSign", "-out", self.bundle,
        )  # fmt: skip
        self._run("req", *made, "/CN=vendor.example", "-keyout", self._key, "-out", request)
        self._run(
            "x509", "-req", "-in", request, "-CA", self.bundle, "-CAkey", key, "-days", "2",
            "-set_serial", "1", "-extfile", extensions, "-out", self._certificate,
        )  # fmt: skip

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate, self._key)
        return context

    @staticmethod
    def _run(*arguments: object) -> None:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
