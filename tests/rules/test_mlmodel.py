"""MLmodel files are read as what they say, and a hostile one costs nothing."""

import pytest

from registry_site.artifacts.mlmodel import Column, Flavor, read_mlmodel
from registry_site.core.errors import InvalidParameter
from tests.effort import little_effort

SKLEARN = """
artifact_path: mlflow-artifacts:/1/models/m-5f0c/artifacts
flavors:
  python_function:
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: mlflow.sklearn
    model_path: model.pkl
    predict_fn: predict
    python_version: 3.11.9
  sklearn:
    code: null
    pickled_model: model.pkl
    serialization_format: cloudpickle
    sklearn_version: 1.7.2
is_signature_from_type_hint: false
mlflow_version: 3.17.2
model_id: m-5f0c
model_size_bytes: 1142
model_uuid: m-5f0c
prompts: null
run_id: 32de8f
saved_input_example_info:
  artifact_path: input_example.json
  pandas_orient: split
  serving_input_path: serving_input_example.json
  type: dataframe
signature:
  inputs: '[{"type": "double", "name": "income", "required": true},
    {"type": "string", "name": "region", "required": false}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
  params: '[{"name": "threshold", "type": "float", "default": 0.5, "shape": null},
    {"name": "stop", "type": "string", "default": ["a"], "shape": [-1]}]'
type_hint_from_example: false
utc_time_created: '2026-11-20 09:41:07.123456'
"""


def test_a_model_of_scikit_learn_is_read_whole() -> None:
    model = read_mlmodel(SKLEARN)

    assert model.flavors == (
        Flavor("python_function", None, "mlflow.sklearn", None),
        Flavor("sklearn", "1.7.2", None, "cloudpickle"),
    )
    assert model.signature is not None
    assert model.signature.inputs == (Column("income", "double"), Column("region", "string", required=False))
    assert model.signature.outputs == (Column("", "int64", shape=(-1,)),)
    assert model.signature.params == (
        Column("threshold", "float", required=False, default="0.5"),
        Column("stop", "string", required=False, shape=(-1,), default='["a"]'),
    )
    assert (model.model_uuid, model.model_id, model.run_id) == ("m-5f0c", "m-5f0c", "32de8f")
    assert model.artifact_path == "mlflow-artifacts:/1/models/m-5f0c/artifacts"
    assert model.utc_time_created == "2026-11-20 09:41:07.123456"
    assert (model.mlflow_version, model.python_version) == ("3.17.2", "3.11.9")
    assert (model.requirements, model.conda_environment) == ("requirements.txt", "conda.yaml")
    assert model.virtual_environment == "python_env.yaml"
    assert model.input_example == "input_example.json"
    assert model.size_bytes == 1142
    assert model.serialization_formats == ("cloudpickle",)


def test_what_the_file_does_not_say_is_none() -> None:
    model = read_mlmodel("flavors:\n  onnx:\n    onnx_version: 1.23.2\nrun_id: null\nmodel_size_bytes: many\n")
    assert model.flavors == (Flavor("onnx", "1.23.2"),)
    assert model.signature is None
    assert (model.run_id, model.requirements, model.input_example, model.size_bytes) == (None, None, None, None)
    assert model.serialization_formats == ()


@pytest.mark.parametrize(
    ("flavor", "line", "version"),
    [
        ("xgboost", "xgb_version: 3.1.0", "3.1.0"),
        ("lightgbm", "lgb_version: 4.6.0", "4.6.0"),
        ("custom", "code: x", None),
    ],
)
def test_the_version_of_a_library_is_found_under_its_own_key(flavor: str, line: str, version: str | None) -> None:
    assert read_mlmodel(f"flavors:\n  {flavor}:\n    {line}\n").flavors[0].version == version


def test_the_conda_file_of_old_models_is_found() -> None:
    model = read_mlmodel("flavors:\n  python_function:\n    env: conda.yaml\n    python_version: 3.7.3\n")
    assert (model.conda_environment, model.virtual_environment) == ("conda.yaml", None)


def test_nested_types_read_like_words() -> None:
    inputs = (
        '[{"name": "messages", "type": "array", "items": {"type": "object", "properties": {'
        '"role": {"type": "string", "required": true}, "content": {"type": "string", "required": false}}}},'
        '{"name": "scores", "type": "map", "values": {"type": "double"}}, {"name": "x", "type": "any"}]'
    )
    model = read_mlmodel(f"flavors: {{a: {{}}}}\nsignature:\n  inputs: '{inputs}'\n  outputs: null\n")
    assert model.signature is not None
    assert [(column.name, column.type) for column in model.signature.inputs] == [
        ("messages", "array<object{role: string, content?: string}>"),
        ("scores", "map<double>"),
        ("x", "any"),
    ]
    assert model.signature.outputs == ()


def test_words_that_yaml_would_turn_into_something_else_stay_words() -> None:
    model = read_mlmodel("flavors: {a: {}}\nrun_id: 1e10\nmodel_uuid: 2026-01-01\nmlflow_version: 3.10\nmodel_id: no\n")
    assert (model.run_id, model.model_uuid, model.mlflow_version, model.model_id) == (
        "1e10",
        "2026-01-01",
        "3.10",
        "no",
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "The MLmodel file does not hold keys and values."),
        ("- a\n- b\n", "The MLmodel file does not hold keys and values."),
        ("run_id: a\n", "The MLmodel file names no flavors."),
        ("flavors: sklearn\n", "The MLmodel file names no flavors."),
        ("flavors: {a: [}\n", "The MLmodel file is not valid YAML (line 1)."),
        ("a: b\x00c\n", "The MLmodel file is not valid YAML."),
        (
            "flavors: {a: {}}\nsignature: {inputs: '['}\n",
            "The inputs of the MLmodel file's signature are not valid JSON.",
        ),
        (
            "flavors: {a: {}}\nsignature: {outputs: '{}'}\n",
            "The outputs of the MLmodel file's signature are not a list of columns.",
        ),
        (
            "flavors: {a: {}}\nsignature: {params: '[1]'}\n",
            "The params of the MLmodel file's signature are not a list of columns.",
        ),
        ("x: " + "a" * 1024 * 1024, "The MLmodel file is larger than 1024 KB."),
    ],
)
def test_what_is_no_mlmodel_is_refused_with_a_reason(text: str, told: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        read_mlmodel(text)
    assert refusal.value.message == told


LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{level}: &a{level} [*a{level - 1}, *a{level - 1}]\n" for level in range(1, 40))


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS + "flavors: *a39\n",
        "flavors: &a {b: *a}\n",
        "flavors: !!python/object/apply:os.system ['id']\n",
        "flavors: {a: !!js/function 'function(){}'}\n",
        "flavors: {a: " + "[" * 500_000,
        "flavors: {a: [" + "x," * 400_000 + "]}\n",
        "flavors: {a: {}}\nsignature: {inputs: '" + "[" * 500_000 + "'}\n",
        "? " * 300_000,
    ],
    ids=["laughs", "itself", "python", "javascript", "deep", "wide", "deep JSON", "keys"],
)
def test_a_bomb_is_refused_quickly(text: str) -> None:
    with little_effort(), pytest.raises(InvalidParameter, match=r"^The (MLmodel file|inputs of the MLmodel) "):
        read_mlmodel(text)


def test_numbers_made_to_be_slow_are_only_words() -> None:
    with little_effort():
        model = read_mlmodel(f"flavors: {{a: {{}}}}\nrun_id: {'1:' * 200_000}1\nmodel_size_bytes: {'9' * 400_000}\n")
        assert model.run_id is not None
        assert model.size_bytes is None


def test_a_few_aliases_are_read_as_what_they_stand_for() -> None:
    model = read_mlmodel("env: &env {conda: conda.yaml}\nflavors: {python_function: {env: *env}}\n")
    assert model.conda_environment == "conda.yaml"
