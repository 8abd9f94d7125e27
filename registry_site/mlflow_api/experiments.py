"""Endpoints of experiments."""

from registry_site.accounts.actors import Actor
from registry_site.mlflow_api import shapes_tracking as shapes
from registry_site.mlflow_api.endpoint import Endpoint
from registry_site.mlflow_api.structs import experiments as structs
from registry_site.tracking import queries, services


class CreateExperiment(Endpoint[structs.CreateExperimentArguments]):
    """A new experiment."""

    path = "experiments/create"
    methods = ("POST",)
    request_type = structs.CreateExperimentArguments

    def call(self, actor: Actor, request: structs.CreateExperimentArguments) -> structs.ExperimentIdAnswer:
        experiment = services.create_experiment(
            actor,
            name=request.name,
            artifact_location=request.artifact_location,
            tags=shapes.by_key(request.tags),
        )
        return structs.ExperimentIdAnswer(experiment_id=str(experiment.pk))


class GetExperiment(Endpoint[structs.ExperimentIdArguments]):
    """An experiment, deleted or not."""

    path = "experiments/get"
    methods = ("GET",)
    request_type = structs.ExperimentIdArguments

    def call(self, actor: Actor, request: structs.ExperimentIdArguments) -> structs.ExperimentAnswer:
        found = queries.get_experiment(actor, request.experiment_id)
        return structs.ExperimentAnswer(experiment=shapes.experiment(found))


class GetExperimentByName(Endpoint[structs.ExperimentNameArguments]):
    """An experiment, deleted or not, by its name."""

    path = "experiments/get-by-name"
    methods = ("GET",)
    request_type = structs.ExperimentNameArguments

    def call(self, actor: Actor, request: structs.ExperimentNameArguments) -> structs.ExperimentAnswer:
        found = queries.get_experiment_by_name(actor, request.experiment_name)
        return structs.ExperimentAnswer(experiment=shapes.experiment(found))


class SearchExperiments(Endpoint[structs.SearchExperimentsArguments]):
    """A page of the experiments that meet a filter."""

    path = "experiments/search"
    methods = ("GET", "POST")
    reads = True
    request_type = structs.SearchExperimentsArguments

    def call(self, actor: Actor, request: structs.SearchExperimentsArguments) -> structs.ExperimentsAnswer:
        page = queries.search_experiments(
            actor,
            filter=request.filter,
            order_by=request.order_by,
            view_type=shapes.view_type(request.view_type),
            max_results=request.max_results,
            page_token=request.page_token,
        )
        return structs.ExperimentsAnswer(
            experiments=[shapes.experiment(row) for row in page.rows], next_page_token=page.next_page_token
        )


class UpdateExperiment(Endpoint[structs.UpdateExperimentArguments]):
    """Gives an experiment another name."""

    path = "experiments/update"
    methods = ("POST",)
    request_type = structs.UpdateExperimentArguments

    def call(self, actor: Actor, request: structs.UpdateExperimentArguments) -> None:
        services.rename_experiment(actor, experiment_id=request.experiment_id, new_name=request.new_name)


class DeleteExperiment(Endpoint[structs.ExperimentIdArguments]):
    """Marks an experiment and its runs as deleted."""

    path = "experiments/delete"
    methods = ("POST",)
    request_type = structs.ExperimentIdArguments

    def call(self, actor: Actor, request: structs.ExperimentIdArguments) -> None:
        services.delete_experiment(actor, experiment_id=request.experiment_id)


class RestoreExperiment(Endpoint[structs.ExperimentIdArguments]):
    """Makes a deleted experiment and its runs active again."""

    path = "experiments/restore"
    methods = ("POST",)
    request_type = structs.ExperimentIdArguments

    def call(self, actor: Actor, request: structs.ExperimentIdArguments) -> None:
        services.restore_experiment(actor, experiment_id=request.experiment_id)


class SetExperimentTag(Endpoint[structs.SetExperimentTagArguments]):
    """Sets or replaces a tag."""

    path = "experiments/set-experiment-tag"
    methods = ("POST",)
    request_type = structs.SetExperimentTagArguments

    def call(self, actor: Actor, request: structs.SetExperimentTagArguments) -> None:
        services.set_experiment_tag(actor, experiment_id=request.experiment_id, key=request.key, value=request.value)


class DeleteExperimentTag(Endpoint[structs.DeleteExperimentTagArguments]):
    """Removes a tag."""

    path = "experiments/delete-experiment-tag"
    methods = ("POST",)
    request_type = structs.DeleteExperimentTagArguments

    def call(self, actor: Actor, request: structs.DeleteExperimentTagArguments) -> None:
        services.delete_experiment_tag(actor, experiment_id=request.experiment_id, key=request.key)


class SearchDatasets(Endpoint[structs.SearchDatasetsArguments]):
    """The datasets that runs of some experiments read."""

    path = "experiments/search-datasets"
    methods = ("POST",)
    reads = True
    request_type = structs.SearchDatasetsArguments

    def call(self, actor: Actor, request: structs.SearchDatasetsArguments) -> structs.DatasetSummariesAnswer:
        found = queries.search_datasets(actor, experiment_ids=request.experiment_ids)
        return structs.DatasetSummariesAnswer(
            dataset_summaries=[
                structs.DatasetSummary(
                    experiment_id=str(one.experiment_id), name=one.name, digest=one.digest, context=one.context
                )
                for one in found
            ]
        )


ENDPOINTS = (
    CreateExperiment,
    GetExperiment,
    GetExperimentByName,
    SearchExperiments,
    UpdateExperiment,
    DeleteExperiment,
    RestoreExperiment,
    SetExperimentTag,
    DeleteExperimentTag,
    SearchDatasets,
)
