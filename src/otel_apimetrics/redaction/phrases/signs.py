"""Expressions for the first look: whatever these rooms would mask, they have pointed at.

For re2: no look-arounds. Too much is found rather than too little.
"""

from typing import Final

from otel_apimetrics.redaction.phrases import queries

LABELS: Final = "name|key|field|param|parameter|path|header|attribute|attr|property|variable"
"""Members and elements that may name a sibling."""
_BLANK: Final = r"(?:\s|\\[nrt])*"
_QUOTE: Final = r"\\*[\"']"
_LIST: Final = rf"[\[(]{_BLANK}b?{_QUOTE}"
_TAG: Final = r"(?:<|&lt;)[^<>&]*"
_FLAG: Final = r"(?:--|[\"']-)[\w.-]*"
_BEFORE: Final = rf"{_TAG}|{_FLAG}|{_LIST}[^\"'\n]*|(?i:{LABELS})(?:>|&gt;)[^<&]*"
"""What may stand between the begin of a tag, a flag, a list or a label, and a sensitive word."""
_PARAMETERS: Final = (
    r"(?i:param(?:eter)?s|args|arguments|bind(?:ing)?s?|values)[\"'\\]*"
    r"(?:\s|\\[nrt]|[:=])+(?:[\[(]|\$[0-9])"
)
_ODD_PAIR: Final = (
    rf"{_LIST}[^\"']*[^\x00-\x7F][^\"']*{_QUOTE}{_BLANK},{_BLANK}(?:{_QUOTE}[^\"']*{_QUOTE}|[\d.-]+)"
    rf"{_BLANK},?{_BLANK}[\])]"
)
_ALWAYS: Final = "|".join(
    (
        r"(?:[?&#;]|^|\\u0026)(?i:code)=",
        r"(?:<|&lt;)[\w:.-]*(?i:signaturevalue|ciphervalue|x509certificate)",
        r"\)=\(",
        r"Duplicate entry '",
        r"form-data[;\s]+name=",
        rf"(?i:password|\b(?:by|as)){_BLANK}'",
        r"Failing row contains \(",
        rf"\){_BLANK}(?i:values?){_BLANK}\(",
        _PARAMETERS,
        r"(?:sshpass|redis-cli|login|mysql(?:dump|admin)?|mariadb|curl)(?s:.)*[\s\"',\\nrt]-[pau-]",
        r"[\":,{\[]\s*(?:/\*|//[^\"\n]*\n)",
        rf"(?:{_TAG}|{_FLAG})[^\x00-\x7F]",
        _ODD_PAIR,
        queries.SIGN,
    )
)


def unsigned(words: str, whole: str) -> str:
    """Point at what a name tells without a sign behind it.

    Args:
        words: those that make a name sensitive wherever they stand, as alternatives.
        whole: the names that are sensitive as a whole, as alternatives.
    """
    return rf"{_ALWAYS}|(?:{_BEFORE})(?:(?i:{words})|(?i:{whole})(?:[\W_0-9]|$))"
