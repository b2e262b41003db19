"""Who called: consumers from credentials and headers, client addresses from proxies.

An identity is what an operator may read, never a secret: passwords are dropped, keys are
hashed, and headers that carry credentials are refused as they are.
"""

from otel_apimetrics.identity.address import IpMode, mask_ip
from otel_apimetrics.identity.clean import LONGEST_ID, clean_id, hash_id
from otel_apimetrics.identity.client_address import ClientAddress
from otel_apimetrics.identity.consumer import (
    by_basic_user,
    by_bearer_claim,
    by_client_address,
    by_header,
    by_key,
    by_readme_key,
)
from otel_apimetrics.identity.errors import SpecError
from otel_apimetrics.identity.hooks import chain, is_async
from otel_apimetrics.identity.ip_headers import IP_HEADERS, mask_ip_header
from otel_apimetrics.identity.key_mask import is_masked_key, mask_key
from otel_apimetrics.identity.spec import identify_by

__all__ = [
    "IP_HEADERS",
    "LONGEST_ID",
    "ClientAddress",
    "IpMode",
    "SpecError",
    "by_basic_user",
    "by_bearer_claim",
    "by_client_address",
    "by_header",
    "by_key",
    "by_readme_key",
    "chain",
    "clean_id",
    "hash_id",
    "identify_by",
    "is_async",
    "is_masked_key",
    "mask_ip",
    "mask_ip_header",
    "mask_key",
]
