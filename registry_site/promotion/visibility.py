"""Which requests somebody may see, and what was said of them."""

from django.db.models import Q, QuerySet

from registry_site.accounts.actors import Actor
from registry_site.promotion.models import Comment, TransitionRequest
from registry_site.registry import access


def visible(actor: Actor) -> Q:
    """Those of models that the actor may read; one for a copy only with the model that it is for, whose name nobody
    else learns. Once that is gone, whoever asked still sees it. Raises NotSignedIn for a stranger."""
    target = Q(copy_to_name="") | Q(access.visible(actor, "copy_to_id"), copy_to__isnull=False)
    if access.reads_everything(actor):
        return Q()
    return access.visible(actor, "registered_model_id") & (target | Q(copy_to=None, requester_id=actor.user_id))


def visible_comments(actor: Actor) -> QuerySet[Comment]:
    """The comments of models that the actor may read; those on a request with that request."""
    seen = Q(request__isnull=True) | Q(request__in=TransitionRequest.objects.filter(visible(actor)))
    return Comment.objects.filter(seen, access.visible(actor, "registered_model_id"))
