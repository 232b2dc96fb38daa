"""The same shop with Shopward: all that its owner writes stands below."""

from settings import *

INSTALLED_APPS += ["shopward.contrib.django.apps.ShopwardConfig"]  # noqa: F405
AUTHENTICATION_BACKENDS.insert(0, "shopward.contrib.django.backends.VetoBackend")  # noqa: F405
MIDDLEWARE.insert(6, "shopward.contrib.django.middleware.Guard")  # noqa: F405 -- behind AuthenticationMiddleware
SHOPWARD = {"url": os.environ["SHOPWARD_URL"], "key": os.environ["SHOPWARD_KEY"], "proxies": ["127.0.0.1"]}  # noqa: F405
