"""Unmodified MLflow clients with every kind of artifact store: a folder, a bucket behind the web server, a bucket that
they reach themselves by signed addresses, and a bucket to which they have keys of their own; the first two of these
with Google's and Azure's too."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.buckets import PREFIX, Bucket, Servers, servers
from tests.client.environments import ENVIRONMENTS, Environment
from tests.client.test_real_clients import HERE, environment, run
from tests.live import Podium, start_podium
from tests.object_store import QUIET, ObjectStore, in_its_own_process

__all__ = ["environment", "servers"]  # fixtures
pytestmark = [pytest.mark.client, pytest.mark.slow, pytest.mark.xdist_group("stores"), *QUIET]

MEGABYTE = 1024 * 1024
LARGE = 300  # megabytes
IN_PARTS = {"MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "true", "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": "100000000"}
# For these flows it makes no difference which client it is, and each costs ten seconds.
THE_NEWEST = pytest.mark.parametrize("environment", [ENVIRONMENTS["mlflow-3"]], ids=["mlflow-3"], indirect=True)
OF_BOTO3 = ("boto3", "botocore", "s3transfer", "jmespath")  # what an MLflow client needs to write to a bucket itself


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with in_its_own_process() as store:
        yield store


@contextmanager
def podium_with_maria(folder: Path, **variables: str) -> Iterator[Podium]:
    with start_podium(folder / "data", **variables) as podium:
        podium.create_user("maria")
        yield podium


@pytest.fixture(scope="module")
def on_a_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podium]:
    with podium_with_maria(tmp_path_factory.mktemp("folder")) as podium:
        yield podium


@pytest.fixture(scope="module")
def behind_the_server(tmp_path_factory: pytest.TempPathFactory, store: ObjectStore) -> Iterator[Podium]:
    """A Podium whose bucket only it can reach."""
    place = {"PODIUM_ARTIFACT_ROOT": f"s3://{store.bucket}/hidden", "PODIUM_DIRECT_TRANSFERS": "false"}
    with podium_with_maria(tmp_path_factory.mktemp("proxy"), **store.environment, **place) as podium:
        yield podium


@pytest.fixture(scope="module")
def with_a_bucket(tmp_path_factory: pytest.TempPathFactory, store: ObjectStore) -> Iterator[Podium]:
    """A Podium whose bucket clients reach too; another prefix of it is theirs."""
    place = {
        "PODIUM_ARTIFACT_ROOT": f"s3://{store.bucket}/direct",
        "PODIUM_ARTIFACT_STORES": f"s3://{store.bucket}/theirs",
    }
    with podium_with_maria(tmp_path_factory.mktemp("direct"), **store.environment, **place) as podium:
        yield podium


@pytest.fixture(params=["gcs", "azure"])
def in_the_cloud(request: pytest.FixtureRequest, servers: Servers) -> Bucket:
    """A bucket that both Podium and its clients reach."""
    return servers.bucket(request.param)


def large_file(store: ObjectStore, prefix: str, experiment: str) -> tuple[int, str]:
    """The size of the large file in the bucket, and how many parts it came in, as its tag tells."""
    (key,) = [key for key in store.names() if key.startswith(f"{prefix}/{experiment}/") and key.endswith("weights.bin")]
    found = store.client.head_object(Bucket=store.bucket, Key=key)
    return found["ContentLength"], found["ETag"].strip('"').partition("-")[2]


def requests_of(environment: Environment, folder: Path, variables: dict[str, str], *arguments: str) -> list[str]:
    """Go through the flow; what the server was asked for the bytes of the large file: method, call and status."""
    lines = run(environment, folder, variables, str(HERE / "stored.py"), *arguments).splitlines()
    return [line.removeprefix("request: ") for line in lines if line.startswith("request: ")]


def experiment_id(podium: Podium, name: str) -> str:
    found = get(podium, "/api/2.0/mlflow/experiments/get-by-name", experiment_name=name).json()
    experiment: str = found["experiment"]["experiment_id"]
    return experiment


def get(podium: Podium, address: str, **query: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {podium.token('maria')}"}
    return requests.get(podium.url + address, params=query, headers=headers, timeout=60)


def test_files_in_a_folder(environment: Environment, on_a_folder: Podium, tmp_path: Path) -> None:
    name = f"folder-{environment.name}"
    # A client that wants to send in parts is told that it cannot, and sends the file as a whole.
    variables = on_a_folder.client_environment("maria") | IN_PARTS
    found = requests_of(environment, tmp_path, variables, name, str(LARGE))
    assert found == ["POST mpu/create 501", "PUT artifacts 200", "GET artifacts 200"]
    (large,) = (on_a_folder.data_dir / "artifacts" / experiment_id(on_a_folder, name)).rglob("weights.bin")
    assert large.stat().st_size == LARGE * MEGABYTE


@THE_NEWEST
def test_files_in_a_bucket_through_the_web_server(
    environment: Environment, behind_the_server: Podium, store: ObjectStore, tmp_path: Path
) -> None:
    name = f"hidden-{environment.name}"
    variables = behind_the_server.client_environment("maria")
    found = requests_of(environment, tmp_path, variables, name, str(LARGE))
    assert found == ["PUT artifacts 200", "GET artifacts 200"]
    parts_of_16_mib = "19"
    assert large_file(store, "hidden", experiment_id(behind_the_server, name)) == (LARGE * MEGABYTE, parts_of_16_mib)


def test_files_in_a_bucket_past_the_web_server(
    environment: Environment, with_a_bucket: Podium, store: ObjectStore, tmp_path: Path
) -> None:
    name = f"direct-{environment.name}"
    variables = with_a_bucket.client_environment("maria") | IN_PARTS
    if environment.name == "mlflow-3":  # asks the server itself whether it should
        del variables["MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"]
    found = requests_of(environment, tmp_path, variables, name, str(LARGE))
    reading = "presigned" if environment.name == "mlflow-3" else "artifacts"  # MLflow 2 has no other way
    assert found == ["POST mpu/create 200", "POST mpu/complete 200", f"GET {reading} 200"]
    parts_of_10_mib = "30"
    assert large_file(store, "direct", experiment_id(with_a_bucket, name)) == (LARGE * MEGABYTE, parts_of_10_mib)


@THE_NEWEST
def test_files_that_clients_wrote_with_keys_of_their_own(
    environment: Environment, with_a_bucket: Podium, store: ObjectStore, tmp_path: Path
) -> None:
    for package in OF_BOTO3:
        (tmp_path / package).symlink_to(Path(importlib.import_module(package).__path__[0]))
    name, place = f"theirs-{environment.name}", f"s3://{store.bucket}/theirs/{environment.name}"
    variables = with_a_bucket.client_environment("maria") | store.environment
    variables |= {"PYTHONPATH": str(tmp_path), "MLFLOW_S3_ENDPOINT_URL": store.url}
    found = requests_of(environment, tmp_path, variables, name, "20", place)
    assert found == []

    runs = requests.post(
        f"{with_a_bucket.url}/api/2.0/mlflow/runs/search",
        json={"experiment_ids": [experiment_id(with_a_bucket, name)]},
        headers={"Authorization": f"Bearer {with_a_bucket.token('maria')}"},
        timeout=60,
    )
    info = runs.json()["runs"][0]["info"]
    assert info["artifact_uri"] == f"{place}/{info['run_id']}/artifacts"
    listed = get(with_a_bucket, "/api/2.0/mlflow/artifacts/list", run_id=info["run_id"], path="large").json()
    assert listed["files"] == [{"path": "large/weights.bin", "is_dir": False, "file_size": 20 * MEGABYTE}]
    folder = get(with_a_bucket, "/api/2.0/mlflow/artifacts/list", run_id=info["run_id"]).json()["files"]
    assert [one["path"] for one in folder] == ["large", "line", "report"]
    text = get(with_a_bucket, "/get-artifact", run_id=info["run_id"], path="report/by region/größe & co.txt")
    assert (text.status_code, text.content.decode()) == (200, "ünï")
    model = get(with_a_bucket, "/model-versions/get-artifact", name=name, version="1", path="MLmodel")
    assert "sklearn_version" in model.text


@THE_NEWEST
@pytest.mark.parametrize("is_direct", [False, True], ids=["through the web server", "past the web server"])
def test_files_in_the_cloud(environment: Environment, in_the_cloud: Bucket, tmp_path: Path, is_direct: bool) -> None:
    name = f"{in_the_cloud.kind}-{is_direct}"
    place = {"PODIUM_ARTIFACT_ROOT": in_the_cloud.root, "PODIUM_DIRECT_TRANSFERS": str(is_direct).lower()}
    with podium_with_maria(tmp_path, **in_the_cloud.environment, **place) as podium:
        variables = podium.client_environment("maria") | {"MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": "15000000"}
        found = requests_of(environment, tmp_path, variables, name, "25")
        if is_direct:
            assert found == ["POST mpu/create 200", "POST mpu/complete 200", "GET presigned 200"]
        else:
            assert found == ["PUT artifacts 200", "GET artifacts 200"]
        beginning = f"{PREFIX}/{experiment_id(podium, name)}/"
        (large,) = [key for key in in_the_cloud.names() if key.endswith("large/weights.bin")]
        assert large.startswith(beginning)
        assert not [key for key in in_the_cloud.names() if not key.startswith(beginning)], "nothing is left under way"
