"""Registered models and versions: search, tags, descriptions, aliases, stages, renaming, deleting, every refusal."""

from flow.common import FOLDER, NAME, Seen, client, pages, refused, step, versions_of


@step
def search_registered_models() -> None:
    for number in range(3):
        client.create_registered_model(f"{NAME}-extra-{number}", tags={"number": str(number)}, description="one more")
    every = f"name LIKE '{NAME}%'"
    names = [NAME, f"{NAME}-extra-0", f"{NAME}-extra-1", f"{NAME}-extra-2"]
    assert [model.name for model in client.search_registered_models(every)] == names
    assert [model.name for model in client.search_registered_models(every, order_by=["name DESC"])] == names[::-1]
    assert [model.name for model in client.search_registered_models(f"{every} AND tags.number = '1'")] == [names[2]]
    assert [model.name for model in client.search_registered_models(f"name ILIKE '{NAME.upper()}-EXTRA%'")] == names[1:]
    paged = pages(client.search_registered_models, filter_string=every, max_results=3)
    assert [[model.name for model in page] for page in paged] == [names[:3], names[3:]]
    newest_first = client.search_registered_models(every, order_by=["last_updated_timestamp DESC"], max_results=2)
    assert [model.name for model in newest_first] == [names[3], names[2]]
    (found,) = client.search_registered_models(f"name = '{NAME}'")
    assert versions_of(found.latest_versions) == [(NAME, 2)]
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_registered_models("name = 'a' OR name = 'b'")
    with refused("INVALID_PARAMETER_VALUE", "1000"):
        client.search_registered_models(max_results=100_000)


@step
def search_model_versions() -> None:
    ours = f"name = '{NAME}'"
    by_run = client.search_model_versions(f"run_id = '{Seen.run_id}' AND {ours}", order_by=["version_number ASC"])
    assert versions_of(by_run) == [(NAME, 1), (NAME, 2)]
    paged = pages(client.search_model_versions, filter_string=ours, order_by=["version_number DESC"], max_results=1)
    assert [versions_of(page) for page in paged] == [[(NAME, 2)], [(NAME, 1)]]
    assert versions_of(client.search_model_versions(f"tags.origin = 'by hand' AND {ours}")) == [(NAME, 2)]
    assert versions_of(client.search_model_versions(f"{ours} AND version_number < 2")) == [(NAME, 1)]
    assert client.search_model_versions("name = 'nobody made this'") == []
    with refused("INVALID_PARAMETER_VALUE", "version_number"):
        client.search_model_versions("version = 1")


@step
def tags() -> None:
    client.set_registered_model_tag(NAME, "team", "cellar")
    client.set_registered_model_tag(NAME, "team", "vineyard")
    client.set_registered_model_tag(NAME, "gone", "soon")
    client.delete_registered_model_tag(NAME, "gone")
    client.delete_registered_model_tag(NAME, "never there")
    assert client.get_registered_model(NAME).tags == {"team": "vineyard"}
    client.set_model_version_tag(NAME, "1", "checked", "yes — twice")
    client.set_model_version_tag(NAME, "1", "gone", "soon")
    client.delete_model_version_tag(NAME, "1", "gone")
    client.delete_model_version_tag(NAME, "1", "never there")
    assert client.get_model_version(NAME, "1").tags["checked"] == "yes — twice"
    assert "gone" not in client.get_model_version(NAME, "1").tags


@step
def descriptions() -> None:
    client.update_registered_model(NAME, description="# Wine\nWhich *cultivar* it is.")
    client.update_model_version(NAME, "1", description="alpha is a half")
    assert client.get_registered_model(NAME).description == "# Wine\nWhich *cultivar* it is."
    assert client.get_model_version(NAME, "1").description == "alpha is a half"


@step
def aliases() -> None:
    client.set_registered_model_alias(NAME, "champion", "2")
    client.set_registered_model_alias(NAME, "champion", "1")
    client.set_registered_model_alias(NAME, "challenger", "2")
    client.set_registered_model_alias(NAME, "passing", "2")
    client.delete_registered_model_alias(NAME, "passing")
    client.delete_registered_model_alias(NAME, "never-there")
    assert int(client.get_model_version_by_alias(NAME, "champion").version) == 1
    assert int(client.get_model_version_by_alias(NAME, "latest").version) == 2
    assert client.get_model_version(NAME, "1").aliases == ["champion"]
    assert client.get_registered_model(NAME).aliases in (  # mlflow 2 gives text, mlflow 3 numbers
        {"champion": "1", "challenger": "2"},
        {"champion": 1, "challenger": 2},
    )
    with refused("INVALID_PARAMETER_VALUE", "passing"):
        client.get_model_version_by_alias(NAME, "passing")
    with refused("INVALID_PARAMETER_VALUE", "reserved"):
        client.set_registered_model_alias(NAME, "latest", "1")
    with refused("RESOURCE_DOES_NOT_EXIST", "version=99"):
        client.set_registered_model_alias(NAME, "champion", "99")
    assert int(client.get_model_version_by_alias(NAME, "champion").version) == 1


@step
def stages() -> None:
    assert client.transition_model_version_stage(NAME, "1", "staging").current_stage == "Staging"
    assert client.transition_model_version_stage(NAME, "2", "Production").current_stage == "Production"
    assert versions_of(client.get_latest_versions(NAME, ["Production"])) == [(NAME, 2)]
    assert sorted(versions_of(client.get_latest_versions(NAME))) == [(NAME, 1), (NAME, 2)]
    assert client.get_latest_versions(NAME, ["Archived"]) == []
    with refused("RESOURCE_CONFLICT", "version 2"):
        client.transition_model_version_stage(NAME, "1", "Production")
    assert client.get_model_version(NAME, "1").current_stage == "Staging"
    moved = client.transition_model_version_stage(NAME, "1", "Production", archive_existing_versions=True)
    assert moved.current_stage == "Production"
    assert client.get_model_version(NAME, "2").current_stage == "Archived"
    latest = client.get_latest_versions(NAME, ["Production", "Archived"])
    assert sorted(versions_of(latest)) == [(NAME, 1), (NAME, 2)]
    with refused("INVALID_PARAMETER_VALUE", "None, Staging, Production, Archived"):
        client.transition_model_version_stage(NAME, "1", "Retired")
    with refused("INVALID_PARAMETER_VALUE", "None, Staging, Production, Archived"):
        client.get_latest_versions(NAME, ["Retired"])


@step
def rename_and_delete() -> None:
    old, new = f"{NAME}-extra-0", f"{NAME}-renamed"
    for _ in range(2):
        client.create_model_version(old, f"runs:/{Seen.run_id}/{FOLDER}", Seen.run_id, tags={"kept": "yes"})
    client.set_registered_model_alias(old, "champion", "2")
    client.set_registered_model_alias(old, "challenger", "1")
    client.rename_registered_model(old, new)
    assert client.get_registered_model(new).tags == {"number": "0"}
    assert versions_of([client.get_model_version_by_alias(new, "champion")]) == [(new, 2)]
    assert client.get_model_version(new, "1").tags == {"kept": "yes"}
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_registered_model(old)
    with refused("RESOURCE_ALREADY_EXISTS", NAME):
        client.rename_registered_model(new, NAME)

    client.delete_model_version(new, "2")
    assert versions_of(client.search_model_versions(f"name = '{new}'")) == [(new, 1)]
    third = client.create_model_version(new, f"runs:/{Seen.run_id}/{FOLDER}", Seen.run_id)
    assert int(third.version) == 3, "numbers are never given twice"
    with refused("INVALID_PARAMETER_VALUE", "champion"):
        client.get_model_version_by_alias(new, "champion")

    for name in (new, f"{NAME}-extra-1", f"{NAME}-extra-2"):
        client.delete_registered_model(name)
    assert client.search_model_versions(f"name = '{new}'") == []
    client.create_registered_model(new)
    again = client.create_model_version(new, f"runs:/{Seen.run_id}/{FOLDER}", Seen.run_id)
    assert int(again.version) == 1
    client.delete_registered_model(new)


@step
def mistakes_are_told_apart() -> None:
    missing = "nobody made this"
    for ask in (
        lambda: client.get_registered_model(missing),
        lambda: client.update_registered_model(missing, "described"),
        lambda: client.rename_registered_model(missing, "something else"),
        lambda: client.delete_registered_model(missing),
        lambda: client.set_registered_model_tag(missing, "team", "cellar"),
        lambda: client.get_latest_versions(missing),
        lambda: client.get_model_version(missing, "1"),
        lambda: client.create_model_version(missing, f"runs:/{Seen.run_id}/{FOLDER}", Seen.run_id),
    ):
        with refused("RESOURCE_DOES_NOT_EXIST", missing):
            ask()
    for ask in (
        lambda: client.get_model_version(NAME, "99"),
        lambda: client.update_model_version(NAME, "99", "described"),
        lambda: client.delete_model_version(NAME, "99"),
        lambda: client.set_model_version_tag(NAME, "99", "team", "cellar"),
        lambda: client.transition_model_version_stage(NAME, "99", "Staging"),
        lambda: client.get_model_version_download_uri(NAME, "99"),
    ):
        with refused("RESOURCE_DOES_NOT_EXIST", "99"):
            ask()
    with refused("RESOURCE_ALREADY_EXISTS", NAME):
        client.create_registered_model(NAME)
    with refused("INVALID_PARAMETER_VALUE", "a/b"):
        client.create_registered_model("a/b")
    for source in ("file:///etc/passwd", "/etc/passwd", "mlflow-artifacts:/0/../../secret", "https://evil.example/x"):
        with refused("INVALID_PARAMETER_VALUE", "Invalid model version source"):
            client.create_model_version(NAME, source)
    with refused("INVALID_PARAMETER_VALUE", "Invalid model version source"):
        client.create_model_version(NAME, f"runs:/{Seen.run_id}/{FOLDER}", "0" * 32)
