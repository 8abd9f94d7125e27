"""What pages are made of."""

from django.urls import path

from registry_site.pages.views import styleguide

urlpatterns = [path("styleguide", styleguide.styleguide, name="styleguide")]
