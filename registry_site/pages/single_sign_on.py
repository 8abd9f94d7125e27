"""Single sign-on by OpenID Connect. Loaded only where a provider is configured.

allauth speaks the protocol: discovery, state, PKCE, the exchange of the code, the keys. What it leaves open is checked
here: the signature and the nonce of the ID token, and that both answers of the provider tell of the same person. Who
comes in is decided by `accounts.single_sign_on`; allauth's own accounts, pages and tables are not used.
"""

import logging
import secrets
from typing import Any, NoReturn

import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base.constants import AuthError
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from registry_site.accounts import single_sign_on
from registry_site.accounts.actors import stranger
from registry_site.accounts.single_sign_on import Claims
from registry_site.audit.kinds import Origin
from registry_site.core.errors import PermissionDenied, Unavailable
from registry_site.pages.errors import error_response
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import safe_next
from registry_site.pages.views.session import BACKEND

PROVIDER = "oidc"
log = logging.getLogger(__name__)


class Protocol(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth ships no types
    """OpenID Connect, as strictly as it is written."""

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        """Below the configured address, whatever the request calls this site."""
        return f"{settings.PODIUM_SITE_URL}{reverse('provider_callback')}"

    def get_access_token_data(self, *arguments: Any, **options: Any) -> Any:
        """The provider's answer for a code. Its ID token is not excused from having a signature."""
        data = super().get_access_token_data(*arguments, **options)
        self.did_fetch_access_token = False
        return data


class Provider(OpenIDConnectProvider):  # type: ignore[misc]  # as above
    """The one provider."""

    oauth2_adapter_class = Protocol


class Adapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # as above
    """Where allauth asks what is to be done."""

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Provider:
        """The one that the settings name; none is looked up in the database."""
        app = SocialApp(
            provider=Provider.id,
            provider_id=PROVIDER,
            name=settings.PODIUM_OIDC_NAME,
            client_id=settings.PODIUM_OIDC_CLIENT_ID,
            secret=settings.PODIUM_OIDC_CLIENT_SECRET,
            settings={
                "server_url": settings.PODIUM_OIDC_SERVER_URL,
                "scope": settings.PODIUM_OIDC_SCOPES,
                "oauth_pkce_enabled": True,
            },
        )
        return Provider(request, app=app)

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> NoReturn:
        """The provider has answered, and allauth is content: sign in, and be done."""
        told = sociallogin.account.extra_data
        claims = _checked(told.get("id_token") or {}, told.get("userinfo") or {}, sociallogin.state.get("nonce"))
        user = single_sign_on.sign_in(stranger(Origin.PAGE), claims=claims)
        login(request, user, backend=BACKEND)
        raise ImmediateHttpResponse(redirect(safe_next(request, sociallogin.state.get("next") or "/")))

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> NoReturn:
        """The person has changed their mind, or the provider has refused, or answered what it should not."""
        if error == AuthError.CANCELLED:
            raise ImmediateHttpResponse(redirect("sign_in"))
        log.warning("Single sign-on failed (%s %s).", error, type(exception).__name__ if exception else "")
        raise ImmediateHttpResponse(error_response(request, _failed()))


@require_safe
@never_cache
def start(request: PageRequest) -> HttpResponseBase:
    """On to the provider, and back to where one wanted to go."""
    provider = Adapter(request).get_provider(request, PROVIDER)
    nonce = secrets.token_urlsafe(32)
    wanted = safe_next(request, request.GET.get("next", ""))
    try:
        answer: HttpResponseBase = provider.redirect(
            request, process="login", next_url=wanted, auth_params={"nonce": nonce}, nonce=nonce
        )
    except (requests.RequestException, KeyError, ValueError) as failure:
        log.error("The single sign-on provider does not tell where to sign in", exc_info=failure)
        raise Unavailable("The single sign-on provider does not answer. Try again in a minute.") from failure
    return answer


@require_safe
@never_cache
def callback(request: PageRequest) -> HttpResponseBase:
    """Back from the provider."""
    try:
        answer: HttpResponseBase = OAuth2CallbackView.adapter_view(Protocol(request, PROVIDER))(request)
    except (KeyError, TypeError, ValueError) as failure:
        log.error("The single sign-on provider answered what cannot be understood", exc_info=failure)
        raise _failed() from failure
    return answer


def _checked(id_token: dict[str, Any], userinfo: dict[str, Any], nonce: str | None) -> Claims:
    """What the provider claims, if it claims it of one person and in answer to this very sign-in.

    Raises PermissionDenied for anything else.
    """
    if not nonce or id_token.get("nonce") != nonce or userinfo.get("sub", id_token.get("sub")) != id_token.get("sub"):
        log.warning("Single sign-on failed: the provider's answers do not belong together.")
        raise _failed()
    claims = id_token | userinfo
    issuer, subject = _text(id_token.get("iss")), _text(id_token.get("sub"))
    if not (0 < len(issuer) <= 255 and 0 < len(subject) <= 255):
        raise _failed()
    email = _text(claims.get("email"))
    verified = claims.get("email_verified")
    is_verified = (verified is True or verified == "true") and _is_address(email)
    groups = claims.get(settings.PODIUM_OIDC_GROUPS_CLAIM)
    if isinstance(groups, str):
        groups = [groups]
    return Claims(
        issuer=issuer,
        subject=subject,
        username=_text(claims.get("preferred_username")),
        display_name=_text(claims.get("name")),
        email=email if is_verified else "",
        groups=[_text(group) for group in groups] if isinstance(groups, list) else None,
    )


def _text(value: Any) -> str:
    return value.replace("\0", "").strip() if isinstance(value, str) else ""


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= 254


def _failed() -> PermissionDenied:
    return PermissionDenied("Signing in by the provider did not work. Start again from the sign-in page.")
