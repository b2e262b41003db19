"""Sends rounds of requests to the app: `python traffic.py http://127.0.0.1:8000 --rounds 5`."""

import argparse
from collections import Counter
from http.client import HTTPConnection
from urllib.parse import urlsplit

ROUND = (
    ("acme", "GET", "/work/small"),
    ("acme", "GET", "/work/small"),
    ("globex", "GET", "/work/large"),
    ("acme", "POST", "/payments"),
    ("globex", "POST", "/payments"),
    ("globex", "GET", "/reports"),
    ("", "GET", "/nowhere"),
)


def send(address: str, client: str, method: str, path: str) -> int:
    """Send one request, and return the status of its response."""
    connection = HTTPConnection(address, timeout=60)
    try:
        connection.request(method, path, headers={"x-client": client} if client else {})
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def main() -> None:
    """Send what the command line asks for, and print how many of each status came back."""
    parser = argparse.ArgumentParser(description="Send rounds of requests to the app.")
    parser.add_argument("url", help="where the app is, such as http://127.0.0.1:8000")
    parser.add_argument("--rounds", type=int, default=5, help="of 7 requests (%(default)s)")
    options = parser.parse_args()
    address = urlsplit(options.url).netloc
    statuses = Counter(send(address, *each) for _ in range(options.rounds) for each in ROUND)
    print(", ".join(f"{status} x {number}" for status, number in sorted(statuses.items())))


if __name__ == "__main__":
    main()
