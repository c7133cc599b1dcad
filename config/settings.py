"""Muster's settings: one module, read from the environment.

`MUSTER_ENV` is `development` (`make run`, `manage.py`), `test` (pytest) or `production` (when nothing is said, so that
forgetting it fails closed: production insists on its secrets). Everything that differs between them is decided here.
"""

import os
from pathlib import Path
from typing import Any

import dj_database_url
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from environs import Env
from kombu import Exchange, Queue

from config import keys, no_geometry, services

env = Env()

BASE_DIR = Path(__file__).resolve().parent.parent
# Everything that a run leaves behind: data, logs, keys, mail. `make reset` removes it.
MUSTER_DIR = services.MUSTER_DIR

MUSTER_ENV = env.str("MUSTER_ENV", "production")
if MUSTER_ENV not in {"development", "test", "production"}:
    raise ImproperlyConfigured(f"MUSTER_ENV is {MUSTER_ENV!r}: say development, test or production")
DEVELOPMENT = MUSTER_ENV == "development"
TESTING = MUSTER_ENV == "test"
PRODUCTION = MUSTER_ENV == "production"

# --- Security -------------------------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", DEVELOPMENT)
SECRET_KEY = env.str("SECRET_KEY", "") or ("" if PRODUCTION else keys.development_secret(MUSTER_DIR))
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is needed in production (MUSTER_ENV=development makes one)")
# Former ones: sessions, second factors and the audit log made under them stay good.
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
# What texts are sealed with at rest (newest first, base64 of 32 bytes), and what hashes of them are made with.
FIELD_KEYS: list[str] = env.list("FIELD_KEYS", [])
if not (FIELD_KEYS or PRODUCTION):
    FIELD_KEYS = [keys.development_key(MUSTER_DIR, "field")]
FIELD_INDEX_KEY = env.str("FIELD_INDEX_KEY", "") or ("" if PRODUCTION else keys.development_key(MUSTER_DIR, "index"))
if not (FIELD_KEYS and FIELD_INDEX_KEY):
    raise ImproperlyConfigured("FIELD_KEYS and FIELD_INDEX_KEY are needed in production (`field_keys new` makes one)")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", [] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", PRODUCTION)
# The orchestrator's probes, and whoever gathers metrics, speak plain HTTP to the container.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31_536_000 if PRODUCTION else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
BEHIND_TLS_PROXY = env.bool("BEHIND_TLS_PROXY", False)
if BEHIND_TLS_PROXY:  # only where a proxy sets the header itself; a client could forge it otherwise
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_ENGINE = "accounts.login.sessions"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # a GraphQL request; files have their own way in
FILE_UPLOAD_HANDLERS = [
    "config.uploads.BoundedUploads",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- Apps -----------------------------------------------------------------------------------------------------------

no_geometry.install()
INSTALLED_APPS = [
    "unfold",  # before the admin, whose templates it replaces
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "pgtrigger",
    "pghistory",
    "strawberry_django",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.headless",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.idp.oidc",
    "accounts",
    "marketplace",
    "matching",
    "config",
]

MIDDLEWARE = [
    "config.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.ReadableTextMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.login.counting.AttemptsMiddleware",
    "accounts.admin.second_factor.SecondFactorMiddleware",
    "marketplace.admin.personal_reads.NamesLogged",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
# Development and tests serve straight from the apps: nothing to collect before the admin looks right.
WHITENOISE_USE_FINDERS = not PRODUCTION
# Each client of a test is a server of its own: none of them looks through all files first.
WHITENOISE_AUTOREFRESH = TESTING
STATIC_ROOT: Path | None = env.path("STATIC_ROOT", BASE_DIR / "static") if PRODUCTION else None
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": env.path("MEDIA_ROOT", MUSTER_DIR / "media")},
    },
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

LOGIN_URL = "account_login"  # leads to the frontend's page
# Only staff log in on a page of ours, and its form does not say where they came from.
LOGIN_REDIRECT_URL = "admin:index"

UNFOLD = {
    "SITE_TITLE": "Muster",
    "SITE_HEADER": "Muster",
    "SITE_SUBHEADER": "the staff's console",
    "SITE_SYMBOL": "groups",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("muster/favicon.svg")},
    ],
    "SITE_URL": None,  # the frontend is another program
    "SHOW_HISTORY": True,
    "SHOW_BACK_BUTTON": True,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "matching.admin.navigation.environment",
    "DASHBOARD_CALLBACK": "matching.admin.dashboard.fill",
    "SIDEBAR": {"show_search": True, "navigation": "matching.admin.navigation.sidebar"},
}

STRAWBERRY_DJANGO = {"FIELD_DESCRIPTION_FROM_HELP_TEXT": True, "MUTATIONS_DEFAULT_ARGUMENT_NAME": "input"}

# --- Postgres, Redis, Elasticsearch ---------------------------------------------------------------------------------

DATABASE_URL = env.str("DATABASE_URL", "") or services.recorded_database_url()
# 0 is no limit: right for migrations and imports. `config.wsgi` and `config.asgi` set a bound.
DATABASE_STATEMENT_TIMEOUT_MS = env.int("DATABASE_STATEMENT_TIMEOUT_MS", 0)
# Connections kept by one process, whatever its threads; 0 opens one per thread instead. Tests make and drop databases,
# which an idle pooled connection would hold up.
DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", 0 if TESTING else 16)

_database: dict[str, Any] = dict(dj_database_url.parse(DATABASE_URL, conn_health_checks=True))
_database["CONN_MAX_AGE"] = 0
_database.setdefault("OPTIONS", {})
_database["OPTIONS"]["connect_timeout"] = 5
if DATABASE_STATEMENT_TIMEOUT_MS:
    _database["OPTIONS"]["options"] = (
        f"-c statement_timeout={DATABASE_STATEMENT_TIMEOUT_MS} "
        f"-c idle_in_transaction_session_timeout={2 * DATABASE_STATEMENT_TIMEOUT_MS}"
    )
if DATABASE_POOL_SIZE:
    _database["OPTIONS"]["pool"] = {"min_size": 1, "max_size": DATABASE_POOL_SIZE, "timeout": 10}
# Whether Postgres keeps the plans of statements that every page asks (`accounts.queries.planned`). A pooler that gives
# each transaction another connection has to know of prepared statements; where it does not, this is to be off.
DATABASE_KEEPS_PLANS = env.bool("DATABASE_KEEPS_PLANS", True)
_database["OPTIONS"]["prepare_threshold"] = 1 if DATABASE_KEEPS_PLANS else None
_database["TEST"] = {"NAME": f"test_{_database['NAME']}{os.environ.get('MUSTER_TEST_SUFFIX', '')}"}
DATABASES = {"default": _database}

REDIS_URL = env.str("REDIS_URL", "") or services.recorded_redis_url()
# A stalled Redis may cost a caller this long, and no longer: it is a bell, not the truth.
REDIS_TIMEOUT_SECONDS = 2
CACHES = {
    "default": {
        "BACKEND": "config.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "muster",
        "OPTIONS": {
            "socket_timeout": REDIS_TIMEOUT_SECONDS,
            "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
            "health_check_interval": 10,
        },
    }
}

ELASTICSEARCH_URL = env.str("ELASTICSEARCH_URL", "")
# Begins the names of this installation's indices: several may share a server.
ELASTICSEARCH_INDEX_PREFIX = env.str("ELASTICSEARCH_INDEX_PREFIX", "muster-test" if TESTING else "muster")
# Of indices that are created from now on: `manage.py search rebuild` puts a change into effect.
ELASTICSEARCH_SHARDS = env.int("ELASTICSEARCH_SHARDS", 1)
ELASTICSEARCH_REPLICAS = env.int("ELASTICSEARCH_REPLICAS", 0)
# What Elasticsearch has for one question; then Postgres answers it.
SEARCH_TIMEOUT_MS = env.int("SEARCH_TIMEOUT_MS", 800)
# After so many questions in a row that it did not answer it is left alone, for so many seconds at first.
SEARCH_BREAKER_FAILURES = env.int("SEARCH_BREAKER_FAILURES", 3)
SEARCH_BREAKER_SECONDS = env.float("SEARCH_BREAKER_SECONDS", 2.0)

# --- The API --------------------------------------------------------------------------------------------------------

# Whether strangers may ask for the schema, and are told which names they may have meant. Staff always may.
GRAPHQL_SCHEMA_IS_PUBLIC = env.bool("GRAPHQL_SCHEMA_IS_PUBLIC", not PRODUCTION)
# Whether only operations are carried out that `manage.py trusted_documents` registered.
GRAPHQL_TRUSTED_ONLY = env.bool("GRAPHQL_TRUSTED_ONLY", False)
# What one person, or one address without a login, may ask for in a minute. 0 requests: no bounds.
GRAPHQL_REQUESTS_PER_MINUTE = env.int("GRAPHQL_REQUESTS_PER_MINUTE", 600 if PRODUCTION else 0 if TESTING else 60_000)
GRAPHQL_COST_PER_MINUTE = env.int("GRAPHQL_COST_PER_MINUTE", 600_000 if PRODUCTION else 60_000_000)
# For how long pages that strangers explore are kept, where nothing changes that they were read from. 0: not at all.
GRAPHQL_KEPT_SECONDS = env.int("GRAPHQL_KEPT_SECONDS", 0 if TESTING else 60)

# --- Streams --------------------------------------------------------------------------------------------------------

# Where the process that streams is reached from the web server, which passes on to it what is meant for it. Empty: a
# proxy before both does that.
STREAM_URL = env.str("STREAM_URL", "")
# So often something is sent where nothing happens, so that nobody on the way takes a stream for dead.
STREAM_HEARTBEAT_SECONDS = env.float("STREAM_HEARTBEAT_SECONDS", 15.0)
STREAM_LOOK_SECONDS = env.float("STREAM_LOOK_SECONDS", 0.5)
# Of one person, and of all, in each process that streams.
STREAMS_EACH = env.int("STREAMS_EACH", 5)
STREAMS_AT_ONCE = env.int("STREAMS_AT_ONCE", 1_000)

# --- Celery ---------------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = None  # effects are rows; nobody waits for a task's return value
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = "UTC"
CELERY_TASK_DEFAULT_QUEUE = "muster"
# Searches are to know soon what has changed. Workers take from both queues in turn; one that takes from this alone does
# not wait until everything else is done.
QUICK_QUEUE = "quick"
CELERY_TASK_QUEUES = [Queue(name, Exchange(name), name) for name in (CELERY_TASK_DEFAULT_QUEUE, QUICK_QUEUE)]
CELERY_TASK_ROUTES = {f"matching.tasks.{task}": {"queue": QUICK_QUEUE} for task in ("copy_marked", "index_marked")}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker outlives any outage of the broker
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False  # tasks may run twice, so let this one end
# With the defaults a worker that is killed takes its tasks with it. Acknowledge after the work, hand back what a dead
# child held, and look for the unacknowledged every second, not every tenth poll.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 600
# After so many tasks Celery closes the database's pool, and by default after each: `config.celery` does what is needed.
CELERY_DB_REUSE_MAX = 100_000
CELERY_TASK_TIME_LIMIT = 660
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Above the longest task, or a task that still runs is started a second time.
    "visibility_timeout": 900,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    # Publishing must not hang on a Redis that accepts connections and answers nothing.
    "socket_timeout": 5,
    "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
    "socket_keepalive": True,
    "health_check_interval": 10,
}
CELERY_BROKER_CONNECTION_TIMEOUT = REDIS_TIMEOUT_SECONDS
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}


def _every(seconds: int, task: str) -> dict[str, Any]:
    """A beat entry. Rings that nobody took before the next few are due expire: a stopped worker finds no backlog."""
    return {"task": task, "schedule": seconds, "options": {"expires": 3 * seconds}}


CELERY_BEAT_SCHEDULE = {
    "sweep-deliveries": _every(5, "accounts.tasks.sweep_deliveries"),
    "fire-timers": _every(2, "accounts.tasks.fire_timers"),
    "drain-marks": _every(5, "matching.tasks.drain_marks"),
    "rescore-at-large": _every(5, "matching.tasks.rescore_at_large"),
    "copy-marked": _every(5, "matching.tasks.copy_marked"),
    "send-mails": _every(5, "marketplace.tasks.send_mails"),
    "send-digests": _every(5, "matching.tasks.send_digests"),
    "heartbeat": _every(5, "accounts.tasks.heartbeat"),
    "seal-audit": _every(10, "accounts.tasks.seal_audit"),
    "forget-login-tokens": _every(3600, "accounts.tasks.forget_login_tokens"),
    "forget-attempts": _every(3600, "accounts.tasks.forget_attempts"),
    "forget-idempotency-records": _every(3600, "accounts.tasks.forget_idempotency_records"),
    "fold-table-states": _every(3600, "accounts.tasks.fold_table_states"),
    "forget-shadows": {
        "task": "matching.tasks.forget_shadows",
        "schedule": crontab(hour=2, minute=50),
        "options": {"expires": 6 * 3600},
    },
    "train-models": _every(30, "matching.tasks.train_models"),
    "forget-decisions": {
        "task": "matching.tasks.forget_decisions",
        "schedule": crontab(hour=2, minute=35),
        "options": {"expires": 6 * 3600},
    },
    # Time alone changes facts: authorisations run out, people become available, rates of a new day hold. In UTC, as
    # days are judged, and a little after midnight, so that no clock is still at yesterday.
    "mark-for-the-new-day": {
        "task": "matching.tasks.mark_for_the_new_day",
        "schedule": crontab(hour=0, minute=5),
        "options": {"expires": 6 * 3600},
    },
}

if ELASTICSEARCH_URL:
    CELERY_BEAT_SCHEDULE |= {
        "index-marked": _every(5, "matching.tasks.index_marked"),
        "build-missing-indices": _every(30, "matching.tasks.build_missing_indices"),
    }

# `accounts.tasks.heartbeat` caches `time.time()` under this key; /readyz calls the worker dead past the age.
WORKER_HEARTBEAT_KEY = "worker-heartbeat"
WORKER_HEARTBEAT_MAX_AGE_SECONDS = 30

# --- Deciding -------------------------------------------------------------------------------------------------------

# Matches that an opportunity has at least, besides those of its applicants, and at most a fifth more: more take room,
# fewer leave less to page through.
MATCH_TOP_K = env.int("MATCH_TOP_K", 100)
# What a model's file may be: its size, the time it may take for a thousand pairs on one thread, and what trying it may
# take of the processor and of memory before it is stopped.
ONNX_FILE_MEGABYTES = env.int("ONNX_FILE_MEGABYTES", 20)
ONNX_MS_PER_THOUSAND_ROWS = env.float("ONNX_MS_PER_THOUSAND_ROWS", 100.0)
ONNX_CHECK_SECONDS = env.int("ONNX_CHECK_SECONDS", 30)
ONNX_CHECK_MEGABYTES = env.int("ONNX_CHECK_MEGABYTES", 2_048)
# How long a worker waits for 256 pairs before it gives a model up.
ONNX_RUN_SECONDS = env.float("ONNX_RUN_SECONDS", 10.0)
# How many people are found for each opportunity by the linear model that comes near, and ranked by the model itself.
ONNX_POOL = env.int("ONNX_POOL", 3_000)
# How much of one worker process's time, in percent, goes into scoring after a mass change, such as another model or a
# new day. Whatever else there is to do has the rest. 200 keeps two processes busy with it.
RESCORE_SHARE_PERCENT = env.float("RESCORE_SHARE_PERCENT", 50.0)
# For so long at a time: who changes something meanwhile waits no longer until it is scored.
RESCORE_CHUNK_SECONDS = env.float("RESCORE_CHUNK_SECONDS", 0.5)
# From so many people on, rules are counted and opportunities scored in memory, by each process, and not in SQL.
ROSTER_FROM_PEOPLE = env.int("ROSTER_FROM_PEOPLE", 2_000)
# What the facts of all people may take there, in each web server and in each worker: about 200 bytes a person, and 25
# more where opportunities are scored. 0: never in memory.
ROSTER_MEGABYTES = env.int("ROSTER_MEGABYTES", 512)
# The least fit, as a probability in millionths, at which an allocation offers somebody a seat.
ALLOCATION_MIN_FIT_PPM = env.int("ALLOCATION_MIN_FIT_PPM", 100_000)
# Live offers from allocations that one person may hold at a time.
ALLOCATION_OFFERS_AT_ONCE = env.int("ALLOCATION_OFFERS_AT_ONCE", 1)
# So many days before work begins or an opportunity closes, its seats begin to count more; twice on the day itself.
ALLOCATION_URGENT_DAYS = env.int("ALLOCATION_URGENT_DAYS", 14)
# How long the solver may take, by the clock, before it gives the best that it has found. 0: as long as it takes.
ALLOCATION_SECONDS = env.int("ALLOCATION_SECONDS", 300)
# An older plan is not committed: the market it was made for has moved on.
ALLOCATION_MAX_AGE_HOURS = env.int("ALLOCATION_MAX_AGE_HOURS", 24)
# How long after a refusal a change of the facts that it was for is shown to the recruiter.
ELIGIBILITY_REFUSAL_DAYS = env.int("ELIGIBILITY_REFUSAL_DAYS", 30)

# Who fetches a page again within so many minutes has been shown it once.
DECISION_REPEAT_MINUTES = env.int("DECISION_REPEAT_MINUTES", 10)
# How long it is kept what was shown to whom: what models learn from. Well above the longest wait for an outcome below.
DECISION_RETENTION_DAYS = env.int("DECISION_RETENTION_DAYS", 400)
# Of each opportunity so many of the best are logged of a model in the shadow and of the live one, and so long kept.
SHADOW_TOP_K = env.int("SHADOW_TOP_K", 50)
SHADOW_RETENTION_DAYS = env.int("SHADOW_RETENTION_DAYS", 30)
# How long after somebody was shown, what they suited, wanted or accepted is put down to it.
OUTCOME_DAYS = {
    "fit": env.int("OUTCOME_DAYS_FIT", 30),
    "interest": env.int("OUTCOME_DAYS_INTEREST", 14),
    "acceptance": env.int("OUTCOME_DAYS_ACCEPTANCE", 14),
}
if min(OUTCOME_DAYS.values()) < 1 or max(OUTCOME_DAYS.values()) >= DECISION_RETENTION_DAYS:
    raise ImproperlyConfigured("DECISION_RETENTION_DAYS must exceed OUTCOME_DAYS_*, which must be at least 1")
if MATCH_TOP_K < 1 or SHADOW_TOP_K < 1 or ONNX_POOL < MATCH_TOP_K:
    raise ImproperlyConfigured("MATCH_TOP_K and SHADOW_TOP_K must be at least 1, and ONNX_POOL at least MATCH_TOP_K")
if RESCORE_SHARE_PERCENT <= 0 or RESCORE_CHUNK_SECONDS <= 0:
    raise ImproperlyConfigured("RESCORE_SHARE_PERCENT and RESCORE_CHUNK_SECONDS must be above 0")

# --- Who is told of what --------------------------------------------------------------------------------------------

# Consumers of events by name: `handler(event)` runs once per delivery, and declares the events it is told of.
CONSUMERS: dict[str, str] = {
    "notifications": "marketplace.consumers.notify",
    "waitlist": "matching.consumers.serve_the_waiting",
    "duplicates": "marketplace.consumers.notice_duplicates",
    "rescoring": "matching.consumers.mark",
    "copies": "matching.consumers.copy",
    "allocation": "matching.consumers.solve",
    "backfill": "matching.consumers.follow_up",
    "waves": "matching.consumers.next_wave",
    "alerts": "matching.consumers.alert",
    "exposures": "matching.consumers.expose",
}

# Events that are entered in the audit log as well, where they are chained: who let whom do what.
AUDITED_EVENTS = frozenset(
    {
        *("MemberInvited", "MembershipChanged", "ServiceTokenCreated", "ServiceTokenRevoked"),
        *("EligibilityWaived", "EligibilityWaiverRevoked", "VettingRecorded", "VettingWithdrawn"),
        *("OpportunitySuspended", "OpportunityReinstated", "DuplicateConfirmed", "PersonErased"),
        *("ModelPromoted", "ModelRestored", "ModelRetired", "SegmentChanged", "SegmentMoved"),
    }
)

# What each app holds on people: by this it is exported and erased.
PERSONAL_DATA = ["accounts.privacy.HELD", "matching.privacy.HELD", "marketplace.privacy.HELD"]

# Handlers of timers by kind: `handler(subject_id, now)`.
TIMERS: dict[str, str] = {
    "offer_expiry": "marketplace.timers.expire_offer",
    "invitation_expiry": "marketplace.timers.expire_invitation",
    "opportunity_closing": "marketplace.timers.close_opportunity",
    "allocation_expiry": "matching.timers.expire_allocation",
    "allocation_wave": "matching.timers.send_next_wave",
    "alert_opening": "matching.timers.alert_opened",
}

# --- Who may come in ------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
# Addresses lie sealed: it is their hash that is unique, which Django does not see; allauth's migrations end with ours.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
MIGRATION_MODULES = {"account": "accounts.account_migrations"}
# Passwords are checked by the first one, which counts; the other is named by sessions.
AUTHENTICATION_BACKENDS = [
    "accounts.login.backend.CountingBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

ACCOUNT_ADAPTER = "accounts.login.adapter.AccountAdapter"
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "accounts.login.resets.ResetTokens"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = env.str("ACCOUNT_EMAIL_VERIFICATION", "mandatory" if PRODUCTION else "optional")
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
PASSWORD_RESET_TIMEOUT = 3_600  # seconds for which the link in the mail is good, once
ACCOUNT_EMAIL_NOTIFICATIONS = True  # of another password, address or second factor: the owner learns of a thief
# Attempts at passwords and codes are counted in Postgres (accounts/actions/attempts.py); mails and new accounts, which
# may be asked for every so often, in Valkey. One machine plays a whole market, so only production does the latter.
ACCOUNT_RATE_LIMITS: Any = {"login_failed": None} if PRODUCTION else False
MFA_RATE_LIMITS: Any = {} if PRODUCTION else False
# How many proxies of ours add to X-Forwarded-For: the client's address is the one that the first of them saw. Too few,
# and all the world comes from a proxy's address, and shares its allowance; too many, and clients choose their own.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", int(BEHIND_TLS_PROXY))
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
USERSESSIONS_ADAPTER = "accounts.login.auditing.Sessions"
MFA_ADAPTER = "accounts.login.second_factors.SecondFactors"
MFA_TOTP_ISSUER = "Muster"
# Without one, staff are nobody in particular: the console asks for it, and the API takes them for ordinary users.
STAFF_NEED_SECOND_FACTOR = env.bool("STAFF_NEED_SECOND_FACTOR", PRODUCTION)

FRONTEND_URL = env.str("FRONTEND_URL", "http://localhost:8000").rstrip("/")
# Where people without the frontend at hand reach this server itself: links in mails that stop them.
SERVER_URL = env.str("SERVER_URL", FRONTEND_URL).rstrip("/")
HEADLESS_ONLY = True
HEADLESS_FRONTEND_URLS = {
    "account_confirm_email": f"{FRONTEND_URL}/verify-email/{{key}}",
    "account_reset_password": f"{FRONTEND_URL}/password/reset",
    "account_reset_password_from_key": f"{FRONTEND_URL}/password/reset/{{key}}",
    "account_signup": f"{FRONTEND_URL}/signup",
    "socialaccount_login_error": f"{FRONTEND_URL}/login/error",
}
# Logging in with an account elsewhere, such as a company's: the issuer of its OpenID Connect provider, which sends
# people back to /identity/oidc/ID/login/callback/.
OIDC_LOGIN_ISSUER = env.str("OIDC_LOGIN_ISSUER", "")
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": env.str("OIDC_LOGIN_ID", "sso"),
                "name": env.str("OIDC_LOGIN_NAME", "Single sign-on"),
                "client_id": env.str("OIDC_LOGIN_CLIENT_ID", ""),
                "secret": env.str("OIDC_LOGIN_CLIENT_SECRET", ""),
                "settings": {"server_url": OIDC_LOGIN_ISSUER},
            }
        ]
        if OIDC_LOGIN_ISSUER
        else [],
    }
}
# An address that a provider vouches for opens no account that is there already: its owner connects the two when logged
# in. Otherwise whoever runs, or breaks into, the provider would have everybody's.
SOCIALACCOUNT_ADAPTER = "accounts.login.identities.Identities"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_STORE_TOKENS = False
# API clients: a short-lived JWT that any process can check from the public key, and a refresh token tied to a session.
# Both are looked up in the database, so that a logout or a changed password ends what was given out before it.
HEADLESS_TOKEN_STRATEGY = "accounts.login.tokens.Tokens"
# The first key. From the first `manage.py signing_keys roll` on the database holds those that sign.
HEADLESS_JWT_PRIVATE_KEY = env.str("JWT_PRIVATE_KEY", "") or (
    "" if PRODUCTION else keys.development_rsa_key(MUSTER_DIR)
)
if not HEADLESS_JWT_PRIVATE_KEY:
    raise ImproperlyConfigured("JWT_PRIVATE_KEY (an RSA key in PEM) is needed in production")
HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN = env.int("JWT_ACCESS_TOKEN_SECONDS", 300 if PRODUCTION else 86_400)
HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN = env.int("JWT_REFRESH_TOKEN_SECONDS", 14 * 86_400)

# The public keys are at /.well-known/jwks.json; whoever checks our signatures asks again after so many seconds.
IDP_OIDC_ADAPTER = "accounts.login.provider.Provider"
IDP_OIDC_JWKS_CACHE_CONTROL = 300

# --- Mail -----------------------------------------------------------------------------------------------------------

DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Muster <muster@localhost>")
if TESTING:
    EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
elif DEVELOPMENT:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(MUSTER_DIR / "mail")
else:
    EMAIL_HOST = env.str("EMAIL_HOST", "localhost")
    EMAIL_PORT = env.int("EMAIL_PORT", 587)
    EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
    EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
    EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", True)
    EMAIL_TIMEOUT = 10

# --- Metrics --------------------------------------------------------------------------------------------------------

# Whoever sends it as a bearer token reads `/metrics`. Where there is none, anybody does, but for production: nobody.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")

# --- Logging --------------------------------------------------------------------------------------------------------

LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
# What an exception says may quote a row or a setting: its type and place alone are logged. 1 writes all of it.
LOG_EXCEPTION_MESSAGES = env.bool("LOG_EXCEPTION_MESSAGES", False)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "config.middleware.RequestIdFilter"}},
    "formatters": {
        "line": {
            "()": "logging.Formatter" if LOG_EXCEPTION_MESSAGES else "config.logs.DiscreetFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "filters": ["request_id"], "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"level": LOG_LEVEL, "handlers": [], "propagate": True},
        "django.server": {"level": LOG_LEVEL, "handlers": [], "propagate": True},
        # It names each task twice; with five that run every few seconds nothing else could be read.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "elastic_transport.transport": {"level": "WARNING"},  # it names each request
        "elastic_transport.node_pool": {"level": "ERROR"},  # and each failure, of which we tell ourselves
    },
}
