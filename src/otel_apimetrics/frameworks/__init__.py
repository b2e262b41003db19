"""Where requests come in: bytes, headers and status are copied, nothing is changed."""
