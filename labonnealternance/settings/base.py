"""Settings of every copy of the service; what differs between two copies comes from the environment (``env.py``)."""

import os
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF

from labonnealternance.kit import logging as kit_logging
from labonnealternance.mail import transport
from labonnealternance.settings import env
from labonnealternance.settings.groups import STAFF_GROUPS  # noqa: F401 (a setting)

BASE_DIR = Path(__file__).resolve().parents[2]
ENV = env.read(os.environ, local=os.environ.get("LOCAL") == "1")

DEBUG = ENV.debug
SECRET_KEY = ENV.secret_key
SITE_URL = ENV.site_url
SITE_NAME = "La bonne alternance"
ALLOWED_HOSTS = ENV.allowed_hosts
CSRF_TRUSTED_ORIGINS = [SITE_URL]
DATA_DIR = ENV.data_dir
MAP_TILES_URL = ENV.map_tiles_url
MAP_TILES_CREDIT = ENV.map_tiles_credit
# Outside services; without an address each is taken for silent.
COMPANY_REGISTRY_URL = ENV.company_registry_url
OPCO_SERVICE_URL = ENV.opco_service_url
# Where advisors read more about an establishment: (label, address with {siret} or {siren}).
PUBLIC_REGISTERS = ENV.public_registers
# Shown on the pages: whom to write to, and who keeps the machines (an obligation of the legal notice).
CONTACT_EMAIL = ENV.contact_email
HOSTED_BY = ENV.hosted_by

INSTALLED_APPS = [
    "labonnealternance.kit",
    "labonnealternance.accounts",
    "labonnealternance.mail",
    "labonnealternance.consistency",
    "companies",
    "scoring",
    "offers",
    "opco",
    "unsubscribe",
    "labonnealternance.kit.admin_app.SupportAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "widget_tweaks",
    "dsfr",
    "anymail",
    "csp",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "axes",
]

if ENV.is_local:
    # It knows passwords.
    INSTALLED_APPS.append("labonnealternance.demo")

MIDDLEWARE = [
    "labonnealternance.kit.middleware.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    # Above all that may answer with an error page, so that no page leaves without its policy.
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "labonnealternance.kit.middleware.PrivatePagesMiddleware",
    "labonnealternance.kit.middleware.RefuseNulMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "labonnealternance.accounts.sessions.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    # Where support visits a recruiter's space, the person and the session below are not the agent's.
    "labonnealternance.accounts.visiting.VisitMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "labonnealternance.urls"
WSGI_APPLICATION = "labonnealternance.wsgi.application"
ASGI_APPLICATION = "labonnealternance.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "labonnealternance" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "labonnealternance.kit.context_processors.site",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# Clocks: what a visitor waits for is short; a command may count; a migration never waits long behind a lock.
STATEMENT_TIMEOUTS = {"web": "10s", "worker": "15min", "script": "2h", "migration": "2h"}
LOCK_TIMEOUTS = {"web": "5s", "worker": "30s", "script": "30s", "migration": "5s"}
# A server that keeps its own limit answers before.
ANSWER_WITHIN = {"web": 12}

DATABASES = {
    "default": {
        **ENV.database,
        "ENGINE": "labonnealternance.kit.postgres",
        # One connection a thread, kept between requests: workers × threads bounds them.
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **ENV.database.get("OPTIONS", {}),
            "connect_timeout": 2,
            "answer_within": ANSWER_WITHIN.get(ENV.process_kind),
            # A server that vanished without a word (its machine died, packets are lost) is noticed in half a minute,
            # not in the quarter of an hour that the kernel would wait; a long statement of one that lives is not cut.
            "tcp_user_timeout": 30_000,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "application_name": f"labonnealternance-{ENV.process_kind}",
            "options": (
                f"-c statement_timeout={STATEMENT_TIMEOUTS[ENV.process_kind]}"
                f" -c lock_timeout={LOCK_TIMEOUTS[ENV.process_kind]}"
                " -c idle_in_transaction_session_timeout=15min"
            ),
        },
        "TEST": {"NAME": f"test_{ENV.database['NAME']}"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "accounts:home"
LOGOUT_REDIRECT_URL = "/"
SIGN_IN_LINK_LIFETIME_MINUTES = 10
# What a link stands for is told by its subject, « registration:12 ». Functions of the floors above, called as
# ``f(link=link, at=at)`` when a link is used, in the same transaction; and the mails of the subjects that have their
# own, ``f(link=link, token=token, at=at)``; and what their page says before its button is pressed, ``f(link=link)``.
LINK_USED = ["offers.actions.registrations.link_used"]
LINK_EMAILS = {"registration": "offers.emails.registration_link"}
LINK_WORDS = {"registration": "offers.emails.registration_words"}
OTP_TOTP_ISSUER = SITE_NAME
# A device is enrolled by a command; its secret is shown once, and no page of the back-office shows it again.
OTP_ADMIN_HIDE_SENSITIVE_DATA = True

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=30)
# A name from an address: knowing someone's e-mail address is not enough to shut them out.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "labonnealternance.accounts.lockout.typed_name"
AXES_CLIENT_IP_CALLABLE = "labonnealternance.kit.http.client_ip"
AXES_LOCKOUT_CALLABLE = "labonnealternance.accounts.lockout.locked"
AXES_RESET_ON_SUCCESS = True
# Failures are kept while they lock; a second list of who came in, with their addresses, would serve nobody.
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
PROXY_COUNT = ENV.proxy_count

LANGUAGE_CODE = "fr"
TIME_ZONE = "Europe/Paris"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
# A laptop collects nothing: it serves the files from where they are.
STATIC_ROOT = None if ENV.is_local else BASE_DIR / "staticfiles"
_leaflet = find_spec("leaflet")
assert _leaflet and _leaflet.origin
STATICFILES_DIRS = [
    BASE_DIR / "labonnealternance" / "static",
    # Only the files of Leaflet: as an app its package would ask for GDAL.
    ("leaflet", Path(_leaflet.origin).parent / "static" / "leaflet"),
]
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = ENV.is_local
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if ENV.is_local
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# Files that come in; no address serves them.
MEDIA_ROOT = ENV.files_dir or BASE_DIR / "files"
FILE_UPLOAD_HANDLERS = [
    "labonnealternance.kit.uploads.BoundedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
# The models and predictions of the score's runs.
SCORING_DIR = ENV.scoring_dir or MEDIA_ROOT / "scoring"

LOGGING = kit_logging.configuration(level=ENV.log_level, form=ENV.log_format)
SENTRY_DSN = ENV.sentry_dsn
# Whom to tell of a weakness: /.well-known/security.txt
SECURITY_CONTACT = f"mailto:{ENV.contact_email}"
READINESS_CHECKS = {
    "database": "labonnealternance.kit.health.database",
    "migrations": "labonnealternance.kit.health.migrations",
    "broker": "labonnealternance.kit.health.broker",
    "storage": "labonnealternance.kit.health.storage",
    "outbox": "labonnealternance.mail.health.outbox",
}

# E-mails: written in the outbox by the actions, sent by the worker (labonnealternance/mail).
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENV.from_email
EMAIL_URL = ENV.email_url
_transport = transport.read(EMAIL_URL)
EMAIL_BACKEND = _transport.backend
EMAIL_FILE_PATH = _transport.folder
EMAIL_HOST, EMAIL_PORT = _transport.host, _transport.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _transport.user, _transport.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _transport.use_tls, _transport.use_ssl
EMAIL_TIMEOUT = transport.TIMEOUT
ANYMAIL = _transport.anymail

CELERY_BROKER_URL = ENV.redis_url
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A visitor never waits for the broker: one try, and the sweeper finds the row.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    # Longer than the longest task, so that a running task is never handed out twice.
    "visibility_timeout": 3 * 3600,
    "unacked_restore_throttle": 1,
}
CELERY_TASK_PUBLISH_RETRY = False
# The worker logs as the web does: masked, in one format.
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_ENABLE_UTC = True
# A turn that no worker took before the next one is dropped: rows are the queue, and the next turn finds them.
CELERY_BEAT_SCHEDULE: dict = {
    "consistency.run_asked": {"task": "consistency.run_asked", "schedule": 60, "options": {"expires": 55}},
    # After all that the night does to the rows.
    "consistency.run_night": {
        "task": "consistency.run_night",
        "schedule": crontab(hour=6, minute=0),
        "options": {"expires": 3600},
    },
    "accounts.purge": {"task": "accounts.purge", "schedule": crontab(hour=3, minute=20), "options": {"expires": 3600}},
    "mail.sweep": {"task": "mail.sweep", "schedule": 60, "options": {"expires": 55}},
    "companies.publish_asked": {"task": "companies.publish_asked", "schedule": 60, "options": {"expires": 55}},
    # Somebody looks at the page that waits for it.
    "scoring.explain": {"task": "scoring.explain", "schedule": 15, "options": {"expires": 14}},
    "companies.renew_search_order": {
        "task": "companies.renew_search_order",
        "schedule": crontab(hour=4, minute=30),
        "options": {"expires": 3600},
    },
    "companies.verify_pending": {
        "task": "companies.verify_pending",
        "schedule": crontab(minute="*/10"),
        "options": {"expires": 590},
    },
    "mail.erase_old": {"task": "mail.erase_old", "schedule": crontab(hour=3, minute=40), "options": {"expires": 3600}},
    "offers.publish_ready": {"task": "offers.publish_ready", "schedule": 60, "options": {"expires": 55}},
    "offers.judge_awaiting": {
        "task": "offers.judge_awaiting",
        "schedule": crontab(minute="*/10"),
        "options": {"expires": 590},
    },
    # First a minute after midnight; pages never wait for it.
    "offers.expire_due": {"task": "offers.expire_due", "schedule": crontab(minute=1), "options": {"expires": 3000}},
    # Reminders leave in the day.
    "offers.remind_due": {
        "task": "offers.remind_due",
        "schedule": crontab(hour="7-20", minute=10),
        "options": {"expires": 3000},
    },
    "offers.remind_registrations": {
        "task": "offers.remind_registrations",
        "schedule": crontab(hour="8-12", minute=30),
        "options": {"expires": 3000},
    },
    "offers.purge_registrations": {
        "task": "offers.purge_registrations",
        "schedule": crontab(hour=3, minute=30),
        "options": {"expires": 3600},
    },
    # Before the offers of those that closed are withdrawn.
    "offers.refresh_registry": {
        "task": "offers.refresh_registry",
        "schedule": crontab(hour=1, minute=45),
        "options": {"expires": 3600},
    },
    "offers.refresh_positions": {
        "task": "offers.refresh_positions",
        "schedule": crontab(hour=4, minute=50),
        "options": {"expires": 3600},
    },
    "opco.apply_decisions": {"task": "opco.apply_decisions", "schedule": 15, "options": {"expires": 14}},
    "opco.tell_new": {"task": "opco.tell_new", "schedule": 60, "options": {"expires": 55}},
    # First at 8:30 in Paris; a day is told once, and what follows is for a morning without a worker.
    "opco.remind": {
        "task": "opco.remind",
        "schedule": crontab(hour="8-17", minute=30, day_of_week="mon,wed,fri"),
        "options": {"expires": 3000},
    },
    "opco.erase_old": {"task": "opco.erase_old", "schedule": crontab(hour=4, minute=10), "options": {"expires": 3600}},
    "unsubscribe.purge": {
        "task": "unsubscribe.purge",
        "schedule": crontab(hour=4, minute=20),
        "options": {"expires": 3600},
    },
    "offers.close_for_closed_establishments": {
        "task": "offers.close_for_closed_establishments",
        "schedule": crontab(hour=5, minute=15),
        "options": {"expires": 3600},
    },
}

SESSION_ENGINE = "labonnealternance.accounts.sessions"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENV.is_https
SESSION_COOKIE_NAME = "__Host-session" if ENV.is_https else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if ENV.is_https else "csrf"
# Beside the session of a member of support who sees a recruiter's space; the page that opens first.
VISIT_COOKIE_NAME = "__Host-visit" if ENV.is_https else "visit"
VISIT_PAGE = "offers:space"
CSRF_FAILURE_VIEW = "labonnealternance.kit.errors.csrf_failure"

SECURE_SSL_REDIRECT = ENV.is_https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.proxy_count else None
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if ENV.is_https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "DENY"

_tiles = [ENV.map_tiles_url.split("{")[0]] if ENV.map_tiles_url else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", *_tiles],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "upgrade-insecure-requests": ENV.is_https,
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    name: []
    for name in (
        "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation", "gyroscope",
        "magnetometer", "microphone", "midi", "payment", "usb",
    )
}  # fmt: skip

# Seconds during which a process keeps what it counts of the offers' readers before it writes it.
OFFER_COUNTS_DELAY: float | None = 5

# The public page that the back-office's page of an establishment opens.
ESTABLISHMENT_PAGE = "offers:establishment"
# Where a visitor reports what is wrong: with an establishment, by its SIRET; with an offer, by its identifier.
REPORT_PAGES = {"establishment": "unsubscribe:report", "offer": "unsubscribe:report_offer"}
# Where an access is judged, with all that one needs to know: the page of the OPCO's queue.
FILE_PAGE = "opco:case"
# Where the link of an e-mail to an establishment leads, with its token.
LEAVE_BY_MAIL_PAGE = "unsubscribe:by_mail"

# The back-office's entries, in the order of support's days. As below, strings name what the ground does not import.
ADMIN_SECTIONS = {
    "Établissements": [
        "companies.establishment", "admin:companies_why_shown", "companies.visibilitydecision",
        "companies.contactcorrection", "admin:companies_batch_add", "companies.batch", "unsubscribe.request",
        "unsubscribe.report",
    ],
    "Recruteurs et offres": [
        "opco:queue", "offers.access", "offers.offer", "offers.registration", "opco.advisor", "opco.export",
    ],
    "E-mails": ["mail.message", "mail.suppression"],
    "Score": ["companies.release", "scoring.run"],
    "Données": ["admin:coherence"],
    "Comptes": ["accounts.user", "admin:personal_data", "accounts.visit", "kit.reading", "accounts.secondfactor"],
    "Imports": ["companies.establishmentimport", "companies.referenceimport"],
    "Nomenclatures": [
        "companies.rome", "companies.romeappellation", "companies.naf", "companies.idcc", "companies.opco",
        "companies.commune", "companies.formercommune", "companies.departement", "companies.region",
    ],
}  # fmt: skip

# Pages of the back-office that are no model's: where below it, a name and a view.
ADMIN_VIEWS = {
    "coherence/": ("coherence", "labonnealternance.consistency.admin.page"),
    "pourquoi/": ("companies_why_shown", "companies.admin.why_shown.page"),
    "donnees-personnelles/": ("personal_data", "labonnealternance.accounts.personal_screen.page"),
}

# Entries that are pages: a name, what it is called, and the permission of who finds it there.
ADMIN_PAGES = {
    "opco:queue": ("File des recruteurs à valider", "offers.change_access"),
    "admin:companies_why_shown": ("Pourquoi est-il affiché, ou non ?", "companies.view_visibilitydecision"),
    "admin:companies_batch_add": ("Décider de plusieurs établissements", "companies.add_visibilitydecision"),
    "admin:coherence": ("Cohérence des données", "consistency.view_run"),
    "admin:personal_data": ("Données d’une personne", "accounts.export_user"),
}

# What the header, the footer and the error pages link to: only here does the ground name pages of the floors above.
NAVIGATION = {
    "header": [
        {"label": "Rechercher", "url": "offers:home"},
        {"label": "Recruteur : déposer une offre", "url": "offers:register"},
        {"label": "Comment ça marche", "url": "offers:how_it_works"},
        {"label": "Contact", "url": "offers:contact"},
    ],
    "footer": [
        {"label": "Plan du site", "url": "offers:site_map"},
        {"label": "Accessibilité : non conforme", "url": "offers:accessibility"},
        {"label": "Mentions légales", "url": "offers:legal_notice"},
        {"label": "Données personnelles", "url": "offers:personal_data"},
        {"label": "Cookies", "url": "offers:cookies"},
        {"label": "L’algorithme", "url": "offers:algorithm"},
        {"label": "Retirer ou corriger un établissement", "url": "unsubscribe:home"},
        {"label": "Contact", "url": "offers:contact"},
    ],
    # For who has no account yet, and would wait in vain for a link.
    "join": [{"label": "Déposez votre première offre", "url": "offers:register"}],
    # For who represents an establishment: leave, pause, correct, be listed.
    "leave": [{"label": "Retirer, mettre en pause ou corriger un établissement", "url": "unsubscribe:home"}],
    # The spaces of those who are signed in; one with a role is shown to who has it.
    "account": [
        {"label": "Espace recruteur", "url": "offers:space"},
        {"label": "Recruteurs à valider", "url": "opco:queue", "role": "advisor"},
    ],
    "error": [
        {"label": "Faire une recherche", "url": "offers:home"},
        {"label": "Nous écrire", "url": "offers:contact"},
    ],
}
