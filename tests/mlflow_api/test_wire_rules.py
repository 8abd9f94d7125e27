"""What every JSON endpoint of this door accepts and refuses, whoever sends it."""

import base64
import json
from io import BytesIO
from typing import Any

import pytest
from django.db import DataError, IntegrityError, OperationalError
from django.http import HttpResponse
from django.test import Client

from registry_site.accounts.models import User
from registry_site.core import errors
from registry_site.mlflow_api.decoding import convert
from registry_site.mlflow_api.endpoint import json_response
from registry_site.mlflow_api.errors import error_response
from registry_site.mlflow_api.structs.base import Arguments, Int64, Message, number
from tests.doors import Api
from tests.make import PASSWORD, make_token
from tests.mlflow_api.flows import error_of, make_model, make_version, model_of, version_of

CREATE = "registered-models/create"
MALFORMED = (400, "INVALID_PARAMETER_VALUE", "The body of the request is malformed JSON.")


# -- bodies that are accepted ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "body",
    [
        '{"name": "churn"}',
        ' \n{"name": "churn"}\n',
        '{"name": "churn", "colour": "red", "more": {"deep": [1, null]}}',
        '{"name": "churn", "description": null, "tags": null}',
        '{"name": "ch\\u0075rn"}',
        '{"name": "churn", "unknown": NaN}',
        '{"name": "churn", "unknown": 123456789012345678901234567890}',
        json.dumps('{"name": "churn"}'),
    ],
    ids=["plain", "blanks", "unknown fields", "nulls", "escapes", "bare NaN", "long number", "encoded twice"],
)
def test_a_body_is_read_with_kindness(api: Api, body: str) -> None:
    assert api.raw("POST", CREATE, body).json()["registered_model"]["name"] == "churn"


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"]
)
def test_json_may_come_with_parameters_in_its_content_type(api: Api, content_type: str) -> None:
    assert api.raw("POST", CREATE, '{"name": "churn"}', content_type).status_code == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_post_that_is_not_declared_as_json_is_refused(api: Api, content_type: str) -> None:
    status, code, message = error_of(api.raw("POST", CREATE, '{"name": "churn"}', content_type))
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert message.startswith("The Content-Type of a POST must be 'application/json'")


def test_the_content_type_of_patch_and_delete_does_not_matter(api: Api) -> None:
    make_model(api, "churn")
    body = '{"name": "churn", "description": "d"}'
    assert api.raw("PATCH", "registered-models/update", body, "text/plain").status_code == 200
    assert api.raw("DELETE", "registered-models/delete", body, "text/plain").status_code == 200


def test_names_may_be_in_camel_case(api: Api) -> None:
    make_model(api, "churn")
    answer = api.post("registered-models/rename", {"name": "churn", "newName": "leavers"})
    assert answer.json()["registered_model"]["name"] == "leavers"
    assert list(answer.json()["registered_model"]) == ["name", "creation_timestamp", "last_updated_timestamp"]
    found = api.get("registered-models/search?maxResults=5&orderBy=name%20DESC").json()
    assert len(found["registered_models"]) == 1


@pytest.mark.parametrize("query", [False, True])
def test_both_spellings_of_one_name_at_once_are_refused(api: Api, query: bool) -> None:
    if query:
        answer = api.get("registered-models/search?max_results=5&maxResults=5")
    else:
        answer = api.post("registered-models/rename", {"name": "churn", "new_name": "a", "newName": "b"})
    status, code, message = error_of(answer)
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert message.endswith("is given twice, in two spellings; send one of them.")


# -- where arguments come from -----------------------------------------------------------------------------------------
def test_get_reads_the_query_and_a_repeated_key_is_a_list(api: Api) -> None:
    make_model(api, "churn")
    make_version(api, "churn")
    query = "registered-models/get-latest-versions?name=churn&stages=None&stages=Staging"
    assert len(api.get(query).json()["model_versions"]) == 1


def test_get_without_a_query_reads_a_json_body(api: Api) -> None:
    make_model(api, "churn")
    found = api.raw("GET", "registered-models/get", '{"name": "churn"}').json()
    assert found["registered_model"]["name"] == "churn"


def test_get_with_a_query_does_not_look_at_the_body(api: Api) -> None:
    make_model(api, "churn")
    assert api.raw("GET", "registered-models/get?name=churn", '{"name": ').status_code == 200


def test_delete_takes_arguments_from_the_query_the_body_or_both(api: Api) -> None:
    make_model(api, "churn", tags=[{"key": key, "value": ""} for key in "abc"])
    assert api.delete("registered-models/delete-tag", {"name": "churn", "key": "a"}).status_code == 200
    assert api.delete("registered-models/delete-tag?name=churn&key=b").status_code == 200
    assert api.delete("registered-models/delete-tag?name=churn", {"key": "c"}).status_code == 200
    assert "tags" not in model_of(api, "churn")


def test_a_body_may_come_in_chunks_and_has_the_same_limit(api: Api, maria: User, settings: Any) -> None:
    def send(body: bytes) -> HttpResponse:
        chunked = {
            "CONTENT_TYPE": "application/json",
            "HTTP_TRANSFER_ENCODING": "chunked",
            "wsgi.input": BytesIO(body),
            "wsgi.input_terminated": True,
        }
        headers = {"Authorization": f"Bearer {make_token(maria)}"}
        return Client().generic("POST", f"/api/2.0/mlflow/{CREATE}", headers=headers, **chunked)

    assert send(b'{"name": "churn"}').json()["registered_model"]["name"] == "churn"
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert error_of(send(b'{"name": "' + b"x" * 2000 + b'"}'))[0] == 413


def test_post_does_not_look_at_the_query(api: Api) -> None:
    answer = api.post("registered-models/create?name=churn", {})
    assert error_of(answer)[2].startswith("Missing value for required parameter 'name'.")


def test_head_is_answered_as_get_without_a_body(api: Api) -> None:
    make_model(api, "churn")
    answer = api.raw("HEAD", "registered-models/get?name=churn", "")
    assert (answer.status_code, answer.content) == (200, b"")


# -- bodies that are refused -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'name': 'churn'}",
        b'{"name": "churn"} trailing',
        b'{"name": "churn",}',
        b'{"name": "chu\x00rn"}',
        b'{"name": "chu\nrn"}',
        b'{"name": "\xff\xfe"}',
        b'{"name": "\\ud8zz"}',
        b"name=churn",
        b'"not json inside"',
        b'{"number": ' + b"9" * 5000 + b"}",
    ],
)
def test_malformed_json_is_a_400(api: Api, body: bytes) -> None:
    assert error_of(api.raw("POST", CREATE, body)) == MALFORMED


@pytest.mark.parametrize("body", ["[]", "5", "true", '[{"name": "churn"}]', '"[1]"', '"\\"twice\\""'])
def test_a_body_that_is_no_object_is_a_400(api: Api, body: str) -> None:
    answer = api.raw("POST", CREATE, body)
    assert error_of(answer) == (400, "INVALID_PARAMETER_VALUE", "The body of the request must be a JSON object.")


@pytest.mark.parametrize("body", ["", "{}", "null", '{"name": null}', '{"name": ""}', '{"description": "x"}'])
def test_a_required_field_that_is_absent_null_or_empty_is_named(api: Api, body: str) -> None:
    status, code, message = error_of(api.raw("POST", CREATE, body))
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert message.startswith("Missing value for required parameter 'name'.")


@pytest.mark.parametrize("query", ["", "?", "?name=", "?other=1"])
def test_a_required_field_that_is_not_in_the_query_is_named(api: Api, query: str) -> None:
    message = error_of(api.get(f"registered-models/get{query}"))[2]
    assert message.startswith("Missing value for required parameter 'name'.")


def test_a_required_field_of_a_part_is_named_with_its_place(api: Api) -> None:
    answer = api.post(CREATE, {"name": "churn", "tags": [{"key": "a", "value": "b"}, {"value": "c"}]})
    assert error_of(answer)[2].startswith("Missing value for required parameter 'tags[1].key'.")


@pytest.mark.parametrize(
    ("body", "start"),
    [
        ({"name": 5}, "Invalid value 5 for parameter 'name' supplied: it must be a string."),
        ({"name": ["a"]}, "Invalid value [\"a\"] for parameter 'name' supplied:"),
        ({"name": {"a": 1}}, "Invalid value {\"a\": 1} for parameter 'name' supplied:"),
        ({"name": True}, "Invalid value true for parameter 'name' supplied:"),
        ({"name": "a", "tags": "b"}, "Invalid value \"b\" for parameter 'tags' supplied: it must be a list."),
        ({"name": "a", "tags": ["b"]}, "Invalid value \"b\" for parameter 'tags[0]' supplied: it must be an object."),
        (
            {"name": "a", "tags": [{"key": "k", "value": 1.5}]},
            "Invalid value 1.5 for parameter 'tags[0].value' supplied:",
        ),
    ],
)
def test_a_field_of_the_wrong_type_is_named_with_what_was_sent(api: Api, body: dict[str, Any], start: str) -> None:
    status, code, message = error_of(api.post(CREATE, body))
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert message.startswith(start)


def test_the_wrong_value_of_an_error_is_cut_short(api: Api) -> None:
    message = error_of(api.post(CREATE, {"name": ["x" * 100_000]}))[2]
    assert len(message) < 400


@pytest.mark.parametrize("depth", [65, 500, 20_000, 200_000])
@pytest.mark.parametrize(("opener", "closer"), [("[", "]"), ('{"a":', "}")])
def test_deep_nesting_is_a_400_and_no_crash(api: Api, depth: int, opener: str, closer: str) -> None:
    nested = opener * depth + "1" + closer * depth
    status, code, message = error_of(api.raw("POST", CREATE, f'{{"name": "churn", "more": {nested}}}'))
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert message == "The body of the request is nested deeper than 64 levels."


def test_many_brackets_that_are_not_deep_are_fine(api: Api) -> None:
    tags = [{"key": f"key{number}", "value": "}]" * 50 + "[{" * 50} for number in range(200)]
    make_model(api, "churn", tags=tags)
    assert len(model_of(api, "churn")["tags"]) == 200


@pytest.mark.parametrize("text", ["\\u0000", "a\\u0000b", "\\ud800", "\\udc00x"])
def test_text_that_no_database_stores_is_a_400(api: Api, text: str) -> None:
    for body in (f'{{"name": "{text}"}}', f'{{"name": "churn", "description": "{text}"}}'):
        status, code, message = error_of(api.raw("POST", CREATE, body))
        assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
        assert message.endswith("NUL characters and lone surrogates cannot be stored.")
    assert error_of(api.get("registered-models/get?name=a%00b"))[0] == 400


def test_characters_beyond_the_basic_plane_are_kept(api: Api) -> None:
    body = '{"name": "churn", "description": "\\ud83d\\ude80 and 🚀"}'
    assert api.raw("POST", CREATE, body).json()["registered_model"]["description"] == "🚀 and 🚀"


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**40, str(2**63), 1.5, "1.5", "many", [1], True])
def test_a_number_that_is_no_int64_is_a_400_in_body_and_query(api: Api, value: Any) -> None:
    answers = [api.post("registered-models/search", {"max_results": value})]
    if not isinstance(value, list | bool):
        answers.append(api.get("registered-models/search", {"max_results": value}))
    for answer in answers:
        status, code, message = error_of(answer)
        assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
        assert message.startswith("Invalid value ")
        assert "for parameter 'max_results' supplied: it must be an integer of 64 bits." in message


@pytest.mark.parametrize("value", [5, "5", 5.0])
def test_a_number_may_come_as_text(api: Api, value: Any) -> None:
    assert api.post("registered-models/search", {"max_results": value}).status_code == 200


@pytest.mark.parametrize("value", [1, "1", "01", "+1"])
def test_the_number_of_a_version_may_be_a_number(api: Api, value: Any) -> None:
    make_model(api, "churn")
    make_version(api, "churn")
    for method in (api.post, api.get):
        path = "model-versions/set-tag" if method == api.post else "model-versions/get"
        assert method(path, {"name": "churn", "version": value, "key": "k"}).status_code == 200


@pytest.mark.parametrize("value", ["abc", "1.0", "1e3", "①", "9" * 30, "--1", " "])
def test_a_version_that_is_no_integer_is_a_400_that_shows_it(api: Api, value: str) -> None:
    answer = api.get("model-versions/get", {"name": "churn", "version": value})
    assert error_of(answer) == (
        400,
        "INVALID_PARAMETER_VALUE",
        f"Parameter 'version' must be an integer, got '{value}'.",
    )


@pytest.mark.parametrize("value", [1.5, 10**30, [1], {"a": 1}, True])
def test_a_version_of_another_type_is_a_400(api: Api, value: Any) -> None:
    answer = api.post("model-versions/set-tag", {"name": "churn", "version": value, "key": "k", "value": "v"})
    assert error_of(answer)[:2] == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("value", [True, "true", "TRUE", "True"])
def test_a_boolean_may_come_as_text(api: Api, jon: User, value: Any) -> None:
    make_model(api, "churn")
    for _ in range(2):
        make_version(api, "churn")
    for version in ("1", "2"):
        move = {"name": "churn", "version": version, "stage": "Staging", "archive_existing_versions": value}
        assert api.as_(jon).post("model-versions/transition-stage", move).status_code == 200
    assert version_of(api, "churn", "1")["current_stage"] == "Archived"


def test_a_text_that_is_no_boolean_is_a_400(api: Api) -> None:
    move = {"name": "churn", "version": "1", "stage": "Staging", "archive_existing_versions": "maybe"}
    message = error_of(api.post("model-versions/transition-stage", move))[2]
    assert message.startswith("Invalid value \"maybe\" for parameter 'archive_existing_versions' supplied:")


def test_a_body_reads_the_same_whether_it_needs_kindness_or_not(api: Api) -> None:
    tags = [{"key": f"key {number:02}", "value": f"Wert {number} für 'ü'"} for number in range(30)]
    for name, more in (("null", None), ("deep", [{"a": [1]}]), ("camelCase", 1)):
        make_model(api, name, description="d", tags=tags, **{f"{name}Unknown": more})
    make_model(api, "plain", description="d", tags=tags)
    kept = [(model_of(api, name)["description"], model_of(api, name)["tags"]) for name in ("null", "deep", "camelCase")]
    assert kept == [("d", tags)] * 3
    assert model_of(api, "plain")["tags"] == tags


class Point(Arguments):
    key: str
    value: float
    step: Int64 = 0


class Points(Arguments):
    run_id: str
    points: list[Point] = []


def test_doubles_come_as_numbers_texts_and_the_names_of_what_json_cannot_say() -> None:
    sent = [1, "2.5", "NaN", "Infinity", "-Infinity", float("inf")]
    read = convert({"run_id": "r", "points": [{"key": "k", "value": value} for value in sent]}, Points)
    assert [str(point.value) for point in read.points] == ["1.0", "2.5", "nan", "inf", "-inf", "inf"]


def test_the_place_of_a_fault_is_told_as_deep_as_it_lies() -> None:
    with pytest.raises(errors.InvalidParameter) as refused:
        convert({"run_id": "r", "points": [{"key": "k", "value": 1}, {"key": "k", "value": "high"}]}, Points)
    assert refused.value.field == "points[1].value"
    assert (
        refused.value.message == "Invalid value \"high\" for parameter 'points[1].value' supplied: it must be a number."
    )


# -- answers -----------------------------------------------------------------------------------------------------------
class Child(Message):
    value: float | str
    step: int


class Parent(Message):
    status: str
    is_dir: bool
    children: list[Child] = []
    note: str = ""
    size: int | None = None


def test_an_answer_leaves_out_what_is_unset_and_keeps_what_clients_count_on() -> None:
    assert json.loads(json_response(Parent(status="READY", is_dir=False)).content) == {
        "status": "READY",
        "is_dir": False,
    }
    full = Parent(status="READY", is_dir=False, children=[Child(value=number(float("nan")), step=0)], size=0)
    assert json.loads(json_response(full).content) == {
        "status": "READY",
        "is_dir": False,
        "children": [{"value": "NaN", "step": 0}],
        "size": 0,
    }


def test_nothing_to_say_is_an_empty_object() -> None:
    answer = json_response(None)
    assert (answer.content, answer.headers["Content-Type"]) == (b"{}", "application/json")


# -- errors ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.InvalidParameter("x"), 400, "INVALID_PARAMETER_VALUE"),
        (errors.AlreadyExists("x"), 400, "RESOURCE_ALREADY_EXISTS"),
        (errors.NotSignedIn("x"), 401, "UNAUTHENTICATED"),
        (errors.PermissionDenied("x"), 403, "PERMISSION_DENIED"),
        (errors.NotFound("x"), 404, "RESOURCE_DOES_NOT_EXIST"),
        (errors.Conflict("x"), 409, "RESOURCE_CONFLICT"),
        (errors.TooLarge("x"), 413, "INVALID_PARAMETER_VALUE"),
        (errors.TooManyAttempts("x"), 429, "REQUEST_LIMIT_EXCEEDED"),
        (errors.NotSupported("x"), 501, "NOT_IMPLEMENTED"),
        (errors.Unavailable("x"), 503, "TEMPORARILY_UNAVAILABLE"),
        (errors.StorageFull("x"), 507, "RESOURCE_EXHAUSTED"),
    ],
)
def test_every_refusal_of_core_has_a_status_and_a_code(error: errors.PodiumError, status: int, code: str) -> None:
    assert error_of(error_response(error)) == (status, code, "x")


def test_every_class_of_core_errors_is_translated() -> None:
    for kind in errors.PodiumError.__subclasses__():
        assert error_of(error_response(kind("x")))[2] == "x"


def test_a_client_is_told_when_to_come_back_and_how_to_sign_in() -> None:
    assert int(error_response(errors.TooManyAttempts("x")).headers["Retry-After"]) > 0
    assert int(error_response(errors.Unavailable("x")).headers["Retry-After"]) > 0
    assert error_response(errors.NotSignedIn("x")).headers["WWW-Authenticate"] == 'Basic realm="Podium"'


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (IntegrityError("UNIQUE constraint failed: secret_table.name"), 409, "RESOURCE_CONFLICT"),
        (DataError("value too long for secret_table"), 400, "INVALID_PARAMETER_VALUE"),
        (OperationalError("secret_table is locked"), 503, "TEMPORARILY_UNAVAILABLE"),
        (RuntimeError("secret_table exploded"), 500, "INTERNAL_ERROR"),
    ],
)
def test_what_went_wrong_inside_is_logged_and_not_told(
    caplog: pytest.LogCaptureFixture, error: Exception, status: int, code: str
) -> None:
    answer = error_response(error)
    assert error_of(answer)[:2] == (status, code)
    assert b"secret_table" not in answer.content
    assert "secret_table" in caplog.text


# -- addresses ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("root", ["/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/", "/api/2.0/preview/mlflow/"])
def test_every_endpoint_hangs_under_all_roots(api: Api, root: str) -> None:
    make_model(api, "churn")
    assert api.get(f"{root}registered-models/get?name=churn").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/",
        "/ajax-api/",
        "/api/2.0/mlflow/nothing",
        "/api/2.0/mlflow/registered-models/get/",
        "/api/2.0/mlflow//registered-models/get",
        "/api/3.0/mlflow/traces/search",
        "/api/4.0/anything?x=1",
        "/ajax-api/2.0/mlflow/nothing",
        "/api/2.0/mlflow/gateway/ü",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_path_is_a_404_in_json(anonymous_api: Api, path: str, method: str) -> None:
    assert error_of(anonymous_api.raw(method, path, ""))[:2] == (404, "ENDPOINT_NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", CREATE, "POST"),
        ("PUT", "registered-models/get", "GET"),
        ("OPTIONS", "registered-models/get", "GET"),
        ("PATCH", "registered-models/alias", "DELETE, GET, POST"),
        ("POST", "/version", "GET"),
    ],
)
def test_a_wrong_method_is_a_405_in_json_that_names_the_right_ones(
    api: Api, method: str, path: str, allowed: str
) -> None:
    answer = api.raw(method, path, "{}")
    assert error_of(answer)[:2] == (405, "ENDPOINT_NOT_FOUND")
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense", ""])
def test_what_a_client_says_it_accepts_changes_nothing(maria: User, accept: str) -> None:
    headers = {"Authorization": f"Bearer {make_token(maria)}", "Accept": accept}
    answer = Client().get("/api/2.0/mlflow/registered-models/search?format=xml", headers=headers)
    assert (answer.status_code, answer.content) == (200, b"{}")


def test_a_body_that_is_too_large_is_a_413_in_json(api: Api, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert error_of(api.post(CREATE, {"name": "x" * 2000}))[0] == 413


def test_a_query_of_very_many_fields_is_a_400_in_json(api: Api) -> None:
    assert error_of(api.get("registered-models/search?" + "a=1&" * 1001))[0] == 400


def test_a_foreign_host_gets_its_400_in_json_under_api(db: None) -> None:
    answer = Client().get("/api/2.0/mlflow/registered-models/search", headers={"Host": "evil.example"})
    assert error_of(answer)[:2] == (400, "BAD_REQUEST")


# -- who calls ---------------------------------------------------------------------------------------------------------
def assert_unauthenticated(answer: HttpResponse) -> None:
    assert error_of(answer)[:2] == (401, "UNAUTHENTICATED")
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Podium"'


@pytest.mark.parametrize("path", ["registered-models/search", "model-versions/search", "registered-models/get?name=x"])
def test_a_stranger_gets_a_401_in_json_and_no_redirect(anonymous_api: Api, path: str) -> None:
    assert_unauthenticated(anonymous_api.get(path))
    assert_unauthenticated(anonymous_api.post(CREATE, {"name": "churn"}))


@pytest.mark.parametrize(
    "header", ["Bearer wrong", "Basic !!!", "Basic bWFyaWE6d3Jvbmc=", "Digest x", "Bearer", "x" * 5000]
)
def test_wrong_credentials_are_a_401(api: Api, header: str) -> None:
    assert_unauthenticated(api.with_authorization(header).get("registered-models/search"))


def test_a_token_comes_as_bearer_or_as_the_password_of_basic(api: Api, maria: User) -> None:
    def basic(name: str, password: str) -> str:
        return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()

    token = make_token(maria)
    for header in (f"Bearer {token}", f"bearer {token}", basic("maria", PASSWORD), basic("token", token)):
        answer = api.with_authorization(header).get("users/current")
        assert answer.json()["user"]["username"] == "maria", header


def test_a_browser_session_is_nobody_here(maria: User) -> None:
    browser = Client()
    browser.force_login(maria)
    assert_unauthenticated(browser.get("/api/2.0/mlflow/registered-models/search"))
    answer = browser.post(f"/api/2.0/mlflow/{CREATE}", {"name": "churn"}, content_type="application/json")
    assert_unauthenticated(answer)


def test_nothing_is_remembered_in_a_cookie(api: Api) -> None:
    assert not api.get("registered-models/search").cookies
