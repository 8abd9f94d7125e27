"""What somebody pastes into the search, and the one thing that it names."""

import pytest

from registry_site.pages.references import Reference, Thing, read_reference

RUN = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("churn/3", Reference(Thing.VERSION, "churn", "3")),
        (" churn/v3 ", Reference(Thing.VERSION, "churn", "3")),
        ("models:/churn/3", Reference(Thing.VERSION, "churn", "3")),
        ("models:/credit risk/12", Reference(Thing.VERSION, "credit risk", "12")),
        ("models:/churn@champion", Reference(Thing.ALIAS, "churn", "champion")),
        ("churn@champion", Reference(Thing.ALIAS, "churn", "champion")),
        ("models:/churn/Production", Reference(Thing.STAGE, "churn", "Production")),
        ("churn/staging", Reference(Thing.STAGE, "churn", "Staging")),
        ("models:/churn/latest", Reference(Thing.ALIAS, "churn", "latest")),
        ("models:/churn", Reference(Thing.MODEL, "churn")),
        ("#12", Reference(Thing.REQUEST, "", "12")),
        ("churn#12", Reference(Thing.REQUEST, "churn", "12")),
        (RUN, Reference(Thing.RUN, key=RUN)),
        (RUN.upper(), Reference(Thing.RUN, key=RUN)),
        (f"runs:/{RUN}/model/MLmodel", Reference(Thing.RUN, key=RUN, path="model/MLmodel")),
        (f"m-{RUN}", Reference(Thing.LOGGED_MODEL, key=f"m-{RUN}")),
        (f"models:/m-{RUN}", Reference(Thing.LOGGED_MODEL, key=f"m-{RUN}")),
    ],
)
def test_an_exact_name_is_read_as_clients_write_it(text: str, reference: Reference) -> None:
    assert read_reference(text) == reference


@pytest.mark.parametrize(
    "text",
    [
        "",
        "churn",
        "churn 3",
        "12",
        "a/b/c",
        "churn/best",
        "models:/",
        "models:/a:b/3",
        "#",
        "churn#",
        "tag.team:risk",
        RUN[:31],
        "churn/" + "9" * 19,
        "#" + "9" * 30,
        "stage:production",
        "name = 'x'",
        "@champion",
    ],
)
def test_what_names_nothing_exactly_is_searched_for(text: str) -> None:
    assert read_reference(text) is None
