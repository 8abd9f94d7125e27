"""What the admin pages of several apps share."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from registry_site.core.errors import PermissionDenied


class GovernanceSite(admin.AdminSite):
    """The governance desk. Administrators come in where everybody does, and everything there goes through services."""

    site_title = site_header = "Podium"
    index_title = "Governance"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """As Django's, but what other packages bring along is left out: it would write past the services, and past
        history."""
        if admin_class is not None and admin_class.__module__.startswith("registry_site."):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether an administrator asks who has signed in."""
        user = request.user
        return bool(user.is_active and getattr(user, "is_staff", False) and getattr(user, "is_superuser", False))

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """On to the sign-in page, where guessing is slowed down, and back. Raises PermissionDenied for somebody who has
        signed in and is no administrator, and in open mode, where nobody does."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied("Only administrators may do this.")
        if settings.PODIUM_OPEN:
            raise PermissionDenied("In open mode nobody signs in, and the governance desk is closed.")
        return redirect_to_login(request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index"))


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # ModelAdmin is not subscriptable at run time
    """Shown, searched and filtered; changed by services only."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False
