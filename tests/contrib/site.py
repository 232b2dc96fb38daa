"""A small Django site with allauth and four views of its own, in this process: what a shop is to the package."""

from __future__ import annotations

import django
from django.conf import settings

VETO = "shopward.contrib.django.backends.VetoBackend"
GUARD = "shopward.contrib.django.middleware.Guard"
USERS = "django.contrib.auth.middleware.AuthenticationMiddleware"
BACKENDS = [
    VETO,
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    USERS,
    GUARD,
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]


def begin():
    """Configure Django once in this process, with tables in memory."""
    settings.configure(
        SECRET_KEY=repr(BACKENDS), ROOT_URLCONF="contrib.urls", USE_TZ=True, ALLOWED_HOSTS=["testserver"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "ATOMIC_REQUESTS": True}},
        INSTALLED_APPS=[
            "django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "django.contrib.messages",
            "allauth", "allauth.account", "shopward.contrib.django.apps.ShopwardConfig",
        ],
        AUTHENTICATION_BACKENDS=BACKENDS, MIDDLEWARE=MIDDLEWARE, LOGIN_REDIRECT_URL="/in/",
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
        SHOPWARD={"url": "http://127.0.0.1:1", "key": "sw_x"},
    )  # fmt: skip
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 -- settings first

    settings.MIGRATION_MODULES = dict.fromkeys(("contenttypes", "auth", "sessions", "account", "messages"))
    call_command("migrate", verbosity=0, run_syncdb=True)
