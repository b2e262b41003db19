"""Secrets that only their name gives away: passwords, codes, identities, opaque keys.

The names are those that forms, frameworks, environments and the APIs of vendors use; they come
from that documentation and not from the rules.
"""

from collections.abc import Callable
from random import Random
from typing import Final

from tests.redaction.corpus.kind import (
    ALNUM,
    BASE32,
    BASE64,
    DIGITS,
    HEX,
    LOWER,
    UPPER,
    URLSAFE,
    Kind,
    Places,
    base64url,
    digits,
    named,
    of,
    text,
    uuid,
)
from tests.redaction.corpus.numbers import check_digit

_WORDS: Final = (
    "amber", "basin", "cobalt", "dahlia", "ember", "fjord", "granite", "harbor", "indigo",
    "juniper", "kestrel", "lantern", "meadow", "nectar", "orchid", "pebble", "quartz", "raven",
)  # fmt: skip

_FORM = "WHATWG HTML: autofill, field names; "


def _password(random: Random) -> str:
    return random.choice(_WORDS).title() + random.choice("!?*+_") + digits(random, 4)


def _phrase(count: int) -> Callable[[Random], str]:
    return lambda random: " ".join(random.choices(_WORDS, k=count))


def _number(length: int) -> Callable[[Random], str]:
    return lambda random: digits(random, length)


def _date(random: Random) -> str:
    return f"{random.randint(1940, 2008)}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}"


def _visa(random: Random) -> str:
    body = "4" + text(random, DIGITS, 14)
    return body + check_digit(body)


def _hash(random: Random) -> str:
    return f"$2b$12${text(random, ALNUM + './', 53)}"


def _codes(random: Random) -> str:
    return " ".join(f"{text(random, LOWER, 5)}-{text(random, LOWER, 5)}" for _ in range(4))


def _itsdangerous(random: Random) -> str:
    return f".eJw{text(random, URLSAFE, 60)}.{text(random, URLSAFE, 6)}.{text(random, URLSAFE, 27)}"


def _kinds(*rows: tuple[str, str, Callable[[Random], str], Places]) -> tuple[Kind, ...]:
    return tuple(Kind(*row) for row in rows)


PASSWORDS: Final = _kinds(
    ("password of an account", _FORM + "current-password", _password, named("password", "Password", "passwd", "pwd", "pass", "userPassword", "user_password", "currentPassword", "j_password", "PASSWORD")),
    ("password in one word", "WordPress, phpBB and ASP.NET login forms", _password, named("userpassword", "dbpassword", "txtPassword", "userpass", "PGPASSWORD")),
    ("new password", _FORM + "new-password", _password, named("new_password", "newPassword", "newpassword", "password1", "password2", "password_confirmation", "confirmPassword", "confirmpassword", "passwords")),
    ("old password", "Django documentation: PasswordChangeForm", _password, named("old_password", "oldPassword", "oldpassword")),
    ("passphrase", "OpenPGP.js documentation: decryptKey", _phrase(5), named("passphrase", "pass_phrase", "passPhrase", "encryption_passphrase")),
    ("passcode", "Zoom API: Meetings, passcode", _number(6), named("passcode", "passCode", "pass_code", "meeting_passcode")),
    ("password in German", "Duden: Passwort, Kennwort", _password, named("passwort", "kennwort")),
    ("password in French", "CNIL: Mots de passe", _password, named("mot_de_passe", "motdepasse", "motDePasse")),
    ("password in Spanish", "INCIBE: Contraseñas", _password, named("contraseña", "contrasena")),
    ("password in Portuguese", "Banco Central do Brasil: Senha", _password, named("senha", "senhaAtual")),
    ("password in Dutch", "DigiD: Wachtwoord", _password, named("wachtwoord")),
    ("hash of a password", "OWASP: Password storage cheat sheet", _hash, named("password_hash", "passwordHash", "hashed_password", "encrypted_password", "passwordDigest")),
    ("database password", "The Twelve-Factor App: Config", _password, named("DB_PASSWORD", "db_pass", "DB_PASS", "database.password", "MYSQL_PWD", "mysqlPassword", "POSTGRES_PASSWORD")),
    ("cache password", "Redis documentation: requirepass", _password, named("REDIS_PASSWORD", "redisPassword", "requirepass")),
    ("mail password", "Nodemailer documentation: SMTP transport", _password, named("smtp_password", "smtpPass", "MAIL_PASSWORD", "EMAIL_HOST_PASSWORD", "SMTP_PASS")),
    ("directory password", "RFC 4511: LDAP, bind operation", _password, named("bind_password", "bindPassword", "ldap_password", "bindCredentials")),
    ("root password", "MariaDB: Docker image, environment variables", _password, named("MARIADB_ROOT_PASSWORD", "root_password", "admin_pass")),
    ("keystore password", "Java SE: KeyStore", _password, named("keystorePassword", "javax.net.ssl.keyStorePassword", "truststore_password")),
    ("Wi-Fi passphrase", "IEEE 802.11: Pre-shared keys, annex J", _phrase(3), named("wifi_password", "wifiPassword", "psk", "wpa_psk", "pre_shared_key", "preSharedKey")),
    ("broker password", "Apache Kafka documentation: SASL", _password, named("sasl.password", "sasl_password", "saslPassword")),
    ("password of an administrator in XML-RPC", "WordPress Codex: XML-RPC API", _password, named("user_pass", "userPass")),
)  # fmt: skip

CODES: Final = _kinds(
    ("PIN", "ISO 9564-1: PIN management", _number(4), named("pin", "PIN", "card_pin", "cardPin", "new_pin", "user_pin")),
    ("PIN block", "ISO 9564-1: PIN block formats", of((HEX, 16)), named("pin_block", "pinBlock")),
    ("one-time code", "RFC 6238: TOTP", _number(6), named("otp", "OTP", "totp", "otp_code", "otpCode", "totp_code", "one_time_code", "oneTimeCode", "one_time_password", "oneTimePassword")),
    ("code of a second factor", "NIST SP 800-63B: Out-of-band devices", _number(6), named("mfa", "mfa_code", "mfaCode", "two_factor_code", "twoFactorCode", "sms_code", "verification_code", "verificationCode")),
    ("seed of one-time codes", "Key Uri Format of Google Authenticator", of((BASE32, 32)), named("totp_secret", "totpSecret", "otp_secret", "totp_seed", "otpSeed")),
    ("recovery codes", "GitHub Docs: Recovery codes for two-factor authentication", _codes, named("recovery_codes", "recoveryCodes", "backup_codes", "backupCodes", "recovery_code")),
    ("seed phrase of a wallet", "BIP 39: Mnemonic code", _phrase(12), named("mnemonic", "seed_phrase", "seedPhrase", "recovery_phrase")),
    ("device code", "RFC 8628: Device authorization grant", of((URLSAFE, 40)), named("device_code", "deviceCode")),
    ("PKCE code verifier", "RFC 7636: PKCE, section 4.1", of((URLSAFE, 43)), named("code_verifier", "codeVerifier")),
    ("authorization code in an answer", "OAuth 2.0 form post response mode", of((URLSAFE, 32)), named("authorization_code", "authorizationCode", "auth_code", "authCode")),
    ("authorization code", "RFC 6749: OAuth 2.0, section 4.1.2", of((URLSAFE, 32)), Places(parameters=("code",))),
    ("SAML message", "OASIS SAML 2.0 bindings, section 3.5", of((BASE64, 400)), Places(parameters=("SAMLResponse", "SAMLRequest", "RelayState"))),
    ("signature of a URL", "OpenTelemetry semantic conventions: url.query", of((HEX, 64)), Places(parameters=("X-Amz-Signature", "X-Goog-Signature", "Signature", "sig"))),
    ("credential of a presigned URL", "OpenTelemetry semantic conventions: url.query", of((UPPER, 20), "/20260301/eu-west-1/s3/aws4_request"), Places(parameters=("X-Amz-Credential", "AWSAccessKeyId", "X-Amz-Security-Token"))),
    ("security answer", "OWASP: Choosing and using security questions", _phrase(2), named("security_answer", "securityAnswer", "secret_answer", "secretAnswer", "security_question_answer")),
    ("reset token", "Devise documentation: Recoverable", of((URLSAFE, 20)), named("reset_password_token", "resetToken", "password_reset_token", "resetPasswordToken")),
    ("invitation token", "Devise Invitable documentation", of((URLSAFE, 20)), named("invitation_token", "inviteToken", "confirmation_token", "magic_token")),
)  # fmt: skip

CARDS: Final = _kinds(
    ("card number under its name", "Stripe API: Create a token, card[number]", _visa, named("card_number", "cardNumber", "cardnumber", "cc_number", "ccNumber", "card[number]", "creditCardNumber", "credit_card", "pan", "PAN", "primary_account_number")),
    ("card number in other spellings", "Authorize.Net, NMI and Moneris API references", _visa, named("ccnumber", "ccnum", "cardNo", "card_no", "cardno", "card_num", "card_pan", "acct_number")),
    ("card of an issuer without a value rule", "ISO/IEC 7812-1: UATP, Troy 9792, Humo", lambda random: "9860" + text(random, DIGITS, 12), named("card_number", "cardNumber")),
    ("card verification value", "EMVCo: Card verification", _number(3), named("cvv", "cvc", "cvv2", "CVV", "card_cvc", "cardCvv", "csc", "ccv", "cvcNumber")),
    ("card security code", _FORM + "cc-csc", _number(4), named("security_code", "securityCode", "card_security_code", "card_verification_value")),
    ("track data of a card", "ISO/IEC 7813: Track 2", lambda random: f";{_visa(random)}={digits(random, 16)}?", named("track_data", "trackData", "magstripe")),
    ("bank account number", "Nacha: Operating rules, entry detail record", _number(10), named("account_number", "accountNumber", "bank_account_number", "acct_number", "accountNo")),
    ("routing number", "American Bankers Association: Routing numbers", _number(9), named("routing_number", "routingNumber", "aba_routing_number")),
    ("IBAN in lower case", "SWIFT: IBAN registry", of("de", (DIGITS, 20)), named("iban", "IBAN", "debtorIban", "creditor_iban")),
)  # fmt: skip

PEOPLE: Final = _kinds(
    ("social security number without hyphens", "Social Security Administration: Form W-2 wire format", _number(9), named("ssn", "SSN", "social_security_number", "socialSecurityNumber", "employee_ssn")),
    ("date of birth", "OpenID Connect Core: Standard claims, birthdate", _date, named("dob", "DOB", "birth_date", "birthDate", "birthdate", "date_of_birth", "dateOfBirth")),
    ("tax number", "IRS: Taxpayer identification numbers", _number(9), named("tax_id", "taxId", "tax_id_number", "taxIdNumber", "tax_identification_number")),
    ("passport number", "ICAO Doc 9303, part 4", of((UPPER, 1), (DIGITS, 8)), named("passport_number", "passportNumber", "passport_no", "passportNo")),
    ("national insurance number", "HMRC: NIM39110, format of a NINO", of("QQ", (DIGITS, 6), "C"), named("nin", "nino", "national_insurance_number")),
    ("number of an identity card", "ISO/IEC 18013-5: document number", of((UPPER, 2), (DIGITS, 7)), named("national_id", "nationalId", "national_id_number")),
    ("driving licence number", "AAMVA: Card design standard, DCS", of((UPPER, 1), (DIGITS, 12)), named("drivers_license_number", "driverLicenseNumber", "driving_licence_number")),
)  # fmt: skip

SESSIONS: Final = _kinds(
    ("session identifier", "OWASP: Session management cheat sheet", of((HEX, 32)), named("session_id", "sessionId", "sessionid", "PHPSESSID", "JSESSIONID", "ASP.NET_SessionId", "sid", "session", "connect.sid")),
    ("key of a session", "Django documentation: Session engine", of((LOWER + DIGITS, 32)), named("session_key", "sessionKey", "session_token", "sessionToken")),
    ("session in a cookie", "Flask documentation: SecureCookieSessionInterface", _itsdangerous, Places(names=("session",), cookies=("session", "laravel_session", "_app_session", "remember_user_token", "sb", "__Host-id"))),
    ("cookie of a login", "RFC 6265: HTTP state management", of((URLSAFE, 48)), Places(names=("cookie", "Cookie", "cookies"), cookies=("li_at", "wordpress_logged_in_0f1e", "SSESS77", "_octo_login"))),
    ("CSRF token", "Django documentation: CSRF protection", of((ALNUM, 64)), named("csrf_token", "csrfToken", "csrfmiddlewaretoken", "csrftoken", "_csrf", "X-CSRF-Token", "X-CSRFToken", "XSRF-TOKEN", "xsrf_token")),
    ("authenticity token", "Ruby on Rails guides: Securing applications", of((BASE64, 86), "=="), named("authenticity_token", "authenticityToken", "__RequestVerificationToken")),
    ("remember-me token", "Devise documentation: Rememberable", of((URLSAFE, 40)), named("remember_token", "rememberToken")),
    ("push token", "Firebase documentation: FCM registration token", of((URLSAFE, 22), ":APA91b", (URLSAFE, 134)), named("device_token", "deviceToken", "fcm_token", "pushToken", "registration_token")),
    ("nonce of a login", "OpenID Connect Core: nonce", of((URLSAFE, 32)), named("nonce")),
    ("salt", "RFC 8018: PKCS #5", of((HEX, 32)), named("salt")),
    ("service ticket", "Apereo CAS protocol, section 3.1", of("ST-", (DIGITS, 4), "-", (ALNUM, 20)), named("ticket")),
)  # fmt: skip

KEYS: Final = _kinds(
    ("API key, opaque", "Swagger documentation: API keys", of((ALNUM, 32)), named("api_key", "apiKey", "apikey", "API_KEY", "api-key", "ApiKey", "APIKEY", "x_api_key", "X-Api-Key", "api_keys", "user[api_key]", "key")),
    ("API secret", "Cloudinary documentation: Account details", of((ALNUM, 27)), named("api_secret", "apiSecret", "API_SECRET", "api-secret-key")),
    ("application key", "Backblaze B2: Application keys", of((ALNUM, 31)), named("app_key", "appKey", "application_key", "applicationKey", "app_secret")),
    ("subscription key", "Azure API Management: Subscriptions", of((HEX, 32)), named("subscription_key", "subscriptionKey", "subscription-key", "Ocp-Apim-Subscription-Key")),
    ("license key", "Keygen documentation: License keys", of((UPPER, 5), "-", (UPPER, 5), "-", (UPPER, 5), "-", (UPPER, 5)), named("license_key", "licenseKey")),
    ("access token, opaque", "RFC 6749: OAuth 2.0, section 5.1", of((URLSAFE, 43)), named("access_token", "accessToken", "accesstoken", "ACCESS_TOKEN", "access-token", "token", "Token", "auth_token", "authToken", "bearer_token", "oauth_token")),
    ("refresh token", "RFC 6749: OAuth 2.0, section 6", of((URLSAFE, 64)), named("refresh_token", "refreshToken", "refreshtoken", "REFRESH_TOKEN")),
    ("ID token, opaque", "OpenID Connect Core", of((URLSAFE, 80)), named("id_token", "idToken", "id_token_hint", "idtoken")),
    ("OAuth client secret", "RFC 6749: OAuth 2.0, section 2.3.1", of((URLSAFE, 40)), named("client_secret", "clientSecret", "clientsecret", "CLIENT_SECRET", "client-secret", "CLIENT-SECRET")),
    ("OAuth client assertion", "RFC 7523: JWT profile", of((URLSAFE, 120)), named("client_assertion", "clientAssertion", "assertion")),
    ("OAuth 1.0 secrets", "RFC 5849: OAuth 1.0", of((ALNUM, 45)), named("oauth_token_secret", "token_secret", "consumer_secret", "consumer_key", "consumerSecret", "oauth_verifier", "oauth_signature")),
    ("shared secret", "RFC 2104: HMAC", of((HEX, 64)), named("secret", "shared_secret", "sharedSecret", "signing_secret", "webhook_secret", "webhookSecret", "hmac_key", "hmac_secret")),
    ("secret key of a framework", "Django documentation: SECRET_KEY", of((ALNUM + "!@%^*(-_=+)", 50)), named("SECRET_KEY", "secret_key", "secretKey", "secretkey", "APP_SECRET", "SECRET_KEY_BASE", "jwt_secret", "JWT_SECRET", "cookie_secret")),
    ("AWS secret access key", "AWS IAM User Guide: Access keys", of((BASE64, 40)), named("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "SecretAccessKey", "secretAccessKey")),
    ("AWS session token", "AWS STS API reference: Credentials", of("FwoGZXIvYXdz", (BASE64, 300)), named("aws_session_token", "SessionToken", "AWS_SESSION_TOKEN")),
    ("private key without armour", "RFC 7518: JSON Web Algorithms, section 6", of((URLSAFE, 43)), named("private_key", "privateKey", "privatekey", "PRIVATE_KEY", "ssh_private_key", "rsa_private_key", "privkey", "priv_key")),
    ("encryption key", "NIST SP 800-57", of((HEX, 64)), named("encryption_key", "encryptionKey", "signing_key", "signingKey", "master_key", "MASTER_KEY", "db_key")),
    ("storage key", "Microsoft Learn: Manage storage account access keys", of((BASE64, 86), "=="), named("account_key", "AccountKey", "shared_access_key", "storage_key", "storageKey")),
    ("connection string without a known shape", "Microsoft Learn: Connection strings", of("Data Source=", (LOWER, 8), ";Token ", (ALNUM, 24)), named("connection_string", "connectionString", "ConnectionString", "CONNECTION-STRING", "connectionStrings")),
    ("credentials", "Google Cloud documentation: Application default credentials", of((ALNUM, 40)), named("credentials", "credential", "login_credentials", "CREDENTIALS")),
    ("credentials in a header", "RFC 9110: HTTP semantics, section 11.6.2", of("Custom ", (ALNUM, 40)), named("Authorization", "authorization", "Proxy-Authorization", "HTTP_AUTHORIZATION", "auth")),
    ("keyed hash of a message", "RFC 2104: HMAC", of((HEX, 64)), named("signature", "sig", "hmac", "hmac_sha256")),
    ("identity of a token in hypermedia", "RFC 7519: jti stands inside, the JWT under a name", lambda random: base64url(random.randbytes(24)), named("jwt", "jwt_token", "bearer", "saml", "samlAssertion")),
    ("UUID as a key", "Heroku Dev Center: Platform API authentication", uuid, named("HEROKU_API_KEY", "heroku_api_key", "access_key")),
    ("SSH key of a server", "OpenSSH: sshd", of((BASE64, 200)), named("ssh_key", "sshKey", "pgp_key", "service_key", "service_account_key")),
)  # fmt: skip

NAMED: Final = (*PASSWORDS, *CODES, *CARDS, *PEOPLE, *SESSIONS, *KEYS)
