"""Coming in and going out."""

from django.contrib.auth import login, logout
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from registry_site.accounts import services
from registry_site.accounts.actors import person, stranger
from registry_site.accounts.authentication import check_sign_in
from registry_site.audit.kinds import Origin
from registry_site.pages.forms.people import SignInForm
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import safe_next

BACKEND = "django.contrib.auth.backends.ModelBackend"
YEAR = 365 * 24 * 3600


@never_cache
@sensitive_post_parameters("password")
def sign_in(request: PageRequest) -> HttpResponse:
    """Name and password, or name and token; on to where one wanted to go."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    if request.actor.is_signed_in:
        return redirect(safe_next(request, wanted))
    form = SignInForm(request.POST or None, initial={"next": wanted})
    if request.method == "POST" and form.is_valid():
        user = check_sign_in(
            form.cleaned_data["username"],
            form.cleaned_data["password"],
            remote_address=request.META.get("REMOTE_ADDR", ""),
        )
        if user is not None:
            login(request, user, backend=BACKEND)
            services.record_sign_in(person(user, Origin.PAGE))
            return redirect(safe_next(request, wanted))
        form.add_error(None, _("User name and password do not go together. Check both, or ask an administrator."))
    return render(request, "pages/people/sign_in.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
def sign_out(request: PageRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("sign_in")


@never_cache
def welcome(request: PageRequest, secret: str) -> HttpResponse:
    """A one-time link: opening it shows a button, pressing that signs in, so that mail scanners use no link up."""
    if request.method != "POST":
        return render(request, "pages/people/welcome.html")
    user = services.redeem_sign_in_link(stranger(Origin.PAGE), secret=secret)
    login(request, user, backend=BACKEND)
    return redirect("home" if user.has_usable_password() else "password")


@require_POST
def theme(request: PageRequest) -> HttpResponse:
    """Remember light, dark, or whatever the system says."""
    response = redirect(safe_next(request, request.POST.get("next", "")))
    chosen = request.POST.get("theme", "")
    if chosen in ("light", "dark"):
        response.set_cookie("theme", chosen, max_age=YEAR, samesite="Lax", secure=request.is_secure())
    else:
        response.delete_cookie("theme")
    return response
