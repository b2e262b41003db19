"""What HAR 1.2 demands: the schemas that har-validator checks, and what they leave open."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft6Validator, FormatChecker
from referencing import Registry, Resource

_SCHEMAS = Path(__file__).with_name("har_schema")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://([A-Za-z0-9\-._~:\[\]@!$&'()*+,;=/?]|%[0-9A-Fa-f]{2})+")
_FORMATS = FormatChecker(formats=("ipv4", "ipv6"))


@_FORMATS.checks("uri")
def _is_url(value: object) -> bool:
    return not isinstance(value, str) or _URL.fullmatch(value) is not None


@_FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    return (
        not isinstance(value, str)
        or datetime.fromisoformat(value.replace("Z", "+00:00")).tzinfo is not None
    )


_REGISTRY: Registry = Registry().with_resources(
    (path.name, Resource.from_contents(json.loads(path.read_text())))
    for path in _SCHEMAS.glob("*.json")
)


def _validator(name: str) -> Draft6Validator:
    return Draft6Validator({"$ref": f"{name}.json#"}, registry=_REGISTRY, format_checker=_FORMATS)


_HAR, _ENTRY = _validator("har"), _validator("entry")


def check_har(document: Any) -> None:
    _HAR.validate(document)
    assert document["log"]["version"] == "1.2"
    for entry in document["log"]["entries"]:
        _check_rest(entry)


def check_entry(entry: Any) -> None:
    _ENTRY.validate(entry)
    _check_rest(entry)


def _check_rest(entry: Any) -> None:
    """What the schemas do not say: `min` is no word of JSON Schema, and `params` has no `items`."""
    assert isinstance(entry["cache"], dict)
    assert entry["time"] >= 0
    assert min(entry["timings"][part] for part in ("send", "wait", "receive")) >= -1
    for message in (entry["request"], entry["response"]):
        assert min(message["headersSize"], message["bodySize"]) >= -1
    post_data = entry["request"].get("postData", {})
    assert not {"text", "params"} <= post_data.keys()
    for param in post_data.get("params", []):
        assert {"name"} <= param.keys() <= {"name", "value", "fileName", "contentType", "comment"}
        assert all(isinstance(value, str) for value in param.values())
