"""From history to deliveries."""

from collections.abc import Iterator, Mapping, Sequence

from django.conf import settings

from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity
from registry_site.core import clock
from registry_site.registry.models import RegisteredModel
from registry_site.webhooks.formats import Format, body_of, told
from registry_site.webhooks.models import Delivery, Webhook, WebhookStatus, new_id
from registry_site.webhooks.news import News

_Model = tuple[str, bool]  # what it is called, and whether it is a prompt


def fan_out(activities: Sequence[Activity]) -> None:
    """Write a delivery for every webhook that is to be told of these activities. To do it again changes nothing.

    Belongs into the transaction that takes the activities off the outbox.
    """
    webhooks = list(Webhook.objects.filter(status=WebhookStatus.ACTIVE))
    if not webhooks:
        return
    Delivery.objects.bulk_create(_deliveries(activities, webhooks), ignore_conflicts=True)


def _deliveries(activities: Sequence[Activity], webhooks: Sequence[Webhook]) -> Iterator[Delivery]:
    now = clock.now()
    for activity, news in _news(activities):
        for webhook in webhooks:
            if webhook.registered_model_id not in (None, activity.registered_model_id):
                continue
            format = Format(webhook.format)
            for event in told(format, webhook.events, news):
                delivery_id = new_id()
                yield Delivery(
                    delivery_id=delivery_id,
                    webhook=webhook,
                    activity_id=activity.pk,
                    event=event,
                    body=body_of(format, event, news, webhook_id=webhook.webhook_id, delivery_id=delivery_id),
                    created_at=now,
                    due_at=now,
                )


def _news(activities: Sequence[Activity]) -> Iterator[tuple[Activity, News]]:
    """Each of these activities, and what it tells."""
    keys = {activity.registered_model_id for activity in activities if activity.registered_model_id is not None}
    models: Mapping[int, _Model] = {
        key: (name, is_prompt)
        for key, name, is_prompt in RegisteredModel.objects.filter(pk__in=keys).values_list("pk", "name", "is_prompt")
    }
    for activity in activities:
        name, is_prompt = models.get(activity.registered_model_id or 0, (_name_in(activity), False))
        yield (
            activity,
            News(
                kind=Kind(activity.kind),
                at=activity.at,
                site=settings.PODIUM_SITE_URL,
                activity_id=activity.pk,
                actor=activity.actor_name,
                origin=activity.origin,
                subject=activity.subject,
                model=name,
                is_prompt=is_prompt,
                version=activity.version,
                request_number=activity.request_number,
                comment=activity.comment,
                data=activity.data,
            ),
        )


def _name_in(activity: Activity) -> str:
    """What a model was called that is no more."""
    if activity.registered_model_id is None or not activity.subject.startswith("model "):
        return ""
    name = activity.subject.removeprefix("model ")
    return name if activity.version is None else name.removesuffix(f" version {activity.version}")
