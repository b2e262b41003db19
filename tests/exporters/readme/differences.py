"""Where a log of ours is another than that of readme-metrics 3.4.0, on purpose."""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

ABSENT = "absent"
ENTRY = r"request\.log\.entries\."


class Difference(NamedTuple):
    """One field in which we differ on purpose."""

    field: str
    """A regular expression of the whole path."""
    theirs: str
    ours: str
    reason: str
    holds: Callable[[Any, Any], bool]
    scenario: str = ".*"


ALWAYS = [
    Difference(
        "_id",
        "a random UUID",
        "the exchange's id as a UUID",
        "the same each time that a delivery is tried again",
        lambda theirs, ours: ours == "162a2764-d894-4c1b-b9d3-0e9927cf7ad1",
    ),
    Difference(
        r"request\.log\.creator\.(name|version|comment)",
        "readme-metrics (python) 3.4.0",
        "otel-apimetrics (python) and its version",
        "it says who made the log",
        lambda theirs, ours: bool(ours),
    ),
    Difference(
        r"request\.log\.version|"
        + ENTRY
        + r"(timings\..*|response\.(httpVersion|redirectURL|cookies))",
        ABSENT,
        "as HAR 1.2 demands",
        "a log that readers of HAR take",
        lambda theirs, ours: theirs == ABSENT,
    ),
    Difference(
        ENTRY + "pageref",
        "the URL again",
        "scheme, host and route",
        "requests of one endpoint have one name, as ReadMe's SDK for Node sends it",
        lambda theirs, ours: theirs.startswith("http") and ours.startswith(theirs[:16]),
    ),
    Difference(
        ENTRY + "startedDateTime",
        "whole seconds",
        "milliseconds",
        "what the clock says, as ReadMe's SDK for Node sends it",
        lambda theirs, ours: ours == theirs.replace("Z", ".025Z"),
    ),
    Difference(
        ENTRY + r"request\.bodySize",
        "-1",
        "the bytes of the body",
        "they are known",
        lambda theirs, ours: theirs == -1 and ours >= 0,
    ),
    Difference(
        ENTRY + r"response\.headers\.x-documentation-url",
        "a URL that the client was never sent",
        ABSENT,
        "headers are logged as they were sent",
        lambda theirs, ours: ours == ABSENT,
    ),
    Difference(
        ENTRY + r"response\.statusText",
        "the framework's spelling",
        "RFC 9110's",
        "the reason is not recorded: HTTP/2 has none",
        lambda theirs, ours: theirs == ours.upper(),
    ),
    Difference(
        ENTRY + "cache",
        ABSENT,
        "an empty object",
        "as HAR 1.2 demands",
        lambda theirs, ours: ours == {},
    ),
]

DIFFERENCES = [
    *ALWAYS,
    Difference(
        ENTRY + r"response\.(bodySize|content\.size)",
        "Content-Length, 0 without one",
        "the bytes that were sent",
        "they are known",
        lambda theirs, ours: theirs == 0 and ours == 21,
        "get_stream",
    ),
    Difference(
        ENTRY + r"response\.(bodySize|content\.(size|text))",
        "what a GET would have got",
        "nothing",
        "a response to HEAD has no body",
        lambda theirs, ours: not ours,
        "head",
    ),
    Difference(
        ENTRY + r"response\.headers\.content-length",
        "seen before the server has its say",
        "as it was sent",
        "headers are logged as they were sent",
        lambda theirs, ours: {str(theirs), str(ours)} & {ABSENT},
        "get_204|get_stream",
    ),
    Difference(
        ENTRY + r"request\.queryString\.empty",
        ABSENT,
        "the empty value",
        "it was sent",
        lambda theirs, ours: ours == [""],
    ),
    Difference(
        ENTRY + r"request\.(cookies.*)|" + ENTRY + r"response\.cookies\..*",
        "never",
        "of the Cookie headers, redacted",
        "HAR has a place for them",
        lambda theirs, ours: theirs in (0, ABSENT) and (ours == ABSENT or "[REDACTED]" in ours[0]),
    ),
    Difference(
        ENTRY + r"(request|response)\.headers\.(cookie|set-cookie|x-secret|authorization)",
        "as sent, Authorization as a digest",
        "redacted",
        "what leaves the process is redacted",
        lambda theirs, ours: all("[REDACTED]" in value for value in ours),
    ),
    Difference(
        ENTRY + r"request\.headers\.x-dup",
        "one value with a comma",
        "two lines",
        "headers are logged as they were sent",
        lambda theirs, ours: theirs == ["one,two"] and ours == ["one", "two"],
    ),
    Difference(
        ENTRY + r"(request\.postData\.text|response\.content\.text)",
        "secrets as sent",
        "redacted",
        "what leaves the process is redacted",
        lambda theirs, ours: "[REDACTED]" in ours,
    ),
    Difference(
        ENTRY + r"request\.postData\.params\.password",
        "as sent",
        "redacted",
        "what leaves the process is redacted",
        lambda theirs, ours: ours == ["[REDACTED]"],
    ),
    Difference(
        ENTRY + r"request\.postData\.params\.a",
        "the first value",
        "all values",
        "they were sent",
        lambda theirs, ours: theirs == ["1"] and ours == ["1", "2"],
    ),
    Difference(
        ENTRY + r"request\.postData\.(text|params\..*)",
        "an empty text",
        "the fields",
        "its type has a parameter, by which readme-metrics does not know it",
        lambda theirs, ours: theirs in ("", ABSENT),
        "post_form_charset|post_multipart_text",
    ),
    Difference(
        ENTRY + r"request\.postData\..*",
        "an empty text",
        "not recorded",
        "a binary file is in it",
        lambda theirs, ours: ours in ("[NOT RECORDED]", "[NOT VALID UTF-8]", "not recorded"),
        "post_multipart_binary",
    ),
    Difference(
        ENTRY + r"(request\.postData|response\.content)\.comment",
        ABSENT,
        "not recorded",
        "HAR has a place for it",
        lambda theirs, ours: ours == "not recorded",
        "post_nonutf8|get_binary_response",
    ),
    Difference(
        ENTRY + r"response\.content\.text",
        "the page",
        "without its document type",
        "what leaves the process is redacted: a declaration may hold anything",
        lambda theirs, ours: theirs == "<!doctype html>" + ours,
        "get_404|get_500",
    ),
    Difference(
        ENTRY + r"request\.postData\..*",
        ABSENT,
        "the body",
        "a chunked body is a body",
        lambda theirs, ours: ours in ("text/plain", "hello"),
        "post_chunked",
    ),
]

LIST_DIFFERENCES = [
    Difference(
        ENTRY + r"request\.queryString\..*",
        "as sent",
        "replaced",
        "their documentation promises it",
        lambda theirs, ours: all(re.fullmatch(r"\[REDACTED \d+\]", value) for value in ours),
        "allow get_query|both get_query",
    ),
    Difference(
        ENTRY + r"request\.url",
        "as sent",
        "with the replaced values",
        "the query stands in the URL too",
        lambda theirs, ours: (
            ours.partition("?")[2]
            == "x=%5BREDACTED+1%5D&x=%5BREDACTED+1%5D&q=%5BREDACTED+3%5D&empty=%5BREDACTED+0%5D"
            "&arr%5B1%5D=%5BREDACTED+1%5D"
        ),
        "allow get_query|both get_query",
    ),
    Difference(
        ENTRY + r"request\.queryString\.empty",
        ABSENT,
        "the empty value",
        "it was sent",
        lambda theirs, ours: ours == [""],
        "deny2? get_query",
    ),
    Difference(
        ENTRY + r"request\.cookies.*",
        "never",
        "of the Cookie header",
        "HAR has a place for them",
        lambda theirs, ours: ours in (["abc"], ["dark"], ABSENT),
        "deny2? get_query",
    ),
    Difference(
        ENTRY + r"request\.headers\.authorization",
        "the digest of the replacement",
        "the replacement",
        "the digest of a constant tells nothing",
        lambda theirs, ours: theirs[0].startswith("sha512-") and ours == ["[REDACTED 19]"],
        "(deny|allow|both) post_json_nested",
    ),
    Difference(
        ENTRY + r"request\.postData\.mimeType",
        "text/plain",
        "the type",
        "they look for it behind the replacement, where it is spelled otherwise",
        lambda theirs, ours: theirs == "text/plain" and ours.startswith("application/"),
        ".* post_.*",
    ),
    Difference(
        ENTRY + r"request\.postData\.text",
        "empty",
        ABSENT,
        "a form has fields",
        lambda theirs, ours: theirs == "" and ours == ABSENT,
        ".* post_form",
    ),
    Difference(
        ENTRY + r"request\.postData\.params\.(email|password|a|empty)",
        ABSENT,
        "the fields, replaced by the same lists",
        "their documentation promises it",
        lambda theirs, ours: theirs == ABSENT and "s3cret" not in ours,
        ".* post_form",
    ),
    Difference(
        ENTRY + r"response\.content\.text",
        "replaced at the top alone",
        "denied names replaced at any depth",
        "a secret is one wherever it stands",
        lambda theirs, ours: "inner" in theirs and "inner" not in ours and "s3cret" not in ours,
        "deny2? post_json_nested",
    ),
    Difference(
        ENTRY + r"response\.content\.text",
        "replaced in objects alone",
        "replaced in the objects of a list too",
        "a secret is one wherever it stands",
        lambda theirs, ours: ours == '[{"password": "[REDACTED 7]"}, 1]',
        ".* get_array",
    ),
    Difference(
        ENTRY + r"response\.content\.text",
        "replaced at the top alone",
        "denied names replaced at any depth",
        "a secret is one wherever it stands",
        lambda theirs, ours: theirs.replace('["s3cret"]', '"[REDACTED]"') == ours,
        "deny2? post_form",
    ),
    Difference(
        ENTRY + r"response\.content\.text",
        "written anew",
        "as sent",
        "nothing in it was replaced",
        lambda theirs, ours: json.loads(theirs) == json.loads(ours),
        "deny2? get_query",
    ),
    *ALWAYS,
]
