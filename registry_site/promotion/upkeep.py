"""What happens to requests by themselves: they expire, one is reminded of them, and what they depend on is looked at.

Each is a row that says when it is due. Whoever moves that time on by a conditional update has it, so that any number of
workers share them, and what a dead one had claimed comes up again.
"""

from django.db import transaction

from registry_site.accounts.actors import system
from registry_site.audit.kinds import Kind
from registry_site.audit.record import record
from registry_site.core import clock
from registry_site.promotion.models import TransitionRequest
from registry_site.promotion.moving import expire
from registry_site.promotion.rules import RequestState
from registry_site.promotion.services import REMINDED_EVERY
from registry_site.promotion.settling import SETTLED_EVERY, read_both, settle_request
from registry_site.promotion.subjects import of_request, what_is_copied
from registry_site.registry.locking import lock_model
from registry_site.registry.stages import Stage

AT_ONCE = 100

_PENDING = TransitionRequest.objects.filter(state=RequestState.PENDING.value)


def settle_due() -> int:
    """Look again at pending requests whose time has come: whether their evidence or their occupant has changed, and
    whether they can be applied now. Returns how many were applied."""
    applied = 0
    due = _PENDING.filter(settle_at__lte=clock.now()).order_by("settle_at", "pk")
    for key, due_at in list(due.values_list("pk", "settle_at")[:AT_ONCE]):
        if not _PENDING.filter(pk=key, settle_at=due_at).update(settle_at=clock.now() + SETTLED_EVERY):
            continue
        rows = TransitionRequest.objects.select_related("registered_model", "model_version", "copy_to")
        request = rows.get(pk=key)
        if request.model_version is not None:
            files = read_both(request.model_version, Stage(request.to_stage), request.copy_to)
            applied += settle_request(request.registered_model.name, request.number, files)
    return applied


def expire_due() -> int:
    """Close pending requests that are older than their policy lets them be. Returns how many."""
    expired = 0
    due = _PENDING.filter(expires_at__lte=clock.now()).order_by("expires_at", "pk")
    for key, name in list(due.values_list("pk", "registered_model__name")[:AT_ONCE]):
        with transaction.atomic():
            model = lock_model(name)
            request = _PENDING.select_for_update().filter(pk=key, registered_model=model).first() if model else None
            if model is None or request is None or request.expires_at is None or request.expires_at > clock.now():
                continue
            request.registered_model = model
            expire(request)
            expired += 1
    return expired


def remind_due() -> int:
    """Write down, once a day, that a pending request still waits: whoever may decide it is told of that. Returns how
    many requests were reminded of."""
    reminded = 0
    due = _PENDING.filter(remind_at__lte=clock.now()).order_by("remind_at", "pk")
    for key, due_at, name in list(due.values_list("pk", "remind_at", "registered_model__name")[:AT_ONCE]):
        with transaction.atomic():
            model = lock_model(name)
            again = clock.now() + REMINDED_EVERY
            if model is None or not _PENDING.filter(pk=key, remind_at=due_at).update(remind_at=again):
                continue
            request = TransitionRequest.objects.get(pk=key)
            request.registered_model = model
            days = (clock.now() - request.created_at).days
            said = what_is_copied(request)
            record(system(), Kind.REQUEST_REMINDED, of_request(request), to_stage=request.to_stage, days=days, **said)
            reminded += 1
    return reminded
