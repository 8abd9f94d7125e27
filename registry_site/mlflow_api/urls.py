"""Every address of this door. Mount it at the root of the site, behind whatever else lives under `/api`: it ends with
a JSON 404 for all of `/api` and `/ajax-api`."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import chain
from types import ModuleType
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.csrf import csrf_exempt

from registry_site.mlflow_api import (
    activities,
    artifacts,
    experiments,
    logged_models,
    metrics,
    model_versions,
    permissions,
    registered_models,
    runs,
    system,
    users,
    webhooks,
)
from registry_site.mlflow_api.databricks import comments, transition_requests
from registry_site.mlflow_api.databricks import model_files as databricks_model_files
from registry_site.mlflow_api.databricks import permissions as databricks_permissions
from registry_site.mlflow_api.databricks import registered_models as databricks_registered_models
from registry_site.mlflow_api.databricks import webhooks as databricks_webhooks
from registry_site.mlflow_api.endpoint import MLFLOW_3, View
from registry_site.mlflow_api.errors import endpoint_not_found, method_not_allowed

MODULES: tuple[ModuleType, ...] = (
    registered_models,
    model_versions,
    activities,
    users,
    experiments,
    runs,
    metrics,
    logged_models,
    artifacts,
    webhooks,
    permissions,
    databricks_permissions,
    databricks_registered_models,
    databricks_model_files,
    databricks_webhooks,
    transition_requests,
    comments,
)

Answer = Callable[..., HttpResponseBase]


def by_method(views: Mapping[str, Answer]) -> Answer:
    """One view out of one for each method; HEAD is a GET, and every other method gets a JSON 405."""

    @csrf_exempt  # no view here looks at a cookie
    def choose(request: HttpRequest, **parts: Any) -> HttpResponseBase:
        method = "GET" if request.method == "HEAD" else request.method or ""
        view = views.get(method)
        return view(request, **parts) if view else method_not_allowed(request, sorted(views))

    return choose


def _table(modules: tuple[ModuleType, ...]) -> dict[str, dict[str, Answer]]:
    """The view of every path of the endpoints in these modules, under each of their roots."""
    table: dict[str, dict[str, dict[str, Answer]]] = defaultdict(lambda: defaultdict(dict))
    endpoints: chain[type[View]] = chain.from_iterable(module.ENDPOINTS for module in modules)
    for endpoint in endpoints:
        view = endpoint()
        for root in endpoint.roots:
            table[root][endpoint.path] |= dict.fromkeys(endpoint.methods, view)
    return {root: {route: by_method(views) for route, views in routes.items()} for root, routes in table.items()}


_NAMES = {endpoint.path: endpoint.name for module in MODULES for endpoint in module.ENDPOINTS if endpoint.name}


def addresses_without_parts() -> dict[str, Answer]:
    """The views of all endpoints whose address is always the same, by that address."""
    return {
        f"/{root}{route}": view
        for root, routes in _table(MODULES).items()
        for route, view in routes.items()
        if "<" not in route
    }


urlpatterns: list[URLPattern | URLResolver] = [
    path("health", by_method({"GET": system.health})),
    path("version", by_method({"GET": system.version})),
    path(".well-known/databricks-config", by_method({"GET": system.databricks_config})),
    *(path(f"{root}server-info", by_method({"GET": system.server_info})) for root in MLFLOW_3),
    *(
        path(root, include([path(route, view, name=_NAMES.get(route)) for route, view in routes.items()]))
        for root, routes in _table(MODULES).items()
    ),
    re_path(r"^(?:ajax-)?api(?:/.*)?\Z", csrf_exempt(endpoint_not_found)),
]
