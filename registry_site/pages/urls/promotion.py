"""Work that waits, and the requests that it is about."""

from django.urls import path

from registry_site.pages import converters  # noqa: F401  registers <name:…>
from registry_site.pages.views import home, requests, reviews

urlpatterns = [
    path("", home.home, name="home"),
    path("reviews", reviews.reviews, name="reviews"),
    path("models/<name:name>/requests/new", requests.new_request, name="new_request"),
    path("models/<name:name>/requests/<int:number>", requests.request, name="request"),
    path("models/<name:name>/requests/<int:number>/approve", requests.approve_request, name="approve_request"),
    path("models/<name:name>/requests/<int:number>/reject", requests.reject_request, name="reject_request"),
    path("models/<name:name>/requests/<int:number>/cancel", requests.cancel_request, name="cancel_request"),
]
