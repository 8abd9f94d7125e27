"""All settings. What an installation may choose comes from the environment, read at the top and safe by default."""

import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from environs import Env, validate

from registry_site import __version__
from registry_site.core import oidc
from registry_site.core.logs import FORMATTERS
from registry_site.core.secret import read_or_make_secret

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent

# -- what the environment decides --------------------------------------------------------------------------------------
PODIUM_DATA_DIR = Path(env.str("PODIUM_DATA_DIR", str(BASE_DIR / "data"))).absolute()
DATABASE_URL = env.str("DATABASE_URL", "") or f"sqlite:///{PODIUM_DATA_DIR / 'podium.sqlite3'}"
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "")
PODIUM_ARTIFACT_ROOT = env.str("PODIUM_ARTIFACT_ROOT", "") or str(PODIUM_DATA_DIR / "artifacts")
PODIUM_ARTIFACT_STORES: list[str] = env.list("PODIUM_ARTIFACT_STORES", [])  # where clients write without this server
PODIUM_DIRECT_TRANSFERS = env.bool("PODIUM_DIRECT_TRANSFERS", True)  # clients reach a bucket themselves
PODIUM_STORE_PUBLIC_URL = env.str("PODIUM_STORE_PUBLIC_URL", "")  # under which they do, if not AWS_ENDPOINT_URL
PODIUM_SENDFILE = env.str("PODIUM_SENDFILE", "", validate=validate.OneOf(["", "X-Accel-Redirect", "X-Sendfile"]))
PODIUM_SENDFILE_LOCATION = env.str("PODIUM_SENDFILE_LOCATION", "/podium-artifacts")  # what nginx calls the folder
PODIUM_KEEP_DELETED_DAYS = env.int("PODIUM_KEEP_DELETED_DAYS", 30)  # artifacts of deleted runs; negative: for ever
PODIUM_OPEN = env.bool("PODIUM_OPEN", False)
PODIUM_DEFAULT_LEVEL = env.str("PODIUM_DEFAULT_LEVEL", "CAN_READ")  # what every signed-in person may do with any model
PODIUM_WEBHOOK_ALLOWED_HOSTS: list[str] = env.list("PODIUM_WEBHOOK_ALLOWED_HOSTS", [])  # may be inside, and plain HTTP
PODIUM_WEBHOOK_DELIVERIES_KEPT_DAYS = env.int("PODIUM_WEBHOOK_DELIVERIES_KEPT_DAYS", 30, validate=validate.Range(min=1))
PODIUM_SITE_URL = env.str("PODIUM_SITE_URL", "http://127.0.0.1:5000").rstrip("/")  # the links in mails start with it
PODIUM_SECURE = env.bool("PODIUM_SECURE", PODIUM_SITE_URL.startswith("https://"))  # cookies and HSTS for HTTPS
ALLOWED_HOSTS = env.list("PODIUM_ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
SECRET_KEY = env.str("PODIUM_SECRET_KEY", "") or read_or_make_secret(PODIUM_DATA_DIR / "secret_key")
PODIUM_OIDC_SERVER_URL = env.str("PODIUM_OIDC_SERVER_URL", "")  # the three of them switch single sign-on on
PODIUM_OIDC_CLIENT_ID = env.str("PODIUM_OIDC_CLIENT_ID", "")
PODIUM_OIDC_CLIENT_SECRET = env.str("PODIUM_OIDC_CLIENT_SECRET", "")
PODIUM_OIDC_NAME = env.str("PODIUM_OIDC_NAME", "single sign-on")  # on the button: "Continue with …"
PODIUM_OIDC_SCOPES: list[str] = env.str("PODIUM_OIDC_SCOPES", "openid profile email").split()
PODIUM_OIDC_GROUPS_CLAIM = env.str("PODIUM_OIDC_GROUPS_CLAIM", "groups")
PODIUM_OIDC_ADMIN_GROUP = env.str("PODIUM_OIDC_ADMIN_GROUP", "")  # who is in it is an administrator, and nobody else
EMAIL_HOST = env.str("EMAIL_HOST", "")
EMAIL_PORT = env.int("EMAIL_PORT", 587)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = env.bool("EMAIL_USE_SSL", False)
DEFAULT_FROM_EMAIL = env.str("PODIUM_FROM_EMAIL", "Podium <podium@localhost>")
PODIUM_LOG_LEVEL = env.str("PODIUM_LOG_LEVEL", "INFO")
PODIUM_LOG_FORMAT = env.str("PODIUM_LOG_FORMAT", "line", validate=validate.OneOf(list(FORMATTERS)))
DEBUG = env.bool("PODIUM_DEBUG", False)

# -- the application ---------------------------------------------------------------------------------------------------
PODIUM_VERSION = __version__
MLFLOW_VERSION = "3.17.2"  # the protocol that is spoken; clients read it at /version

INSTALLED_APPS = [
    "registry_site.pages",
    "registry_site.mlflow_api",
    "registry_site.api",
    "registry_site.worker",
    "registry_site.jobs",
    "registry_site.notifications",
    "registry_site.webhooks",
    "registry_site.promotion",
    "registry_site.registry",
    "registry_site.tracking",
    "registry_site.search",
    "registry_site.accounts",
    "registry_site.audit",
    "whitenoise.runserver_nostatic",
    "registry_site.core.apps.GovernanceConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
]
MIDDLEWARE = [
    "registry_site.core.requests.RequestIds",
    "django.middleware.security.SecurityMiddleware",
    "registry_site.mlflow_api.middleware.AnswerAtOnce",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "registry_site.pages.compression.CompressPages",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "registry_site.pages.middleware.PagesMiddleware",
]
ROOT_URLCONF = "registry_site.urls"
WSGI_APPLICATION = "registry_site.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "registry_site.pages.context.site",
            ]
        },
    }
]

# -- database ----------------------------------------------------------------------------------------------------------
_database: dict[str, Any] = env.dj_db_url("DATABASE_URL", DATABASE_URL)
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # Without WAL *and* IMMEDIATE, writers that read first fail with "database is locked" under load.
    # synchronous=FULL: what was answered with 200 survives a power cut.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000; PRAGMA mmap_size=134217728; "
            "PRAGMA journal_size_limit=27103364; PRAGMA cache_size=-20000; PRAGMA temp_store=MEMORY;"
        ),
    }
    _database["CONN_MAX_AGE"] = None
else:
    # Statements prepared at the server halve its work for a look-up by key; a pooler in between must know them, as
    # PgBouncer does since 1.21.
    _database.setdefault("OPTIONS", {}).update(
        pool={"min_size": 1, "max_size": 10, "timeout": 10}, server_side_binding=True, prepare_threshold=5
    )
DATABASES = {"default": _database}

# -- people ------------------------------------------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PODIUM_SECURE
SESSION_ENGINE = "django.contrib.sessions.backends.db"  # a session that has ended has ended in every process
CSRF_TRUSTED_ORIGINS = [PODIUM_SITE_URL]
CSRF_FAILURE_VIEW = "registry_site.handlers.csrf_failure"
SECURE_HSTS_SECONDS = 31_536_000 if PODIUM_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PODIUM_SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PODIUM_SECURE else None
SECURE_SSL_REDIRECT = False  # the front server's work; a redirect under /api would lose a client's body
SILENCED_SYSTEM_CHECKS = [
    "security.W008",  # no redirect to HTTPS here, as said above
    "security.W019",  # frames of this site's own pages, as said below
]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"  # HTML artifacts are shown in a sandboxed frame of our own pages
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'self'"],
    }
}

# -- single sign-on: nothing of it is loaded where no provider is configured -------------------------------------------
PODIUM_OIDC = oidc.is_configured(os.environ)
if PODIUM_OIDC:
    if in_the_way := oidc.trouble(os.environ):
        raise ImproperlyConfigured(in_the_way)
    INSTALLED_APPS += ["allauth.account", "allauth.socialaccount"]
    MIDDLEWARE += ["allauth.account.middleware.AccountMiddleware"]
    SOCIALACCOUNT_ADAPTER = "registry_site.pages.single_sign_on.Adapter"
    SOCIALACCOUNT_ONLY = True
    SOCIALACCOUNT_LOGIN_ON_GET = True
    ACCOUNT_EMAIL_VERIFICATION = SOCIALACCOUNT_EMAIL_VERIFICATION = "none"

# -- files, time, language ---------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = PODIUM_DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "registry_site.worker.static.StaticFiles"},
}
WHITENOISE_MAX_AGE = 3600
LANGUAGE_CODE = "en"
USE_I18N = False  # every string goes through gettext; as long as no catalog comes with Podium, none is looked through
USE_TZ = True
TIME_ZONE = "UTC"
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024  # bytes of a JSON body; artifacts are streamed and have no such limit
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# -- mail: by SMTP when there is a host, else as files that administrators read on a page -----------------------------
PODIUM_MAIL_FOLDER = PODIUM_DATA_DIR / "mail"
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend" if EMAIL_HOST else "registry_site.notifications.mailbox.FolderBackend"
)
EMAIL_TIMEOUT = 20

REST_FRAMEWORK = {
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Podium",
    "DESCRIPTION": "What MLflow's protocol has no words for. Errors are `code`, `message` and sometimes `field`.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False},
    "ENUM_NAME_OVERRIDES": {
        "StageEnum": "registry_site.api.serializers_promotion.STAGES"
    },  # a field for it has many names
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {name: {"()": formatter} for name, formatter in FORMATTERS.items()},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": PODIUM_LOG_FORMAT}},
    "loggers": {
        # A 404 is an everyday answer of the MLflow protocol ("is there an experiment of this name?") and no news.
        "django.request": {"level": "ERROR"},
        # At DEBUG these tell headers and values, credentials among them.
        **{
            name: {"level": "INFO" if PODIUM_LOG_LEVEL == "DEBUG" else "NOTSET"}
            for name in ("botocore", "django.db.backends", "google", "oauthlib", "urllib3")
        },
        "azure": {"level": "WARNING"},  # tells each request otherwise
    },
    "root": {"handlers": ["stderr"], "level": PODIUM_LOG_LEVEL},
}
