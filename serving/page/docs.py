"""`/docs`: the OpenAPI document as a page to read, made on the server. It shows the document and nothing besides."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from models.schema import spelt
from serving.core.service import Service
from serving.page import assets, openapi
from serving.page.page import short_release

Node = Mapping[str, Any]


def render(service: Service) -> bytes:
    """The page as UTF-8 HTML."""
    document = openapi.document(service)
    paths: Node = document["paths"]
    operations = [(path, method, operation) for path, found in paths.items() for method, operation in found.items()]
    shared: Node = document["components"]["schemas"]
    return assets.fill(
        "docs.html",
        title=escape(document["info"]["title"]),
        summary=escape(document["info"]["summary"]),
        release=escape(short_release(service.release)),
        version=document["openapi"],
        icon=assets.address("icon.svg"),
        style=assets.address("page.css"),
        docs_style=assets.address("docs.css"),
        contents="".join(_entry(*operation) for operation in operations),
        operations="".join(_operation(*operation) for operation in operations),
        schemas="".join(_named(name, schema) for name, schema in shared.items()),
        elsewhere="".join(
            f'<tr><th scope="row">{status}</th><td>{_code(meaning)}</td><td><code>{code}</code></td></tr>'
            for status, (meaning, code) in openapi.elsewhere().items()
        ),
    ).encode()


def _entry(path: str, method: str, operation: Node) -> str:
    return (
        f'<li><a href="#operation-{operation["operationId"]}"><span class="method {method}">{method.upper()}</span> '
        f"<code>{escape(path)}</code></a></li>"
    )


def _operation(path: str, method: str, operation: Node) -> str:
    name = f"operation-{operation['operationId']}"
    described = f"<p>{_code(operation['description'])}</p>" if "description" in operation else ""
    body = operation.get("requestBody")
    return (
        f'<section class="card" id="{name}" aria-labelledby="{name}-title">'
        f'<h2 id="{name}-title"><span class="method {method}">{method.upper()}</span> <code>{escape(path)}</code></h2>'
        f"<p>{escape(operation['summary'])}.</p>{described}"
        + (_content("Request", body) if body else "")
        + _responses(operation["responses"])
        + "</section>"
    )


def _content(title: str, body: Node) -> str:
    lines = (line.removeprefix("- `").split("`: ", 1) for line in body["description"].splitlines())
    described = dict(lines)
    return f"<h3>{title}</h3>" + "".join(
        _media(kind, media, described[kind]) for kind, media in body["content"].items()
    )


def _media(kind: str, media: Node, described: str) -> str:
    schema = media.get("schema", {})
    examples = "".join(
        f"<details><summary>{_code(example['summary'])}</summary>{_block(example['value'], example['summary'])}"
        "</details>"
        for example in media.get("examples", {}).values()
    )
    shown = f'<p class="hint">{_schema(schema)}</p>' if "anyOf" in schema else ""
    return f'<div class="media"><h4><code>{escape(kind)}</code></h4><p>{_code(described)}</p>{shown}{examples}</div>'


def _responses(responses: Node) -> str:
    rows = "".join(_response(status, response) for status, response in responses.items())
    return (
        '<h3>Answers</h3><table class="answers"><thead><tr><th scope="col">Status</th><th scope="col">Meaning</th>'
        f'<th scope="col">Body</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _response(status: str, response: Node) -> str:
    bodies = [
        f"<code>{escape(kind)}</code> {_schema(media['schema']) if 'schema' in media else ''}"
        for kind, media in response.get("content", {}).items()
    ]
    kind = "good" if status.startswith("2") else "bad"
    return (
        f'<tr><th scope="row"><span class="status {kind}">{status}</span></th>'
        f"<td>{_code(response['description'])}</td><td>{'<br>'.join(bodies)}</td></tr>"
    )


def _named(name: str, schema: Node) -> str:
    table = _fields(schema["properties"]) if "properties" in schema else ""
    if "prefixItems" in schema:
        table = _fields({item["title"]: item for item in schema["prefixItems"]})
    shown = "" if table else f"<p>{_schema(schema)}</p>"
    described = f'<p class="hint">{_code(schema["description"])}</p>' if "description" in schema else ""
    example = _block(schema["examples"][0], f"{name}, an example") if schema.get("examples") else ""
    return f'<section class="card" id="schema-{name}"><h3>{name}</h3>{described}{shown}{table}{example}</section>'


def _fields(properties: Node) -> str:
    rows = "".join(
        f'<tr><th scope="row"><code>{escape(name)}</code></th><td>{_schema(field)}</td>'
        f"<td>{_code(field.get('description', ''))}</td></tr>"
        for name, field in _flat(properties)
    )
    return (
        '<table class="properties"><thead><tr><th scope="col">Name</th><th scope="col">Type</th>'
        f'<th scope="col">Meaning</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _flat(properties: Node) -> Iterator[tuple[str, Node]]:
    """The properties by name, those of an object inside as `outer.inner`."""
    for name, field in properties.items():
        if "properties" in field:
            yield from ((f"{name}.{inner}", found) for inner, found in _flat(field["properties"]))
        else:
            yield name, field


def _schema(schema: Node) -> str:
    """A schema in a few words of HTML."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f'<a href="#schema-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_schema(part) for part in schema["anyOf"])
    if "allOf" in schema:
        error, restriction = schema["allOf"]
        codes = restriction["properties"]["error"]["properties"]["code"]["enum"]
        return f"{_schema(error)} with code {', '.join(f'<code>{code}</code>' for code in codes)}"
    if "const" in schema:
        return f"always <code>{escape(json.dumps(schema['const'], ensure_ascii=False))}</code>"
    if "enum" in schema:
        return "one of " + ", ".join(f"<code>{escape(str(_spelt(value)))}</code>" for value in schema["enum"])
    kind: str | list[str] = schema["type"]
    words = (kind if isinstance(kind, str) else " or ".join(kind)) + _limits(schema)
    if isinstance(schema.get("items"), Mapping):
        words += f" of {schema.get('minItems', 0)} to {schema['maxItems']} × {_schema(schema['items'])}"
    return words


def _spelt(value: object) -> object:
    return "null" if value is None else value


def _limits(schema: Node) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None:
        return ""
    unit = f" {escape(schema['x-unit'])}" if "x-unit" in schema else ""
    return f" from {spelt(low)} to {spelt(high)}{unit}" if high is not None else f" of at least {spelt(low)}{unit}"


def _block(value: object, label: str) -> str:
    indent = 2 if isinstance(value, Mapping) else None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=indent)
    return f'<pre tabindex="0" role="group" aria-label="{escape(label)}"><code>{escape(text)}</code></pre>'


def _code(text: str) -> str:
    """`text` with what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
