"""Coming in and going out."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from registry_site.accounts import links, services
from registry_site.accounts.actors import person, stranger
from registry_site.accounts.passwords import check_credentials
from registry_site.accounts.purposes import LinkPurpose
from registry_site.audit.kinds import Origin
from registry_site.core.errors import InvalidParameter
from registry_site.notifications.services import mail_password_link
from registry_site.pages.forms.people import ForgottenForm, InvitationForm, NewPasswordForm, SignInForm
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import safe_next, show_error, status_of

BACKEND = "django.contrib.auth.backends.ModelBackend"
YEAR = 365 * 24 * 3600


@never_cache
@sensitive_post_parameters("password")
def sign_in(request: PageRequest) -> HttpResponse:
    """Name and password, or on to the single sign-on provider; and then to where one wanted to go."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    if request.actor.is_signed_in:
        return redirect(safe_next(request, wanted))
    form = SignInForm(request.POST or None, initial={"next": wanted})
    if request.method == "POST" and form.is_valid():
        user = check_credentials(
            form.cleaned_data["username"],
            form.cleaned_data["password"],
            remote_address=request.META.get("REMOTE_ADDR", ""),
        )
        if user is not None:
            login(request, user, backend=BACKEND)
            services.record_sign_in(person(user, Origin.PAGE))
            return redirect(safe_next(request, wanted))
        form.add_error(None, _("User name and password do not go together. Check both, or ask an administrator."))
    context = {
        "form": form,
        "wanted": wanted,
        "provider": settings.PODIUM_OIDC_NAME if settings.PODIUM_OIDC else "",
        "can_mail": bool(settings.EMAIL_HOST),
    }
    return render(request, "pages/people/sign_in.html", context, status=status_of(form))


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
    user = links.redeem_sign_in_link(stranger(Origin.PAGE), secret=secret)
    login(request, user, backend=BACKEND)
    return redirect("home" if user.has_usable_password() else "password")


@never_cache
@sensitive_post_parameters()
def invitation(request: PageRequest, secret: str) -> HttpResponse:
    """Who is invited says what they are called, sets a password, and is in."""
    actor = stranger(Origin.PAGE)
    invited = links.person_of_link(actor, secret=secret, purpose=LinkPurpose.INVITATION)
    form = InvitationForm(request.POST or None, initial={"display_name": invited.display_name})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            user = links.accept_invitation(
                actor, secret=secret, display_name=given["display_name"], password=given["new"]
            )
        except InvalidParameter as error:
            show_error(form, error)
        else:
            login(request, user, backend=BACKEND)
            return redirect("home")
    context = {"form": form, "username": invited.username}
    return render(request, "pages/people/invitation.html", context, status=status_of(form))


@never_cache
def forgotten_password(request: PageRequest) -> HttpResponse:
    """Ask for a link by mail. The answer is the same for everybody, whether there is such a person or not."""
    form = ForgottenForm(request.POST or None)
    is_asked = request.method == "POST" and form.is_valid()
    if is_asked:
        mail_password_link(
            stranger(Origin.PAGE), asked=form.cleaned_data["asked"], remote_address=request.META.get("REMOTE_ADDR", "")
        )
    context = {"form": form, "is_asked": is_asked, "can_mail": bool(settings.EMAIL_HOST)}
    return render(request, "pages/people/forgotten_password.html", context, status=status_of(form))


@never_cache
@sensitive_post_parameters()
def new_password(request: PageRequest, secret: str) -> HttpResponse:
    """Set a password by a link; then sign in with it."""
    actor = stranger(Origin.PAGE)
    forgetful = links.person_of_link(actor, secret=secret, purpose=LinkPurpose.PASSWORD)
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            links.reset_password(actor, secret=secret, password=form.cleaned_data["new"])
        except InvalidParameter as error:
            show_error(form, error)
        else:
            logout(request)
            messages.success(request, _("Your password is set: sign in with it."))
            return redirect("sign_in")
    context = {"form": form, "username": forgetful.username}
    return render(request, "pages/people/new_password.html", context, status=status_of(form))


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
