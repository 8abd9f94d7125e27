"""Work that waits, and the requests that it is about."""

from django.urls import path

from registry_site.pages import converters  # noqa: F401  registers <name:…>
from registry_site.pages.views import home, policies, requests, review, reviews, search, timeline

urlpatterns = [
    path("", home.home, name="home"),
    path("search", search.search, name="search"),
    path("reviews", reviews.reviews, name="reviews"),
    path("govern/policies", policies.site_policies, name="policies"),
    path("govern/policies/<str:stage>", policies.site_policy, name="policy"),
    path("models/<name:name>/policies/<str:stage>", policies.model_policy, name="model_policy"),
    path("models/<name:name>/timeline", timeline.model_timeline, name="model_timeline"),
    path("models/<name:name>/versions/<int:version>/rollback", timeline.roll_back, name="roll_back"),
    path("models/<name:name>/requests/new", requests.new_request, name="new_request"),
    path("models/<name:name>/requests/<int:number>", review.request, name="request"),
    path("models/<name:name>/requests/<int:number>/review", review.review_request, name="review_request"),
    path("models/<name:name>/requests/<int:number>/dismiss", review.dismiss_review, name="dismiss_review"),
    path("models/<name:name>/requests/<int:number>/cancel", review.cancel_request, name="cancel_request"),
    path("models/<name:name>/requests/<int:number>/comments", review.comment_on_request, name="comment_on_request"),
    path(
        "models/<name:name>/requests/<int:number>/comments/<int:comment_id>", review.edit_comment, name="edit_comment"
    ),
    path(
        "models/<name:name>/requests/<int:number>/comments/<int:comment_id>/delete",
        review.delete_comment,
        name="delete_comment",
    ),
]
