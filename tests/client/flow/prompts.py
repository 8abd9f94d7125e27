"""Prompts, which live beside the models and stay out of their lists."""

import mlflow
from flow.common import MAJOR, NAME, Seen, client, refused, step, step_of_mlflow_3, versions_of

PROMPT = f"label-{MAJOR}"
ANSWER_SHAPE = {"type": "object", "properties": {"label": {"type": "string"}}}
door = mlflow.genai if MAJOR >= 3 else mlflow


@step
def register_and_load_prompts() -> None:
    first = door.register_prompt(
        name=PROMPT, template="Describe {{ wine }}.", commit_message="a beginning", tags={"team": "cellar"}
    )
    assert (first.name, int(first.version)) == (PROMPT, 1)
    door.register_prompt(name=PROMPT, template="Describe {{ wine }} to {{ guest }}.", commit_message="for somebody")
    loaded = door.load_prompt(f"prompts:/{PROMPT}/1")
    assert (loaded.template, loaded.commit_message) == ("Describe {{ wine }}.", "a beginning")
    assert loaded.format(wine="a Barolo") == "Describe a Barolo."
    latest = door.load_prompt(f"prompts:/{PROMPT}@latest" if MAJOR >= 3 else PROMPT)
    assert int(latest.version) == 2
    assert latest.variables == {"wine", "guest"}
    with refused("INVALID_PARAMETER_VALUE", NAME):
        door.register_prompt(name=NAME, template="a model has this name")
    with refused("RESOURCE_ALREADY_EXISTS", PROMPT):
        client.create_registered_model(PROMPT)


@step
def point_aliases_at_prompts() -> None:
    door.set_prompt_alias(PROMPT, alias="spoken", version=2)
    assert int(door.load_prompt(f"prompts:/{PROMPT}@spoken").version) == 2
    door.set_prompt_alias(PROMPT, alias="written", version=1)
    assert int(door.load_prompt(f"prompts:/{PROMPT}@written").version) == 1
    door.delete_prompt_alias(PROMPT, alias="written")
    with refused("RESOURCE_DOES_NOT_EXIST" if MAJOR == 2 else "INVALID_PARAMETER_VALUE"):
        client.load_prompt(f"prompts:/{PROMPT}@written", **({"cache_ttl_seconds": 0} if MAJOR >= 3 else {}))


@step
def prompts_stay_out_of_the_models() -> None:
    everything = [model.name for model in client.search_registered_models(max_results=1000)]
    assert NAME in everything
    assert PROMPT not in everything
    assert PROMPT not in [version.name for version in client.search_model_versions(max_results=1000)]
    asked = "tags.`mlflow.prompt.is_prompt` = 'true'"
    assert PROMPT in [version.name for version in client.search_model_versions(asked)]
    versions = client.search_model_versions(f"{asked} AND name = '{PROMPT}'", order_by=["version_number ASC"])
    assert versions_of(versions) == [(PROMPT, 1), (PROMPT, 2)]


@step
def link_a_prompt_to_a_run() -> None:
    place = f"prompts:/{PROMPT}/2"
    if MAJOR >= 3:
        client.link_prompt_version_to_run(Seen.run_id, place)
        assert f'"{PROMPT}"' in client.get_run(Seen.run_id).data.tags["mlflow.linkedPrompts"]
    else:
        client.log_prompt(Seen.run_id, place)
        assert versions_of(client.list_logged_prompts(Seen.run_id)) == [(PROMPT, 2)]
        client.detach_prompt_from_run(Seen.run_id, place)
        assert client.list_logged_prompts(Seen.run_id) == []


@step_of_mlflow_3
def search_tag_and_shape_prompts() -> None:
    chat = [{"role": "system", "content": "You pour {{ wine }}."}, {"role": "user", "content": "{{ question }}"}]
    door.register_prompt(name="sommelier", template=chat, response_format=ANSWER_SHAPE, tags={"team": "bar"})
    loaded = door.load_prompt("sommelier", version=1)
    assert (loaded.template, loaded.response_format) == (chat, ANSWER_SHAPE)
    names = [prompt.name for prompt in door.search_prompts()]
    assert {PROMPT, "sommelier"} <= set(names)
    assert NAME not in names
    assert [prompt.name for prompt in door.search_prompts(filter_string="name LIKE 'somm%'")] == ["sommelier"]
    assert [prompt.name for prompt in door.search_prompts(filter_string="tags.team = 'cellar'")] == [PROMPT]
    door.set_prompt_tag(PROMPT, "reviewed", "yes")
    assert door.get_prompt_tags(PROMPT)["reviewed"] == "yes"
    door.delete_prompt_tag(PROMPT, "reviewed")
    assert "reviewed" not in door.get_prompt_tags(PROMPT)
    door.set_prompt_version_tag(PROMPT, 1, "tone", "dry")
    assert client.get_prompt_version(PROMPT, 1).tags["tone"] == "dry"
    assert door.load_prompt("nobody made this", version=1, allow_missing=True) is None


@step
def delete_prompts() -> None:
    if MAJOR >= 3:
        for version in ("1", "2"):
            client.delete_prompt_version(PROMPT, version)
        client.delete_prompt(PROMPT)
    else:
        for version in (1, 2):
            mlflow.delete_prompt(PROMPT, version)
    assert client.search_model_versions(f"tags.`mlflow.prompt.is_prompt` = 'true' AND name = '{PROMPT}'") == []
    with refused("RESOURCE_DOES_NOT_EXIST", PROMPT):
        client.get_registered_model(PROMPT)
