"""Secrets with a structure around them: JOSE, PEM, schemes, URLs, connection strings."""

from base64 import b64encode
from collections.abc import Callable
from random import Random
from typing import Final

from tests.redaction.corpus.kind import (
    ALNUM,
    BASE32,
    BASE64,
    BY_VALUE,
    HEX,
    LOWER,
    UPPER,
    URLSAFE,
    Kind,
    base64url,
    of,
    text,
    uuid,
)

_SIGNATURES: Final = {
    "HS256": 32,
    "HS512": 64,
    "RS256": 256,
    "ES256": 64,
    "PS256": 256,
    "EdDSA": 64,
}
_JWT = "RFC 7519: JSON Web Token; RFC 7518: JSON Web Algorithms"
_JWE = "RFC 7516: JSON Web Encryption, section 3.1"
_PEM = "RFC 7468: Textual encodings of PKIX, PKCS and CMS structures"
_URI = "RFC 3986: URI generic syntax, section 3.2.1"


def _claims(random: Random) -> str:
    return base64url(
        {"iss": "https://id.example", "sub": uuid(random), "exp": random.randint(10**9, 2 * 10**9)}
    )


def _signed(algorithm: str) -> Callable[[Random], str]:
    def make(random: Random) -> str:
        header = base64url({"alg": algorithm, "typ": "JWT", "kid": text(random, HEX, 8)})
        signature = base64url(random.randbytes(_SIGNATURES[algorithm]))
        return f"{header}.{_claims(random)}.{signature}"

    return make


def _unsigned(random: Random) -> str:
    return f"{base64url({'alg': 'none'})}.{_claims(random)}."


def _encrypted(header: dict[str, object], key: int) -> Callable[[Random], str]:
    def make(random: Random) -> str:
        parts = (base64url(random.randbytes(size)) for size in (key, 12, 180, 16))
        return ".".join((base64url(header), *parts))

    return make


def _disclosed(random: Random) -> str:
    disclosures = [
        base64url(f'["{text(random, URLSAFE, 22)}", "{name}", "{text(random, LOWER, 9)}"]'.encode())
        for name in ("given_name", "family_name", "address")
    ]
    return "~".join((_signed("ES256")(random), *disclosures, ""))


def _lines(random: Random, count: int) -> str:
    return "\n".join(
        (*(text(random, BASE64, 64) for _ in range(count - 1)), text(random, BASE64, 43) + "=")
    )


def _pem(label: str, count: int, *headers: str, check: bool = False) -> Callable[[Random], str]:
    def make(random: Random) -> str:
        head = "".join(f"{header}\n" for header in headers) + ("\n" if headers else "")
        tail = f"\n={text(random, BASE64, 4)}" if check else ""
        dashes = "-----"
        return (
            f"{dashes}BEGIN {label}{dashes}\n{head}{_lines(random, count)}{tail}\n"
            f"{dashes}END {label}{dashes}\n"
        )

    return make


def _key_lines(pem: str) -> str:
    lines = pem.replace("\\n", "\n").split("\n")
    return "\n".join(line for line in lines if len(line.strip()) >= 40 and " " not in line.strip())


def _as_is(secret: str) -> str:
    return secret


_NEW_LINES: Final = (
    _as_is,
    lambda pem: pem.replace("\n", "\r\n"),
    # In environment variables and in the key files of cloud providers.
    lambda pem: pem.replace("\n", "\\n"),
)


def _basic(random: Random) -> str:
    pair = f"{text(random, LOWER, 6)}:{text(random, ALNUM, 12)}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _after(*marks: str) -> Callable[[str], str]:
    def hidden(secret: str) -> str:
        for mark in marks:
            secret = secret.partition(mark)[2]
        return secret

    return hidden


def _between(before: str, after: str) -> Callable[[str], str]:
    return lambda secret: secret.rpartition(before)[2].partition(after)[0]


def _secret_of_url(secret: str) -> str:
    return secret.partition("://")[2].rpartition("@")[0].partition(":")[2]


def _password(random: Random) -> str:
    # Escapes, as a password with signs in it has in a URL.
    return (
        text(random, ALNUM, 9)
        + random.choice(["%21", "%40", "!", "~", "$"])
        + text(random, ALNUM, 9)
    )


def _url(scheme: str, rest: str, user: str = "app") -> Callable[[Random], str]:
    return lambda random: f"{scheme}://{user}:{_password(random)}@{rest}"


_URLS: Final = (
    ("PostgreSQL", "PostgreSQL documentation: libpq, connection URIs", _url("postgresql", "db.example.com:5432/orders")),
    ("PostgreSQL with a driver", "SQLAlchemy documentation: Database URLs", _url("postgresql+asyncpg", "10.2.0.4/orders")),
    ("MySQL", "MySQL documentation: URI-like connection strings", _url("mysql", "db.example.com:3306/shop")),
    ("MongoDB", "MongoDB manual: Connection strings", _url("mongodb+srv", "cluster0.example.net/?retryWrites=true")),
    ("Redis without a user", "IANA: redis URI scheme", _url("redis", "cache.example.com:6379/0", user="")),
    ("Redis over TLS", "IANA: rediss URI scheme", _url("rediss", "cache.example.com:6380/0", user="default")),
    ("AMQP", "RabbitMQ documentation: URI specification", _url("amqp", "mq.example.com:5672/%2Fjobs")),
    ("MQTT", "MQTT.js documentation: connect", _url("mqtts", "broker.example.com:8883")),
    ("ClickHouse", "ClickHouse documentation: Connection strings", _url("clickhouse", "ch.example.com:9000/logs")),
    ("SMTP", "Symfony documentation: Mailer, transport DSN", _url("smtps", "mail.example.com:465", user="mailer%40example.com")),
    ("FTP", _URI, _url("ftp", "files.example.com/in/")),
    ("HTTP", _URI, _url("https", "packages.example.com/simple/")),
    ("Git over HTTP", "Git documentation: gitcredentials", _url("https", "git.example.com/team/shop.git", user="x-token-auth")),
    ("proxy", "curl documentation: proxy", _url("http", "proxy.example.com:3128")),
    ("Sentry with a secret key", "Sentry developer documentation: DSN, legacy", _url("https", "errors.example.com/42")),
)  # fmt: skip

_STRINGS: Final = (
    ("Azure Storage connection string", "Microsoft Learn: Configure Azure Storage connection strings", of("DefaultEndpointsProtocol=https;AccountName=", (LOWER, 10), ";AccountKey=", (BASE64, 86), "==;EndpointSuffix=core.windows.net"), _between("Key=", ";")),
    ("Azure Service Bus connection string", "Microsoft Learn: Service Bus, get a connection string", of("Endpoint=sb://", (LOWER, 8), ".servicebus.windows.net/;SharedAccessKeyName=RootManage;SharedAccessKey=", (BASE64, 43), "="), _after("SharedAccessKey=")),
    ("Azure Cosmos DB connection string", "Microsoft Learn: Azure Cosmos DB, connection strings", of("AccountEndpoint=https://", (LOWER, 8), ".documents.azure.com:443/;AccountKey=", (BASE64, 86), "==;"), _between("Key=", ";")),
    ("SQL Server connection string", "Microsoft Learn: SqlConnection.ConnectionString", of("Server=tcp:db.example.com,1433;User ID=app;Password=", (ALNUM, 16), ";Encrypt=True;"), _between("word=", ";")),
    ("ODBC connection string", "Microsoft Learn: SQLDriverConnect, connection string keywords", of("Driver={ODBC Driver 18};Server=db.example.com;UID=app;PWD=", (ALNUM, 16), ";"), _between("WD=", ";")),
    ("libpq keyword string", "PostgreSQL documentation: libpq, keyword/value connection strings", of("host=db.example.com dbname=shop user=app password=", (ALNUM, 18), " sslmode=require"), _between("word=", " ")),
    ("AWS presigned URL", "Amazon S3 API reference: Authenticating requests, query parameters", of("https://photos.s3.eu-west-1.amazonaws.com/a.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK", "IA", (BASE32, 16), "%2F20260301%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Date=20260301T120000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature=", (HEX, 64)), _after("X-Amz-Signature=")),
    ("Google Cloud Storage signed URL", "Google Cloud documentation: Signed URLs", of("https://storage.googleapis.com/photos/a.jpg?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=app%40example.iam.gserviceaccount.com%2F20260301%2Fauto%2Fstorage%2Fgoog4_request&X-Goog-Date=20260301T120000Z&X-Goog-Expires=900&X-Goog-SignedHeaders=host&X-Goog-Signature=", (HEX, 512)), _after("X-Goog-Signature=")),
    ("Azure shared access signature", "Microsoft Learn: Create a service SAS", of("https://photos.blob.core.windows.net/in/a.jpg?sv=2024-11-04&se=2026-03-01T12%3A00%3A00Z&sr=b&sp=r&sig=", (ALNUM, 40), "%2B%3D"), _after("&sig=")),
    ("CloudFront signed URL", "Amazon CloudFront Developer Guide: Use signed URLs", of("https://d111111abcdef8.cloudfront.net/a.jpg?Expires=1767225600&Signature=", (ALNUM + "-~", 340), "__&Key-Pair-Id=K", (UPPER, 13)), _between("Signature=", "__&")),
    ("token of a registry in an .npmrc file", "npm Docs: npmrc, auth related configuration", of("//registry.example.com/:_authToken=", (ALNUM, 36)), _after("Token=")),
)  # fmt: skip

STRUCTURES: Final = (
    *(Kind(f"JWT signed with {name}", _JWT, _signed(name), BY_VALUE) for name in _SIGNATURES),
    Kind("JWT without a signature", "RFC 7519: JSON Web Token, section 6", _unsigned, BY_VALUE),
    Kind(
        "JWE with an encrypted key",
        _JWE,
        _encrypted({"alg": "RSA-OAEP-256", "enc": "A256GCM"}, 256),
        BY_VALUE,
    ),
    Kind(
        "JWE with a wrapped key",
        _JWE,
        _encrypted({"alg": "A256KW", "enc": "A256GCM"}, 40),
        BY_VALUE,
    ),
    Kind("JWE with a direct key", _JWE, _encrypted({"alg": "dir", "enc": "A256GCM"}, 0), BY_VALUE),
    Kind(
        "SD-JWT with disclosures", "RFC 9901: Selective disclosure for JWTs", _disclosed, BY_VALUE
    ),
    *(
        Kind(f"PEM: {name}", origin, make, BY_VALUE, hidden=_key_lines, spellings=_NEW_LINES)
        for name, origin, make in (
            ("PKCS #8 private key", _PEM, _pem("PRIVATE KEY", 8)),
            ("PKCS #8 encrypted private key", _PEM, _pem("ENCRYPTED PRIVATE KEY", 9)),
            ("RSA private key", "RFC 8017: PKCS #1", _pem("RSA PRIVATE KEY", 12)),
            (
                "RSA private key, encrypted the old way",
                "RFC 1421: Privacy enhancement, section 4.6",
                _pem(
                    "RSA PRIVATE KEY",
                    12,
                    "Proc-Type: 4,ENCRYPTED",
                    "DEK-Info: AES-128-CBC,0F1E2D3C",
                ),
            ),
            (
                "EC private key",
                "RFC 5915: Elliptic curve private key structure",
                _pem("EC PRIVATE KEY", 3),
            ),
            ("DSA private key", "OpenSSL documentation: openssl-dsa", _pem("DSA PRIVATE KEY", 6)),
            ("OpenSSH private key", "OpenSSH: PROTOCOL.key", _pem("OPENSSH PRIVATE KEY", 7)),
            (
                "PGP private key block",
                "RFC 9580: OpenPGP, section 6.2",
                _pem("PGP PRIVATE KEY BLOCK", 12, "Version: OpenPGP.js v4.10.10", check=True),
            ),
            (
                "PGP private key block with GnuPG's version",
                "RFC 4880: OpenPGP message format, section 6.2",
                _pem("PGP PRIVATE KEY BLOCK", 12, "Version: GnuPG v2.0.22 (GNU/Linux)", check=True),
            ),
            (
                "PGP private key block with a comment",
                "RFC 4880: OpenPGP message format, section 6.2",
                _pem(
                    "PGP PRIVATE KEY BLOCK", 12, "Comment: Ann's key <ann@example.com>", check=True
                ),
            ),
        )
    ),
    Kind(
        "Basic credentials", "RFC 7617: The Basic scheme", _basic, BY_VALUE, hidden=_after("Basic ")
    ),
    Kind(
        "Bearer token, opaque",
        "RFC 6750: Bearer token usage",
        of("Bearer ", (URLSAFE, 43)),
        BY_VALUE,
        hidden=_after("Bearer "),
    ),
    Kind(
        "Bearer token in lower case",
        "RFC 9110: HTTP semantics, section 11.1: schemes in any case",
        of("bearer ", (HEX, 32)),
        BY_VALUE,
        hidden=_after("bearer "),
    ),
    *(
        Kind(f"URL with a password: {name}", origin, make, BY_VALUE, hidden=_secret_of_url)
        for name, origin, make in _URLS
    ),
    *(Kind(name, origin, make, BY_VALUE, hidden=hidden) for name, origin, make, hidden in _STRINGS),
)
