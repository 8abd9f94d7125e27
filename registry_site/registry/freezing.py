"""Files of registered versions do not change: what people approved is what is loaded.

`tracking.artifact_files` asks here before every write and delete, whichever door it comes through.
"""

from registry_site.accounts.actors import Actor
from registry_site.core.errors import Conflict
from registry_site.registry.access import visible
from registry_site.registry.models import Manifest, ModelVersion
from registry_site.registry.places import keys_above, place_of_path


def refuse_frozen(actor: Actor, path: str, *, deletes: bool = False) -> None:
    """Raises Conflict for a path in the files of a version, and, of a delete, for one with such files in it."""
    place = place_of_path(path)
    frozen = Manifest.objects.filter(model_version__isnull=False)
    versions = list(frozen.filter(place_key__in=keys_above(place)).values_list("model_version", flat=True)[:1])
    if deletes and not versions:
        below = frozen.filter(place__startswith=f"{place}/").values_list("model_version", "place")
        # Databases differ in whether a prefix knows capitals, so Python has the last word.
        versions = [version for version, its_place in below if its_place.startswith(f"{place}/")]
    if versions:
        raise Conflict(_refusal(actor, path, versions[0]))


def _refusal(actor: Actor, path: str, key: int) -> str:
    shown = ModelVersion.objects.filter(visible(actor, "registered_model_id"), pk=key)
    version = shown.select_related("registered_model").first()
    named = str(version) if version else "a registered model's version"
    return (
        f"{path} cannot change: it belongs to {named}, whose files are frozen. "
        "Log the model again and register that as a new version, or delete the version first."
    )
