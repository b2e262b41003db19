"""Settings of the shop: no database, no sessions, no templates."""

import os
import secrets

# Nothing is signed here, so workers need not agree on a key.
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or secrets.token_urlsafe(50)
ALLOWED_HOSTS = os.environ.get("DJANGO_ALLOWED_HOSTS", "127.0.0.1,localhost").split(",")
DEBUG = False
ROOT_URLCONF = "urls"
APPEND_SLASH = False
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"django": {"handlers": ["console"], "level": "INFO"}},
}
