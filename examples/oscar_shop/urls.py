"""Oscar's own pages, and two for gift cards, which django-oscar-accounts leaves to the shop."""

from checkout.giftcards import Balance, Use
from django.apps import apps
from django.urls import include, path

urlpatterns = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("giftcards/", Balance.as_view(), name="giftcard-balance"),
    path("giftcards/use/", Use.as_view(), name="giftcard-use"),
    path("", include(apps.get_app_config("oscar").urls[0])),
]
