"""One's own profile, password and tokens."""

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from registry_site.accounts import queries, services
from registry_site.accounts.scopes import WORDS
from registry_site.core import clock
from registry_site.core.errors import PodiumError
from registry_site.pages.access import signed_in
from registry_site.pages.forms.people import PasswordForm, ProfileForm, TokenForm
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import back_or
from registry_site.pages.snippets import host_of


@signed_in
def profile(request: PageRequest) -> HttpResponse:
    """Name, address, time zone."""
    user = queries.get_user(request.actor)
    form = ProfileForm(
        request.POST or None,
        initial={"display_name": user.display_name, "email": user.email, "time_zone": user.time_zone},
    )
    if request.method == "POST" and form.is_valid():
        services.update_profile(request.actor, **form.cleaned_data)
        messages.success(request, _("Your profile is saved."))
        return redirect("profile")
    context = {"form": form, "profile": user}
    return render(request, "pages/people/profile.html", context, status=422 if form.errors else 200)


@signed_in
@never_cache
@sensitive_post_parameters()
def password(request: PageRequest) -> HttpResponse:
    """A new password; who came in by a link has none yet and is not asked for it."""
    user = queries.get_user(request.actor)
    form = PasswordForm(request.POST or None)
    if not user.has_usable_password():
        del form.fields["current"]
    if request.method == "POST" and form.is_valid():
        try:
            changed = services.change_password(
                request.actor, current=form.cleaned_data.get("current", ""), new=form.cleaned_data["new"]
            )
        except PodiumError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            update_session_auth_hash(request, changed)
            messages.success(request, _("Your password is changed. Other sessions of yours have ended."))
            return redirect("profile")
    context = {"form": form, "is_first": not user.has_usable_password()}
    return render(request, "pages/people/password.html", context, status=422 if form.errors else 200)


@signed_in
@never_cache
def tokens(request: PageRequest) -> HttpResponse:
    """Tokens for MLflow clients: list, make (shown this once), and revoke below."""
    form = TokenForm(request.POST or None, is_admin=request.actor.is_admin)
    made = ""
    if request.method == "POST" and form.is_valid():
        days = form.cleaned_data["days"]
        made = services.create_token(
            request.actor,
            username=request.actor.name,
            name=form.cleaned_data["name"],
            scope=WORDS[form.cleaned_data["scope"]],
            expires_at=clock.now() + timedelta(days=int(days)) if days else None,
        )
        form = TokenForm(is_admin=request.actor.is_admin)
    tracking_uri = host_of(request)
    context = {
        "form": form,
        "made": made,
        "exports": f"export MLFLOW_TRACKING_URI={tracking_uri}\nexport MLFLOW_TRACKING_TOKEN={made}",
        "tokens": queries.tokens_of(request.actor),
        "now": clock.now(),
    }
    return render(request, "pages/people/tokens.html", context, status=422 if form.errors else 200)


@require_POST
@signed_in
def revoke_token(request: PageRequest, token_id: int) -> HttpResponse:
    """End a token at once."""
    services.revoke_token(request.actor, token_id=token_id)
    messages.success(request, _("The token is revoked: clients that send it are refused from now on."))
    return redirect(back_or(request, reverse("tokens")))
