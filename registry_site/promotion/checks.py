"""What outside systems say of a version: results of their checks, and where they have taken it.

Both are told again and again by systems that repeat themselves: the same `external_id` is the same run, and to say what
is known already changes nothing.
"""

from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import BigIntegerField

from registry_site.accounts.actors import Actor, system
from registry_site.accounts.levels import Level
from registry_site.audit.kinds import Kind
from registry_site.audit.record import record
from registry_site.core import clock
from registry_site.core.errors import InvalidParameter
from registry_site.core.prepared import Given, Prepared, Question, columns_of, instance_of
from registry_site.promotion.gates import CheckState
from registry_site.promotion.models import Check, Deployment
from registry_site.promotion.rules import DeploymentState
from registry_site.promotion.settling import settle_version
from registry_site.registry import subjects
from registry_site.registry.locking import locked_version
from registry_site.registry.models import ModelVersion
from registry_site.registry.queries import get_version

Row = TypeVar("Row", Check, Deployment)

NAME_LIMIT = 250
LINK_LIMIT = 2000
TEXT_LIMIT = 65_535
SHOWN_AT_MOST = 500


@transaction.atomic
def post_check(
    actor: Actor,
    *,
    name: str,
    version: int,
    check: str,
    state: CheckState,
    external_id: str = "",
    summary: str = "",
    link: str = "",
) -> Check:
    """Say how a check of a version is going, or ended. Needs CAN_EDIT.

    Of several runs of a check the one that was announced last counts. Requests that only waited for it are applied in
    this same transaction, in the name of those who approved them. Raises InvalidParameter for a name or link that is
    none, NotFound.
    """
    _validate("check", check, external_id, summary, link)
    found = locked_version(actor, name, version, Level.CAN_EDIT)
    row, is_news = _write(
        Check(model_version=found, name=check, external_id=external_id, state=state.value, summary=summary, link=link),
        Check.objects.filter(model_version=found, name=check, external_id=external_id).first(),
        ("state", "summary", "link"),
        actor,
    )
    if is_news:
        record(
            actor,
            Kind.CHECK_POSTED,
            subjects.of_version(found),
            check=check,
            state=state.value,
            external_id=external_id,
            summary=summary,
            link=link,
        )
        settle_version(actor, found, changed_by=system(actor.origin))
    return row


@transaction.atomic
def post_deployment(
    actor: Actor,
    *,
    name: str,
    version: int,
    environment: str,
    state: DeploymentState,
    external_id: str = "",
    description: str = "",
    link: str = "",
) -> Deployment:
    """Say where a version is being, or was, deployed. Needs CAN_EDIT. Raises as `post_check`."""
    _validate("environment", environment, external_id, description, link)
    found = locked_version(actor, name, version, Level.CAN_EDIT)
    row, is_news = _write(
        Deployment(
            model_version=found,
            environment=environment,
            external_id=external_id,
            state=state.value,
            description=description,
            link=link,
        ),
        Deployment.objects.filter(model_version=found, environment=environment, external_id=external_id).first(),
        ("state", "description", "link"),
        actor,
    )
    if is_news:
        record(
            actor,
            Kind.DEPLOYMENT_POSTED,
            subjects.of_version(found),
            environment=environment,
            state=state.value,
            external_id=external_id,
            description=description,
            link=link,
        )
    return row


def checks_of(actor: Actor, name: str, version: int) -> list[Check]:
    """The runs of checks of a version, those announced last first, at most 500. Raises NotFound."""
    return _CHECKS.read(version=get_version(actor, name, version).pk)


def deployments_of(actor: Actor, name: str, version: int) -> list[Deployment]:
    """The deployments of a version, those announced last first, at most 500. Raises NotFound."""
    return _DEPLOYMENTS.read(version=get_version(actor, name, version).pk)


def questions_of_posts(version: ModelVersion) -> list[Question[Any]]:
    """What `checks_of` and `deployments_of` ask, for `ask_together`."""
    return [_CHECKS.question(version=version.pk), _DEPLOYMENTS.question(version=version.pk)]


def _newest(model: type[Row]) -> Prepared[Row]:
    """The rows of a version that were announced last, those first."""
    of_version = {"model_version": Given("version", BigIntegerField())}
    return Prepared(
        lambda: (
            model._default_manager.filter(**of_version).order_by("-pk").values_list(*columns_of(model))[:SHOWN_AT_MOST]
        ),
        instance_of(model),
    )


_CHECKS = _newest(Check)
_DEPLOYMENTS = _newest(Deployment)


def _write(said: Row, known: Row | None, fields: tuple[str, ...], actor: Actor) -> tuple[Row, bool]:
    """The row as it is afterwards, and whether that is news."""
    now = clock.now()
    if known is None:
        said.posted_by_name, said.created_at, said.updated_at = actor.name, now, now
        said.save()
        return said, True
    if all(getattr(known, field) == getattr(said, field) for field in fields):
        return known, False
    for field in fields:
        setattr(known, field, getattr(said, field))
    known.posted_by_name, known.updated_at = actor.name, now
    known.save(update_fields=[*fields, "posted_by_name", "updated_at"])
    return known, True


def _validate(what: str, called: str, external_id: str, text: str, link: str) -> None:
    if not called.strip() or len(called) > NAME_LIMIT or not called.isprintable():
        raise InvalidParameter(f"The name of a {what} has 1 to {NAME_LIMIT} printable characters.", field=what)
    if len(external_id) > NAME_LIMIT:
        raise InvalidParameter(f"external_id has {NAME_LIMIT} characters at most.", field="external_id")
    if len(text) > TEXT_LIMIT:
        raise InvalidParameter(f"A text has {TEXT_LIMIT} characters at most.", field="summary")
    if not link:
        return
    try:
        parts = urlsplit(link)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_good = False
    if not is_good or len(link) > LINK_LIMIT:
        raise InvalidParameter(f"A link begins with https:// and has {LINK_LIMIT} characters at most.", field="link")
