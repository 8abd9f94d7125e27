"""Register Model: what a run or logged model holds becomes a version. A dialog, and a page without scripts."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from registry_site.core.errors import PodiumError
from registry_site.pages.access import signed_in
from registry_site.pages.forms.tracking import RegisterForm
from registry_site.pages.middleware import PageRequest
from registry_site.pages.views.runs import model_paths
from registry_site.promotion.registration import register_version
from registry_site.registry.stages import Stage
from registry_site.tracking.logged_models import get_logged_model
from registry_site.tracking.queries import get_run

_FIELDS = {"alias": "alias", "description": "description", "comment": "reason", "source": "path", "stage": "promote_to"}


@signed_in
def register_model(request: PageRequest, run_id: str) -> HttpResponse:
    """A model folder of a run; `?path=` names it, else there is a choice of those that the run has."""
    run = get_run(request.actor, run_id)
    named = request.GET.getlist("path")[:1]
    paths = list(dict.fromkeys(named + model_paths(request, run)))
    return _register(
        request,
        what=str(run),
        back=reverse("run", args=[run_id]),
        crumbs=[(str(run), reverse("run", args=[run_id])), (_("Register model"), "")],
        sources={path: f"runs:/{run_id}/{path}".rstrip("/") for path in paths},
        first=paths[0] if paths else "",
    )


@signed_in
def register_logged_model(request: PageRequest, model_id: str) -> HttpResponse:
    """A logged model, whatever run it came from."""
    model = get_logged_model(request.actor, model_id=model_id)
    here = reverse("logged_model", args=[model_id])
    return _register(
        request,
        what=model.name,
        back=here,
        crumbs=[(model.name, here), (_("Register model"), "")],
        sources={model.name: f"models:/{model_id}"},
        first=model.name,
    )


def _register(
    request: PageRequest, *, what: str, back: str, crumbs: list[Any], sources: Mapping[str, str], first: str
) -> HttpResponse:
    """`sources` are the URIs that may be registered, by the path that names each in the form."""
    form = RegisterForm(
        request.POST or None,
        paths=[(path, path or what) for path in sources],
        suggest_url=reverse("suggest_models"),
        initial={"target": RegisterForm.EXISTING, "path": first},
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        is_new = data["target"] == RegisterForm.NEW
        name_field = "new_name" if is_new else "existing"
        try:
            version = register_version(
                request.actor,
                name=data[name_field],
                source=sources[data["path"] or next(iter(sources))],
                is_new_model=is_new,
                description=data["description"],
                tags=data["tags"],
                alias=data["alias"],
                promote_to=Stage(data["promote_to"]) if data["promote_to"] else None,
                reason=data.get("reason", ""),
            )
        except PodiumError as error:
            form.add_error(name_field if error.field == "name" else _FIELDS.get(error.field), error.message)
        else:
            return _registered(request, data[name_field], version.version, data["promote_to"])
    context = {
        "base": "components/dialog.html" if request.htmx else "base.html",
        "crumbs": crumbs,
        "form": form,
        "what": what,
        "sources": list(sources.items()),
        "back": back,
    }
    return render(request, "pages/runs/register.html", context, status=422 if form.errors else 200)


def _registered(request: PageRequest, name: str, version: int, promote_to: str) -> HttpResponse:
    said = {"name": name, "version": version, "stage": promote_to}
    messages.success(
        request,
        _("%(name)s version %(version)d is registered, and its promotion to %(stage)s requested.") % said
        if promote_to
        else _("%(name)s version %(version)d is registered.") % said,
    )
    url = reverse("version", args=[name, version])
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)
