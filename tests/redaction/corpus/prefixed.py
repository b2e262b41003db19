"""Tokens that begin with a prefix of their issuer."""

from collections.abc import Callable
from random import Random
from typing import Final
from zlib import crc32

from tests.redaction.corpus.kind import (
    ALNUM,
    BASE32,
    BASE64,
    BY_VALUE,
    DIGITS,
    HEX,
    UPPER,
    URLSAFE,
    Kind,
    of,
    text,
)

_BASE62: Final = DIGITS + UPPER + "abcdefghijklmnopqrstuvwxyz"

_AWS = "AWS IAM User Guide: IAM identifiers, understanding unique ID prefixes"
_GITHUB = "GitHub Docs: About authentication to GitHub, GitHub's token formats"
_GITLAB = "GitLab Docs: Token overview, token prefixes"
_SLACK = "Slack API: Token types"
_STRIPE = "Stripe Docs: API keys"
_OPENAI = "OpenAI API reference: Authentication"
_ANTHROPIC = "Anthropic Docs: Admin API and Claude Code authentication"
_SHOPIFY = "Shopify.dev changelog: Length of the Shopify access token is increasing, new prefixes"
_OCEAN = "DigitalOcean API reference: Authentication, token prefixes"
_VAULT = "HashiCorp Vault documentation: Concepts, tokens, token prefixes"


def checked(prefix: str, length: int) -> Callable[[Random], str]:
    """Make a token that ends in the CRC-32 of its random part, in six letters of base 62."""

    def make(random: Random) -> str:
        body = text(random, ALNUM, length - 6)
        number = crc32(body.encode())
        check = ""
        for _ in range(6):
            number, place = divmod(number, 62)
            check = _BASE62[place] + check
        return f"{prefix}{body}{check}"

    return make


def _routable(random: Random) -> str:
    body = text(random, URLSAFE, 36)
    check = text(random, HEX, 7)
    return f"gl{'pat-'}{body}.01.01{check}"


def _hook(path: str) -> Callable[[str], str]:
    return lambda secret: secret.partition(path)[2]


def _kinds(origin: str, *rows: tuple[str, Callable[[Random], str]]) -> tuple[Kind, ...]:
    return tuple(Kind(name, origin, make, BY_VALUE) for name, make in rows)


PREFIXED: Final = (
    *_kinds(
        _AWS,
        ("AWS access key id of a user", of("AK" + "IA", (BASE32, 16))),
        ("AWS access key id of a temporary session", of("AS" + "IA", (BASE32, 16))),
        ("AWS STS service bearer token id", of("AB" + "IA", (BASE32, 16))),
        ("AWS context-specific credential id", of("AC" + "CA", (BASE32, 16))),
    ),
    *_kinds(
        _GITHUB,
        ("GitHub personal access token, classic", checked("gh" + "p_", 36)),
        ("GitHub OAuth access token", checked("gh" + "o_", 36)),
        ("GitHub user-to-server token", checked("gh" + "u_", 36)),
        ("GitHub server-to-server token", checked("gh" + "s_", 36)),
        ("GitHub refresh token", checked("gh" + "r_", 76)),
        (
            "GitHub personal access token, fine-grained",
            of("github" + "_pat_", (ALNUM, 22), "_", (ALNUM, 59)),
        ),
    ),
    *_kinds(
        _GITLAB,
        ("GitLab personal access token", of("gl" + "pat-", (URLSAFE, 20))),
        ("GitLab personal access token, routable", _routable),
        ("GitLab deploy token", of("gl" + "dt-", (URLSAFE, 20))),
        ("GitLab runner authentication token", of("gl" + "rt-", (URLSAFE, 20))),
        ("GitLab pipeline trigger token", of("gl" + "ptt-", (HEX, 40))),
        ("GitLab SCIM token", of("gl" + "soat-", (URLSAFE, 20))),
    ),
    *_kinds(
        _SLACK,
        (
            "Slack bot token",
            of("xo" + "xb-", (DIGITS, 12), "-", (DIGITS, 13), "-", (ALNUM, 24)),
        ),
        (
            "Slack user token",
            of("xo" + "xp-", (DIGITS, 12), "-", (DIGITS, 12), "-", (DIGITS, 13), "-", (HEX, 32)),
        ),
        ("Slack workspace access token", of("xo" + "xa-2-", (DIGITS, 12), "-", (HEX, 32))),
        ("Slack workspace refresh token", of("xo" + "xr-", (DIGITS, 12), "-", (ALNUM, 24))),
        ("Slack legacy session token", of("xo" + "xs-", (DIGITS, 11), "-", (HEX, 10))),
        ("Slack refresh token", of("xo" + "xe-1-", (ALNUM, 146))),
        ("Slack rotated user token", of("xo" + "xe.xo" + "xp-1-", (ALNUM, 163))),
        ("Slack rotated bot token", of("xo" + "xe.xo" + "xb-1-", (ALNUM, 163))),
        ("Slack client token", of("xo" + "xc-", (DIGITS, 12), "-", (DIGITS, 13), "-", (HEX, 64))),
        (
            "Slack app-level token",
            of("xa" + "pp-1-A", (UPPER, 10), "-", (DIGITS, 13), "-", (HEX, 64)),
        ),
    ),
    *(
        Kind(name, "Slack API: " + page, make, BY_VALUE, hidden=_hook(path))
        for name, page, path, make in (
            (
                "Slack incoming webhook",
                "Sending messages using incoming webhooks",
                "/services/",
                of(
                    "https://hooks.slack" + ".com/services/T",
                    (UPPER, 8),
                    "/B",
                    (UPPER, 10),
                    "/",
                    (ALNUM, 24),
                ),
            ),
            (
                "Slack workflow webhook",
                "Workflows, steps from apps",
                "/workflows/",
                of(
                    "https://hooks.slack" + ".com/workflows/T",
                    (UPPER, 8),
                    "/A",
                    (UPPER, 10),
                    "/",
                    (DIGITS, 18),
                    "/",
                    (ALNUM, 24),
                ),
            ),
            (
                "Slack trigger webhook",
                "Link and webhook triggers",
                "/triggers/",
                of(
                    "https://hooks.slack" + ".com/triggers/T",
                    (UPPER, 8),
                    "/",
                    (DIGITS, 13),
                    "/",
                    (HEX, 32),
                ),
            ),
        )
    ),
    *_kinds(
        _STRIPE,
        ("Stripe secret key, live", of("sk_" + "live_51", (ALNUM, 97))),
        ("Stripe secret key, live, old", of("sk_" + "live_", (ALNUM, 24))),
        ("Stripe secret key, test", of("sk_" + "test_51", (ALNUM, 97))),
        ("Stripe restricted key, live", of("rk_" + "live_51", (ALNUM, 97))),
        ("Stripe restricted key, test", of("rk_" + "test_51", (ALNUM, 97))),
        ("Stripe webhook signing secret", of("wh" + "sec_", (ALNUM, 32))),
    ),
    *_kinds(
        "Standard Webhooks specification: Signature scheme, secret serialisation",
        ("Standard Webhooks signing secret", of("wh" + "sec_", (BASE64, 43), "=")),
    ),
    *_kinds(
        "Paystack documentation: Authentication",
        ("Paystack secret key", of("sk_" + "live_", (HEX, 40))),
    ),
    *_kinds(
        "Clerk documentation: Environment variables",
        ("Clerk secret key", of("sk_" + "test_", (ALNUM, 42))),
    ),
    *_kinds(
        "Checkout.com documentation: API keys, previous",
        ("Secret key with the environment prod", of("sk_" + "prod_", (ALNUM, 32))),
    ),
    *_kinds(
        _OPENAI,
        ("OpenAI user key", of("sk" + "-", (ALNUM, 20), "T3BlbkFJ", (ALNUM, 20))),
        ("OpenAI project key", of("sk" + "-proj-", (URLSAFE, 74), "T3BlbkFJ", (URLSAFE, 74))),
        (
            "OpenAI service account key",
            of("sk" + "-svcacct-", (URLSAFE, 74), "T3BlbkFJ", (URLSAFE, 74)),
        ),
        ("OpenAI admin key", of("sk" + "-admin-", (URLSAFE, 58), "T3BlbkFJ", (URLSAFE, 58))),
    ),
    *_kinds(
        _ANTHROPIC,
        ("Anthropic API key", of("sk" + "-ant-api03-", (URLSAFE, 93), "AA")),
        ("Anthropic admin key", of("sk" + "-ant-admin01-", (URLSAFE, 93), "AA")),
        ("Anthropic OAuth access token", of("sk" + "-ant-oat01-", (URLSAFE, 93), "AA")),
    ),
    *_kinds(
        "OpenRouter documentation: API authentication",
        ("OpenRouter key", of("sk" + "-or-v1-", (HEX, 64))),
    ),
    *_kinds(
        "DeepSeek API Docs: Your first API call",
        ("DeepSeek key", of("sk" + "-", (HEX, 32))),
    ),
    *_kinds(
        "Langfuse documentation: Public API, authentication",
        (
            "Langfuse secret key",
            of(
                "sk" + "-lf-",
                (HEX, 8),
                "-",
                (HEX, 4),
                "-4",
                (HEX, 3),
                "-a",
                (HEX, 3),
                "-",
                (HEX, 12),
            ),
        ),
    ),
    *_kinds(
        "Google Cloud documentation: Manage API keys",
        ("Google API key", of("AI" + "zaSy", (URLSAFE, 33))),
    ),
    *_kinds(
        "Google Identity: Using OAuth 2.0 to access Google APIs, token size",
        ("Google OAuth access token", of("ya" + "29.a0", (URLSAFE, 160))),
        ("Google OAuth client secret", of("GOC" + "SPX-", (URLSAFE, 28))),
    ),
    *_kinds(
        "Twilio SendGrid documentation: API keys",
        ("SendGrid key", of("S" + "G.", (URLSAFE, 22), ".", (URLSAFE, 43))),
    ),
    *_kinds(
        "npm Docs: About access tokens; GitHub Blog: New npm token format",
        ("npm access token", checked("np" + "m_", 36)),
    ),
    *_kinds(
        "PyPI help: How can I use API tokens to authenticate",
        ("PyPI upload token", of("py" + "pi-AgEIcHlwaS5vcmc", (URLSAFE, 150))),
        ("TestPyPI upload token", of("py" + "pi-AgENdGVzdC5weXBpLm9yZw", (URLSAFE, 150))),
    ),
    *_kinds(
        "Hugging Face Hub documentation: User access tokens",
        ("Hugging Face user access token", of("h" + "f_", (ALNUM, 34))),
    ),
    *_kinds(
        _OCEAN,
        ("DigitalOcean personal access token", of("do" + "p_v1_", (HEX, 64))),
        ("DigitalOcean OAuth token", of("do" + "o_v1_", (HEX, 64))),
        ("DigitalOcean OAuth refresh token", of("do" + "r_v1_", (HEX, 64))),
    ),
    *_kinds(
        _SHOPIFY,
        ("Shopify admin access token", of("sh" + "pat_", (HEX, 32))),
        ("Shopify custom app access token", of("sh" + "pca_", (HEX, 32))),
        ("Shopify legacy private app password", of("sh" + "ppa_", (HEX, 32))),
        ("Shopify shared secret", of("sh" + "pss_", (HEX, 32))),
    ),
    *_kinds(
        "Databricks documentation: Personal access token authentication",
        ("Databricks personal access token", of("da" + "pi", (HEX, 32))),
        ("Databricks personal access token of Azure", of("da" + "pi", (HEX, 32), "-2")),
    ),
    *_kinds(
        _VAULT,
        ("Vault service token", of("hv" + "s.CAES", (URLSAFE, 90))),
        ("Vault batch token", of("hv" + "b.AAAAAQ", (URLSAFE, 130))),
        ("Vault recovery token", of("hv" + "r.CAES", (URLSAFE, 90))),
    ),
)
"""Each prefix of each issuer is a kind of its own: a rule may know one and not the next."""
