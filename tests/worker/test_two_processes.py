"""Passwords and sessions where two web processes share the work: what ends in one has ended in the other."""

from collections.abc import Iterator

import pytest
import requests

from tests.live import Podium, start_podium

pytestmark = [pytest.mark.xdist_group("two processes")]

OLD, NEW = "correct horse battery staple", "a goat ate my umbrella"
ROUNDS = 40  # each on a connection of its own, so that both processes are asked


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podium]:
    with start_podium(tmp_path_factory.mktemp("two") / "data", "--workers", "2") as running:
        running.create_user("ada", is_admin=True)
        yield running


def statuses(site: Podium, username: str, password: str, rounds: int = ROUNDS) -> set[int]:
    address = f"{site.url}/api/2.0/mlflow/users/current"
    return {requests.get(address, auth=(username, password), timeout=30).status_code for _ in range(rounds)}


def as_ada(site: Podium) -> dict[str, str]:
    return {"Authorization": f"Bearer {site.token('ada')}"}


def test_a_changed_password_is_refused_by_both_at_the_next_request(site: Podium) -> None:
    site.create_user("maria", password=OLD)
    assert statuses(site, "maria", OLD) == {200}, "both remember it now"
    change = {"username": "maria", "password": NEW, "current_password": OLD}
    address = f"{site.url}/api/2.0/mlflow/users/update-password"
    assert requests.patch(address, json=change, auth=("maria", OLD), timeout=30).status_code == 200
    assert statuses(site, "maria", NEW) == {200}
    assert statuses(site, "maria", OLD, rounds=4) == {401}


def test_who_is_shut_out_is_so_for_both_at_the_next_request(site: Podium) -> None:
    site.create_user("jon", password=OLD)
    assert statuses(site, "jon", OLD) == {200}
    removed = requests.delete(
        f"{site.url}/api/2.0/mlflow/users/delete", params={"username": "jon"}, headers=as_ada(site), timeout=30
    )
    assert removed.status_code == 200
    assert statuses(site, "jon", OLD, rounds=4) == {401}
