"""Finding experiments and runs by a few words, for the search over everything: never many."""

import re
from collections.abc import Sequence

from django.db.models import IntegerField, Q, Subquery, Value
from django.db.models.functions import Coalesce

from registry_site.accounts.actors import Actor
from registry_site.search.compile import compile_words
from registry_site.tracking import access
from registry_site.tracking.models import Experiment, LifecycleStage, Run

NEWEST_RUNS = 10_000
_BEGIN_OF_AN_ID = re.compile(r"[0-9a-f]{4,32}")


def find_experiments(actor: Actor, words: Sequence[str], *, limit: int) -> list[Experiment]:
    """Active experiments with every word in their names, or of that id; those that changed last come first."""
    wanted = compile_words(words, "name")
    if len(words) == 1 and words[0].isdecimal() and len(words[0]) < 19:
        wanted |= Q(pk=int(words[0]))
    found = Experiment.objects.filter(access.visible(actor), wanted, lifecycle_stage=LifecycleStage.ACTIVE)
    return list(found.order_by("-last_update_time", "-pk")[:limit])


def find_runs(actor: Actor, words: Sequence[str], *, limit: int) -> list[Run]:
    """Active runs whose id begins so, or of the newest 10,000 with every word in their names; newest first, each with
    its experiment."""
    newest = Run.objects.order_by("-pk").values("pk")[NEWEST_RUNS : NEWEST_RUNS + 1]
    oldest_of_them = Coalesce(Subquery(newest), Value(0), output_field=IntegerField())
    seen = Run.objects.filter(access.visible(actor, "experiment_id"), lifecycle_stage=LifecycleStage.ACTIVE)
    runs = seen.select_related("experiment").order_by("-pk")
    found: list[Run] = []
    if len(words) == 1 and _BEGIN_OF_AN_ID.fullmatch(words[0]):
        found += runs.filter(run_id__startswith=words[0])[:limit]
    found += runs.filter(compile_words(words, "run_name"), pk__gt=oldest_of_them)[:limit]
    return list({run.pk: run for run in found}.values())[:limit]


def latest_runs(actor: Actor, *, limit: int) -> list[Run]:
    """The last active runs that the actor made, newest first; each with its experiment."""
    found = Run.objects.filter(
        access.visible(actor, "experiment_id"), created_by=actor.user_id, lifecycle_stage=LifecycleStage.ACTIVE
    )
    return list(found.select_related("experiment").order_by("-pk")[:limit])
