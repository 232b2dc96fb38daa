"""The small site's views."""

from __future__ import annotations

from django.contrib.auth import authenticate, get_user_model, login
from django.http import HttpResponse
from django.template import Context, Template
from django.urls import include, path


def entrance(request):
    """A login of a shop's own."""
    user = authenticate(request, username=request.POST["username"], password=request.POST["password"])
    if user is None:
        return HttpResponse("wrong")
    login(request, user)
    return HttpResponse("in")


def side_door(request):
    """A login that goes around ``authenticate``, and writes before it."""
    get_user_model().objects.filter(username="ayu").update(last_name="written")
    user = get_user_model().objects.get(username="ayu")
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponse("in")


def joining(request):
    """A registration that signs in at once."""
    user = get_user_model()(username="new", email="new@shop.example")
    user.set_password("long enough")
    user.save()
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponse("in")


def card(request):
    """Shows what is left on a card."""
    return HttpResponse(f"left on {request.POST.get('code', '')}: 500")


def form(_request):
    """A form that carries a page's token."""
    return HttpResponse(Template("{% load shopward %}<form>{% shopward_page %}</form>").render(Context()))


def page(_request):
    """Any page."""
    return HttpResponse("a page")


urlpatterns = [
    path("entrance/", entrance),
    path("side-door/", side_door),
    path("joining/", joining),
    path("card/", card, name="card"),
    path("page/", page, name="page"),
    path("form/", form),
    path("in/", page),
    path("allauth/", include("allauth.urls")),
]
