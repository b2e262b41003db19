"""What is said in the configuration, and the part of it that is always the same."""

from typing import Final

HEAD: Final = """\
The redaction rules of otel-apimetrics for the OpenTelemetry Collector (contrib 0.155 or newer,
with the processors `redaction` and `transform`), as a second lock. Made by
`otel-apimetrics collector-rules`: make it again when the policy changes.

With our Collector, as a second file; it takes the place of the rules in the first one:
  otelcol --config collector.yaml --config this-file.yaml

With a configuration of your own: take `service` out of this file, and name the processors in your
pipelines, in the order that it shows. Lists are replaced when files are merged, not joined.

What is masked becomes "****", and the span or record names the attribute in
`redaction.masked.keys`: an alarm, because the first lock let it through. A dollar is doubled
for the Collector, which would take it for a variable.

The Collector takes some seconds more to start, and logs the statements once. It spends about half
a millisecond of CPU on a span, and some tens on a body of 16 KiB in which names are suspicious.
"""
DIFFERS: Final = tuple(
    f"- {text}"
    for text in """\
A word in capitals is found at the beginning of a longer one too (`SID` in `SIDE`).
A word that resembles a sensitive one in all but its first letter, a capital, is taken for it.
What has a token inside is masked from there: Go cannot ask what comes before and next.
Names in two words are found in one word too (`authkey`); a name that runs small letters into \
capitals (`userPASSWORD`) is not found.
Of a member `name`, `field`, `key`, `path` and their like that names a secret, the member \
`value`, `val` or `content` is masked where it comes next.
What is named without a sign behind the name is not found: an element of markup in text, a flag, \
an item of a list, a column of SQL, a code of OAuth in a URL in text.
A name with a harmless sense (key, salt, ticket and their like) is judged by its value as in the \
app, but lists and objects under it are left, and in text 16 letters without a blank are a secret. \
As the key of an attribute it is left, and of a header it is masked.
A key of an attribute is masked where its last part ends in a sensitive word in small letters or \
in capitals, or in one of a few behind it: `user.password_hash`, not `user.password_policy`.
In log records, names that are sensitive in URLs alone (`code`, `state`) are left.
JSON in JSON strings is read at three levels; below, a value is masked to its next escape. Lists \
and objects deeper than three levels are masked up to the end of the text.
null, true and false stay, even under a name to deny.
Names are not normalised (NFKC), and those that spell letters as \\u escapes are masked.
Numbers of tokens that have other words than those of the well-known AI vendors are masked.
Where a secret is behind escapes of a URL or of JSON, the text is written without them.
XML, HTML and multipart bodies are read as free text. The end of a cut text is not read with more \
suspicion.
Headers, which are arrays: their values are read by the value rules, and the first of Referer, \
Location and Content-Location as a URL; assignments in others are not found.
What is masked in an attribute that is a number or an array makes a string of it.
Attributes that hold maps or bytes, and those of links and exemplars, are not read by name.\
""".splitlines()
)
TRANSFORM: Final = """\
Masks what only its name gives away: members of JSON text, also of JSON in JSON strings, and \
assignments in forms, queries and text. A statement that fails drops its batch: nothing passes \
unread."""
TOKENS: Final = """\
Masks attributes by their keys, and tokens that begin with letters of their own: such expressions \
cost next to nothing."""
NUMBERS: Final = """\
Masks what has no such beginning, joined in one expression: the match that begins first wins. It \
comes after the tokens, or it would cut the digits out of one. A pattern of yours may find a part \
of a mark."""
METRICS: Final = "A summary would be two more labels on each series."
SERVICE: Final = """
service:
  pipelines:
    traces:
      processors:
        - memory_limiter
        - transform/apimetrics
        - redaction/apimetrics
        - redaction/apimetrics-numbers
        - batch
    metrics:
      processors:
        - memory_limiter
        - redaction/apimetrics-metrics
        - batch/metrics
    logs:
      processors:
        - memory_limiter
        - transform/apimetrics
        - redaction/apimetrics
        - redaction/apimetrics-numbers
        - batch
"""
