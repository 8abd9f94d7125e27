"""Messages about registered models."""

from registry_site.mlflow_api.structs.base import Arguments, Int64, Message, Tag, TagArgument
from registry_site.mlflow_api.structs.model_versions import ModelVersion


class Alias(Message):
    """An alias and the number of its version, as text."""

    alias: str
    version: str


class RegisteredModel(Message):
    """A registered model; times are in milliseconds since the epoch."""

    name: str
    creation_timestamp: int
    last_updated_timestamp: int
    description: str = ""
    latest_versions: list[ModelVersion] = []
    tags: list[Tag] = []
    aliases: list[Alias] = []


class RegisteredModelAnswer(Message):
    """One registered model."""

    registered_model: RegisteredModel


class RegisteredModelsAnswer(Message):
    """A page of registered models."""

    registered_models: list[RegisteredModel] = []
    next_page_token: str = ""


class NameArguments(Arguments):
    """Which registered model."""

    name: str


class CreateRegisteredModelArguments(Arguments):
    """A new registered model; of a tag that comes twice the last value counts."""

    name: str
    description: str = ""
    tags: list[TagArgument] = []


class UpdateRegisteredModelArguments(Arguments):
    """A description; none clears it."""

    name: str
    description: str = ""


class RenameRegisteredModelArguments(Arguments):
    """The name as it is, and as it shall be."""

    name: str
    new_name: str


class SearchArguments(Arguments):
    """A filter, an order, and which page."""

    filter: str = ""
    order_by: list[str] = []
    page_token: str = ""


class SearchRegisteredModelsArguments(SearchArguments):
    """A search of registered models, at most 1000 a page."""

    max_results: Int64 = 100


class ListRegisteredModelsArguments(Arguments):
    """Which page of all registered models."""

    max_results: Int64 = 100
    page_token: str = ""


class LatestVersionsArguments(Arguments):
    """A registered model, and of which stages; of all when none is named."""

    name: str
    stages: list[str] = []


class SetRegisteredModelTagArguments(Arguments):
    """A tag of a registered model."""

    name: str
    key: str
    value: str = ""


class DeleteRegisteredModelTagArguments(Arguments):
    """Which tag of a registered model."""

    name: str
    key: str


class AliasArguments(Arguments):
    """Which alias of a registered model."""

    name: str
    alias: str


class SetAliasArguments(Arguments):
    """An alias, and the version that it shall point at."""

    name: str
    alias: str
    version: str | int
