"""The URL that a client asked for, from the parts of a request."""

from otel_apimetrics.exchange import Request

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def authority(request: Request) -> str:
    """Give host and port as a `Host` header has them: no default port, brackets around IPv6."""
    host = f"[{request.host}]" if ":" in request.host else request.host
    if request.port is None or request.port == _DEFAULT_PORTS.get(request.scheme):
        return host
    return f"{host}:{request.port}"


def absolute_url(request: Request) -> str:
    """Give the URL (RFC 3986), its escapes as they were sent."""
    query = f"?{request.query}" if request.query else ""
    return f"{request.scheme}://{authority(request)}{request.path}{query}"
