"""From an HTTP request to the arguments of an endpoint, as leniently as all the clients need.

An ordinary body is decoded straight into its struct. Whatever needs kindness (nulls, camelCase, escapes, bare
NaN, doubly encoded JSON, a query string, arguments in the path) is first tidied as plain values.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, get_origin

import msgspec
from django.conf import settings
from django.http import HttpRequest

from registry_site.core.errors import InvalidParameter, TooLarge
from registry_site.mlflow_api.bodies import chunked_body
from registry_site.mlflow_api.structs.base import Arguments

Request = TypeVar("Request", bound=Arguments)

MAX_DEPTH = 64  # of lists and objects inside each other
_SHOWN = 200  # characters of a wrong value that the error repeats

_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_PLACE = re.compile(r" - at `\$\.?(.*)`$")
_MISSING = re.compile(r"Object missing required field `([^`]+)`")
_EXPECTED = re.compile(r"Expected `([^`]+)`")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_TYPE_WORDS = {
    "str": "a string",
    "int": "an integer of 64 bits",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}


def read_arguments(http: HttpRequest, request_type: type[Request], path: Mapping[str, Any]) -> Request:
    """The arguments of a call, from its path, query and body.

    GET reads the query, or a JSON body if there is no query. DELETE reads both. The others read the body, which POST
    and PUT must declare as JSON. Raises InvalidParameter, which names the parameter at fault.
    """
    query = http.META.get("QUERY_STRING", "")
    body = b"" if query and http.method in ("GET", "HEAD") else _body(http)
    if body and http.method in ("POST", "PUT"):
        _require_json(http)
    if not path and http.method not in ("GET", "HEAD", "DELETE") and _is_plain(body, request_type):
        try:
            decoded: Request = _decoder(request_type).decode(body)
            return _complete(decoded)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass  # read again, slowly: either it needs kindness, or its fault gets a name
    arguments = _tidy(_parse(body)) if body else {}
    if query and http.method in ("GET", "HEAD", "DELETE"):
        arguments = _from_query(http, request_type) | arguments
    return convert(arguments | _tidy(dict(path)), request_type)


def convert(arguments: dict[str, Any], request_type: type[Request]) -> Request:
    """The struct for tidy plain values. Raises InvalidParameter, which names the parameter at fault."""
    try:
        return _complete(msgspec.convert(arguments, request_type, strict=False))
    except msgspec.ValidationError as error:
        raise _explained(str(error), arguments) from None


def _body(http: HttpRequest) -> bytes:
    chunked = chunked_body(http)
    if chunked is None:
        return http.body
    most: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body = chunked.read(most + 1)
    if len(body) > most:
        raise TooLarge("The body of the request is larger than this server accepts.")
    return body


def _require_json(http: HttpRequest) -> None:
    if http.content_type != "application/json":
        shown = f"'{http.content_type}'" if http.content_type else "missing"
        raise InvalidParameter(f"The Content-Type of a {http.method} must be 'application/json'; it is {shown}.")


@cache
def _decoder(request_type: type[Request]) -> msgspec.json.Decoder[Request]:
    return msgspec.json.Decoder(request_type, strict=False)


@cache
def _required(request_type: type[Arguments]) -> tuple[str, ...]:
    return tuple(field.name for field in msgspec.structs.fields(request_type) if field.required)


@cache
def _lists(request_type: type[Arguments]) -> frozenset[str]:
    fields = msgspec.structs.fields(request_type)
    return frozenset(field.name for field in fields if get_origin(field.type) is list)


@cache
def _camel_names(request_type: type[Arguments]) -> tuple[bytes, ...]:
    """Every field name with an underscore, here and in the structs inside, as a client writes it in camelCase."""
    found: set[str] = set()
    waiting: list[Any] = [request_type]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            found.update(kind.__struct_fields__)
            waiting.extend(field.type for field in msgspec.structs.fields(kind))
        else:
            waiting.extend(getattr(kind, "__args__", ()))
    return tuple(f'"{_camel(name)}"'.encode() for name in sorted(found) if "_" in name)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _is_plain(body: bytes, request_type: type[Arguments]) -> bool:
    """Whether a struct can be decoded straight from these bytes. May say no without need, never yes without."""
    return (
        body[:1] == b"{"
        and b"null" not in body
        and b"\\u" not in body
        and not any(name in body for name in _camel_names(request_type))
        and _is_shallow(body)
    )


def _is_shallow(body: bytes) -> bool:
    """Whether lists and objects seem to be nested no deeper than allowed.

    Brackets inside of texts are counted too. What slips through because of them can only be an unknown field, which is
    skipped, and msgspec guards its own stack.
    """
    brackets = body.translate(None, _NOT_BRACKETS)
    for stripped in range(MAX_DEPTH):
        if stripped + len(brackets) // 2 <= MAX_DEPTH:
            return True
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return False


def _parse(body: bytes) -> Any:
    """The JSON value in a body; JSON inside of a JSON string is unwrapped once. Raises InvalidParameter."""
    value = _loads(body)
    if isinstance(value, str):
        value = _loads(value)
    if not isinstance(value, dict | None):
        raise InvalidParameter("The body of the request must be a JSON object.")
    return value or {}


def _loads(text: bytes | str) -> Any:
    try:
        return json.loads(text)  # and not msgspec: it takes a bare NaN
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # malformed JSON, malformed UTF-8, or a number of thousands of digits
        raise InvalidParameter("The body of the request is malformed JSON.") from None


def _too_deep() -> InvalidParameter:
    return InvalidParameter(f"The body of the request is nested deeper than {MAX_DEPTH} levels.")


def _tidy(value: Any, depth: int = 1) -> Any:
    """The value with names in snake_case and without nulls. Raises InvalidParameter for what cannot be stored."""
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, list | dict) and depth > MAX_DEPTH:
        raise _too_deep()
    if isinstance(value, list):
        return [_tidy(item, depth + 1) for item in value]
    if isinstance(value, dict):
        tidy: dict[str, Any] = {}
        for key, item in value.items():
            name = _HUMP.sub(lambda hump: f"_{hump[1].lower()}", _storable(key))
            if item is None:
                continue
            if name in tidy:
                raise InvalidParameter(
                    f"Parameter '{name}' is given twice, in two spellings; send one of them.", field=name
                )
            tidy[name] = _tidy(item, depth + 1)
        return tidy
    return value


def _storable(text: str) -> str:
    if _UNSTORABLE.search(text):
        shown = json.dumps(text)[:_SHOWN]
        raise InvalidParameter(f"Invalid text {shown}: NUL characters and lone surrogates cannot be stored.")
    return text


def _from_query(http: HttpRequest, request_type: type[Arguments]) -> dict[str, Any]:
    """The query as plain values: a list for a field that is one, else the last value of its key."""
    arguments = _tidy(dict(http.GET.lists()))
    lists = _lists(request_type)
    return {name: values if name in lists else values[-1] for name, values in arguments.items()}


def _complete(arguments: Request) -> Request:
    """The arguments, if no required one is empty. Raises InvalidParameter."""
    for name in _required(type(arguments)):
        if getattr(arguments, name) in ("", []):
            raise _missing(name)
    return arguments


def _missing(name: str) -> InvalidParameter:
    return InvalidParameter(f"Missing value for required parameter '{name}'. It must not be empty.", field=name)


def _explained(problem: str, arguments: Any) -> InvalidParameter:
    """msgspec's complaint (`Expected …, got … - at `$.a[0].b``) in the protocol's words."""
    found = _PLACE.search(problem)
    place = found[1] if found else ""
    if missing := _MISSING.match(problem):
        return _missing(f"{place}.{missing[1]}" if place else missing[1])
    value = arguments
    for key, index in _STEP.findall(place):
        value = value[int(index)] if index else value[key]
    expected = _EXPECTED.search(problem)
    kinds = expected[1].split(" | ") if expected else []
    if "float" in kinds:
        kinds = ["float"]  # true and false are taken for numbers, and not worth a word
    words = " or ".join(_TYPE_WORDS[kind] for kind in kinds if kind in _TYPE_WORDS) or "another value"
    shown = json.dumps(value, ensure_ascii=False)[:_SHOWN]
    return InvalidParameter(f"Invalid value {shown} for parameter '{place}' supplied: it must be {words}.", field=place)
