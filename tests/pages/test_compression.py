"""Pages go over the wire compressed, for whoever takes that; files go as they are."""

import gzip

from django.test import Client

from registry_site.accounts.actors import Actor
from tests.make import make_model, make_run


def test_a_page_is_compressed_for_a_browser_that_takes_it(maria_page: Client, maria_actor: Actor) -> None:
    for number in range(30):
        make_model(maria_actor, f"model-{number}")
    plain = maria_page.get("/models")
    packed = maria_page.get("/models", headers={"accept-encoding": "gzip, br"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert "model-29" in gzip.decompress(packed.content).decode()
    assert len(packed.content) * 4 < len(plain.content)


def test_a_download_goes_as_it_is(maria_page: Client, admin_page: Client, maria_actor: Actor) -> None:
    run = make_run(maria_actor, params={f"param-{number}": "a value" for number in range(100)})
    answer = admin_page.get("/audit.csv", headers={"accept-encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    page = maria_page.get(f"/runs/{run.run_id}", headers={"accept-encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip"
