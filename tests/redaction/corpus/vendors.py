"""Keys of vendors that no value rule knows: their name or their header gives them away."""

from collections.abc import Callable
from random import Random
from typing import Final

from tests.redaction.corpus.kind import (
    ALNUM,
    BASE32,
    BASE64,
    DIGITS,
    HEX,
    UPPER,
    URLSAFE,
    Kind,
    Places,
    digits,
    named,
    of,
    text,
    uuid,
)


def _prefixed_uuid(prefix: str) -> Callable[[Random], str]:
    return lambda random: prefix + uuid(random)


def _after_scheme(value: str) -> str:
    return value.partition(" ")[2]


def _userinfo(url: str) -> str:
    return url.partition("//")[2].partition("@")[0]


def _after_code(url: str) -> str:
    return url.partition("code=")[2]


_KEYS: Final = (
    ("Airtable", "Airtable Web API: Personal access tokens", of("pa" + "t", (ALNUM, 14), ".", (HEX, 64)), ("airtable_token", "AIRTABLE_API_KEY")),
    ("Algolia", "Algolia documentation: API keys", of((HEX, 32)), ("algolia_api_key", "X-Algolia-API-Key")),
    ("Asana", "Asana Developers: Personal access token", of("2/", (DIGITS, 16), "/", (DIGITS, 16), ":", (HEX, 32)), ("asana_access_token", "ASANA_TOKEN")),
    ("Atlassian", "Atlassian Support: Manage API tokens", of("ATAT" + "T3xFfGF0", (URLSAFE, 176)), ("atlassian_api_token", "JIRA_API_TOKEN")),
    ("Azure OpenAI", "Microsoft Learn: Azure OpenAI REST API reference", of((HEX, 32)), ("api-key", "AZURE_OPENAI_API_KEY")),
    ("Azure client secret", "Microsoft Learn: Application credentials", of((ALNUM, 3), "8Q~", (URLSAFE, 34)), ("AZURE_CLIENT_SECRET", "clientSecret")),
    ("Brevo", "Brevo API: Authentication", of("xkey" + "sib-", (HEX, 64), "-", (ALNUM, 16)), ("api-key", "BREVO_API_KEY")),
    ("CircleCI", "CircleCI documentation: Managing API tokens", of("CCIP" + "AT_", (ALNUM, 22), "_", (HEX, 40)), ("Circle-Token", "CIRCLE_TOKEN")),
    ("Cloudflare", "Cloudflare documentation: API tokens", of((URLSAFE, 40)), ("CLOUDFLARE_API_TOKEN", "cf_api_token")),
    ("Datadog", "Datadog documentation: API and application keys", of((HEX, 32)), ("DD-API-KEY", "dd_api_key", "DD_APP_KEY")),
    ("Discord bot", "Discord Developer Portal: Reference, authentication", of("M", (ALNUM, 25), ".", (URLSAFE, 6), ".", (URLSAFE, 38)), ("DISCORD_TOKEN", "bot_token", "botToken")),
    ("Docker Hub", "Docker Docs: Personal access tokens", of("dckr" + "_pat_", (URLSAFE, 27)), ("docker_token", "DOCKERHUB_TOKEN")),
    ("Doppler", "Doppler documentation: Token formats", of("dp" + ".pt.", (ALNUM, 43)), ("DOPPLER_TOKEN", "doppler_token")),
    ("Dropbox", "Dropbox Developers: OAuth guide", of("s" + "l.", (URLSAFE, 130)), ("dropbox_access_token", "DROPBOX_TOKEN")),
    ("Facebook", "Meta for Developers: Access tokens", of("EA" + "A", (ALNUM, 180)), ("fb_access_token", "page_access_token")),
    ("Fastly", "Fastly documentation: Authentication", of((URLSAFE, 32)), ("Fastly-Token", "FASTLY_API_TOKEN")),
    ("Figma", "Figma REST API: Access tokens", of("fig" + "d_", (URLSAFE, 40)), ("X-Figma-Token", "figma_token")),
    ("Fly.io", "Fly.io documentation: Access tokens", of("fm" + "2_", (BASE64, 200)), ("FLY_API_TOKEN", "fly_api_token")),
    ("Grafana", "Grafana documentation: Service accounts", of("gl" + "sa_", (ALNUM, 32), "_", (HEX, 8)), ("GRAFANA_TOKEN", "grafana_api_key")),
    ("HubSpot", "HubSpot developers: Private apps", _prefixed_uuid("pa" + "t-na1-"), ("hubspot_access_token", "HUBSPOT_TOKEN")),
    ("Intercom", "Intercom Developers: Authentication", of("dG9r", (BASE64, 56), "="), ("intercom_access_token", "INTERCOM_TOKEN")),
    ("LaunchDarkly", "LaunchDarkly documentation: SDK keys", _prefixed_uuid("sd" + "k-"), ("launchdarkly_access_token", "LD_API_KEY")),
    ("Linear", "Linear Developers: Authentication", of("lin" + "_api_", (ALNUM, 40)), ("LINEAR_API_KEY", "linearApiKey")),
    ("Mailchimp", "Mailchimp Developer: API keys", of((HEX, 32), "-us14"), ("mailchimp_api_key", "MAILCHIMP_API_KEY")),
    ("Mailgun", "Mailgun documentation: API keys", of("ke" + "y-", (HEX, 32)), ("MAILGUN_API_KEY", "mailgun_private_api_key")),
    ("Mapbox", "Mapbox documentation: Access tokens", of("s" + "k.", (ALNUM, 60)), ("mapbox_access_token", "MAPBOX_TOKEN")),
    ("Netlify", "Netlify documentation: API, authentication", of("nf" + "p_", (ALNUM, 36)), ("NETLIFY_AUTH_TOKEN", "netlify_token")),
    ("New Relic", "New Relic documentation: API keys", of("NR" + "AK-", (UPPER, 27)), ("NEW_RELIC_API_KEY", "newrelic_api_key")),
    ("Notion", "Notion Developers: Authorization", of("nt" + "n_", (ALNUM, 46)), ("NOTION_TOKEN", "notion_api_key")),
    ("Okta", "Okta Developer: Create an API token", of("00", (URLSAFE, 40)), ("OKTA_API_TOKEN", "okta_token")),
    ("PagerDuty", "PagerDuty documentation: API access keys", of("u+", (ALNUM, 18)), ("pagerduty_api_key", "PAGERDUTY_TOKEN")),
    ("PayPal", "PayPal Developer: REST API, authentication", of("E", (URLSAFE, 79)), ("paypal_client_secret", "PAYPAL_SECRET")),
    ("Plaid", "Plaid documentation: API, tokens", _prefixed_uuid("access-" + "sandbox-"), ("access_token", "PLAID_SECRET")),
    ("PlanetScale", "PlanetScale documentation: Service tokens", of("pscale" + "_tkn_", (URLSAFE, 43)), ("planetscale_service_token", "PLANETSCALE_TOKEN")),
    ("Postman", "Postman documentation: API authentication", of("PM" + "AK-", (HEX, 24), "-", (HEX, 34)), ("POSTMAN_API_KEY", "postmanApiKey")),
    ("Pulumi", "Pulumi documentation: Access tokens", of("pu" + "l-", (HEX, 40)), ("PULUMI_ACCESS_TOKEN", "pulumi_token")),
    ("Razorpay", "Razorpay documentation: API keys", of((ALNUM, 24)), ("razorpay_key_secret", "RAZORPAY_SECRET")),
    ("RubyGems", "RubyGems guides: API key scopes", of("rubygems" + "_", (HEX, 48)), ("GEM_HOST_API_KEY", "gem_api_key")),
    ("crates.io", "The Cargo Book: Registry authentication", of("ci" + "o", (ALNUM, 32)), ("CARGO_REGISTRY_TOKEN", "cargo_token")),
    ("Sentry", "Sentry documentation: Auth tokens", of("sntr" + "yu_", (HEX, 64)), ("SENTRY_AUTH_TOKEN", "sentry_auth_token")),
    ("Snyk", "Snyk documentation: API token", uuid, ("SNYK_TOKEN", "snyk_api_token")),
    ("SonarQube", "SonarQube documentation: User tokens", of("sq" + "u_", (HEX, 40)), ("SONAR_TOKEN", "sonar_token")),
    ("Square", "Square Developer: Access tokens", of("EA" + "AA", (URLSAFE, 60)), ("square_access_token", "SQUARE_ACCESS_TOKEN")),
    ("Supabase", "Supabase documentation: API keys", of("sb" + "_secret_", (URLSAFE, 31)), ("SUPABASE_SERVICE_KEY", "supabase_service_role_secret")),
    ("Tailscale", "Tailscale documentation: Auth keys", of("tsk" + "ey-auth-k", (ALNUM, 11), "CNTRL-", (ALNUM, 32)), ("TS_AUTH_KEY", "tailscale_auth_key")),
    ("Telegram bot", "Telegram Bot API: Authorizing your bot", lambda random: f"{digits(random, 10)}:AA{text(random, URLSAFE, 33)}", ("TELEGRAM_BOT_TOKEN", "bot_token")),
    ("Terraform Cloud", "HCP Terraform documentation: API tokens", of((ALNUM, 14), ".atlas" + "v1.", (ALNUM, 67)), ("TF_API_TOKEN", "terraform_token")),
    ("Twilio", "Twilio documentation: API keys and auth tokens", of((HEX, 32)), ("TWILIO_AUTH_TOKEN", "twilioAuthToken", "auth_token")),
    ("Twitter", "X Developer Platform: OAuth 2.0 app-only", of("AAAAAAAAAAAAAAAAAAAAA", (ALNUM, 80)), ("TWITTER_BEARER_TOKEN", "twitter_access_token_secret")),
    ("Vercel", "Vercel documentation: REST API, authentication", of((ALNUM, 24)), ("VERCEL_TOKEN", "vercel_access_token")),
    ("Yandex Cloud", "Yandex Cloud documentation: API keys", of("AQVN", (URLSAFE, 36)), ("YC_API_KEY", "yandex_iam_token")),
    ("Zendesk", "Zendesk Developer: API tokens", of((ALNUM, 40)), ("zendesk_api_token", "ZENDESK_TOKEN")),
    ("PASETO", "PASETO specification: Version 4", of("v4" + ".local.", (URLSAFE, 120)), ("token", "access_token")),
    ("otpauth URI", "Key Uri Format of Google Authenticator", of("otpauth://totp/Shop:ann?sec" + "ret=", (BASE32, 32), "&issuer=Shop"), ("totp_secret", "otp_secret")),
    ("WireGuard", "WireGuard: Cryptokey routing", of((BASE64, 43), "="), ("PrivateKey", "private_key")),
    ("age", "age: File encryption format", of("AGE-SEC" + "RET-KEY-1", (UPPER, 58)), ("age_secret_key", "SOPS_AGE_SECRET_KEY")),
)  # fmt: skip

_HEADERS: Final = (
    ("AWS gateway identity", "AWS documentation: Application Load Balancer, authenticate users", of((URLSAFE, 80)), ("x-amzn-oidc-data",)),
    ("AWS session token of a request", "Amazon S3 API reference: Common request headers", of((BASE64, 200)), ("x-amz-security-token",)),
    ("Azure Functions key", "Microsoft Learn: Azure Functions HTTP trigger", of((URLSAFE, 54), "=="), ("x-functions-key",)),
    ("Azure App Service identity", "Microsoft Learn: App Service authentication", of((BASE64, 200)), ("x-ms-token-aad-id-token", "x-ms-token-aad-access-token", "x-ms-client-principal")),
    ("client certificate", "Envoy documentation: x-forwarded-client-cert", of("Hash=", (HEX, 64)), ("x-forwarded-client-cert", "ssl-client-cert", "x-ssl-client-cert")),
    ("Cloudflare Access identity", "Cloudflare documentation: Validate JWTs", of((URLSAFE, 90)), ("cf-access-jwt-assertion",)),
    ("DPoP proof", "RFC 9449: DPoP", of((URLSAFE, 120)), ("dpop",)),
    ("GitHub webhook signature", "GitHub Docs: Validating webhook deliveries", of("sha256=", (HEX, 64)), ("x-hub-signature-256", "x-hub-signature")),
    ("GitLab webhook token", "GitLab Docs: Webhooks", of((ALNUM, 20)), ("x-gitlab-token",)),
    ("Google gateway identity", "Google Cloud: Securing your app with signed headers", of((URLSAFE, 90)), ("x-goog-iap-jwt-assertion", "x-goog-api-key")),
    ("RapidAPI key", "RapidAPI documentation: Keys", of((ALNUM, 50)), ("x-rapidapi-key",)),
    ("Shopify webhook signature", "Shopify.dev: Webhooks, verify deliveries", of((BASE64, 43), "="), ("x-shopify-hmac-sha256",)),
    ("Slack request signature", "Slack API: Verifying requests", of("v0=", (HEX, 64)), ("x-slack-signature",)),
    ("Stripe webhook signature", "Stripe Docs: Webhooks", of("t=", (DIGITS, 10), ",v1=", (HEX, 64)), ("stripe-signature",)),
    ("Svix signature", "Standard Webhooks specification", of("v1,", (BASE64, 43), "="), ("svix-signature", "webhook-signature")),
    ("Twilio request signature", "Twilio documentation: Webhooks security", of((BASE64, 27), "="), ("x-twilio-signature",)),
    ("Vault token of a request", "HashiCorp Vault: HTTP API", of((ALNUM, 24)), ("x-vault-token",)),
    ("token in a subprotocol", "Kubernetes: WebSocket bearer token subprotocol", of("base64url.bearer.authorization.k8s.io.", (URLSAFE, 80)), ("sec-websocket-protocol",)),
)  # fmt: skip

_SCHEMES: Final = (
    ("Digest", "RFC 7616: Digest access authentication", of('Digest username="ann", nonce="', (HEX, 32), '", response="', (HEX, 32), '"')),
    ("Negotiate", "RFC 4559: SPNEGO-based Kerberos authentication", of("Negotiate ", (BASE64, 200))),
    ("NTLM", "Microsoft Learn: NTLM over HTTP", of("NTLM TlRMTVNTUAAD", (BASE64, 120))),
    ("AWS signature", "AWS: Signature version 4", of("AWS4-HMAC-SHA256 Credential=", (UPPER, 20), "/20260301/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=", (HEX, 64))),
    ("Azure shared key", "Microsoft Learn: Authorize with Shared Key", of("SharedKey shop:", (BASE64, 43), "=")),
    ("DPoP", "RFC 9449: DPoP, section 7.1", of("DPoP ", (URLSAFE, 60))),
    ("OAuth 1.0", "RFC 5849: OAuth 1.0, section 3.5.1", of('OAuth oauth_consumer_key="', (ALNUM, 20), '", oauth_signature="', (ALNUM, 27), '%3D"')),
    ("Token", "Django REST framework: TokenAuthentication", of("Token ", (HEX, 40))),
    ("Hawk", "Hawk: HTTP holder-of-key authentication scheme", of('Hawk id="', (ALNUM, 12), '", mac="', (BASE64, 43), '="')),
    ("Splunk", "Splunk documentation: HTTP Event Collector", lambda random: "Splunk " + uuid(random)),
)  # fmt: skip

VENDORS: Final = (
    *(Kind(f"{name} key", origin, make, named(*names)) for name, origin, make, names in _KEYS),
    *(Kind(name, origin, make, Places(headers=names)) for name, origin, make, names in _HEADERS),
    Kind(
        "bare token in the URL of a repository",
        "RFC 3986: URI generic syntax, section 3.2.1",
        of("https://", (HEX, 40), "@git.example.com/team/shop.git"),
        Places(headers=("location", "referer")),
        hidden=_userinfo,
    ),
    Kind(
        "authorization code on its way back",
        "RFC 6749: OAuth 2.0, section 4.1.2",
        of("https://client.example/cb?code=", (URLSAFE, 32)),
        Places(headers=("location", "referer")),
        hidden=_after_code,
    ),
    *(
        Kind(
            f"credentials of the scheme {name}",
            origin,
            make,
            Places(headers=("authorization", "proxy-authorization")),
            hidden=_after_scheme,
        )
        for name, origin, make in _SCHEMES
    ),
    Kind(
        "bare token without a scheme",
        "GitLab and Linear API: Authorization without a scheme",
        of((ALNUM, 40)),
        Places(headers=("authorization",)),
    ),
)
