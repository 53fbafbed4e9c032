"""Recorded requests against the vendors' descriptions, judged by a validator that is not ours.

    python tests/clients/openapi_requests.py target/tmp/recorded-requests.jsonl ...

Each line of a file is one request that reached the embedded sandbox (`sandbox::Recorded`). The
sandbox has judged it already; here openapi-core judges it a second time from specs/, so that a
mistake that the generator and the sandbox share does not go unseen. Requests that the sandbox
refused are counted and left alone. No accepted request at all is a failure.

openapi-core says nothing about query parameters and form fields that the description does not
name, about single values that are given twice, and about a body where none is described. These
are looked at here.
"""

import base64
import collections
import json
import pathlib
import re
import sys
import urllib.parse

import yaml
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.validation.request.exceptions import ParameterValidationError, RequestBodyValidationError
from werkzeug.datastructures import Headers, ImmutableMultiDict

SPECS = pathlib.Path(__file__).resolve().parents[2] / "specs"
# Stands for every server: which host a vendor has is configuration, not part of a request.
HOST = "http://vendor.example"
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
FORM = "application/x-www-form-urlencoded"
MOST_SHOWN = 50


class Loader(yaml.SafeLoader):
    """YAML 1.2 as OpenAPI means it: dates, `on` and `off` are texts."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] not in ("timestamp", "bool")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), ["t", "f"])


class Request:
    """A recorded request in the form that openapi-core asks for."""

    def __init__(self, record, credential):
        self.host_url = HOST
        self.method = record["method"].lower()
        self.path = record["path"]
        headers = dict(record["headers"])
        # Secrets are masked in the record: whether one was sent is judged, not which.
        if "authorization" in headers:
            headers["authorization"] = credential
        self.content_type = headers.get("content-type", "")
        self.pairs = urllib.parse.parse_qsl(record["query"], keep_blank_values=True)
        self.parameters = RequestParameters(query=ImmutableMultiDict(self.pairs), header=Headers(headers))
        if "body_base64" in record:
            self.body = base64.b64decode(record["body_base64"], validate=True)
        else:
            self.body = None if record["body"] is None else record["body"].encode()


class Description:
    """One API: openapi-core over it, and its operations by id."""

    def __init__(self, path):
        self.document = yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)
        self.document["servers"] = [{"url": HOST}]
        self.read_numbers_in_parts()
        self.read_ids_as_text(self.document)
        self.validator = OpenAPI.from_dict(self.document)
        self.operations = {}
        for template, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    operation = item[method]
                    parameters = item.get("parameters", []) + operation.get("parameters", [])
                    found = (template, method, operation, [self.resolve(parameter) for parameter in parameters])
                    self.operations[operation.get("operationId")] = found

    def read_numbers_in_parts(self):
        """openapi-core leaves the text of a multipart part a text; as JSON, a number is read as one."""
        for item in self.document["paths"].values():
            for method in METHODS:
                body = self.resolve(item.get(method, {}).get("requestBody", {}))
                for media_type, content in body.get("content", {}).items():
                    if not media_type.startswith("multipart/"):
                        continue
                    fields = self.resolve(content.get("schema", {})).get("properties", {})
                    for name, field in fields.items():
                        field = self.resolve(field)
                        element = self.resolve(field.get("items", {})) if field.get("type") == "array" else field
                        if element.get("type") in ("integer", "number", "boolean"):
                            encoding = content.setdefault("encoding", {}).setdefault(name, {})
                            encoding.setdefault("contentType", "application/json")

    def read_ids_as_text(self, value):
        """JumpCloud's description calls ids bytes; what travels is text, and openapi-core breaks on text beyond ASCII.

        What else ids look like is for the vendor to judge: tools pass on what callers give, and look names up.
        """
        if isinstance(value, dict):
            if value.get("format") in ("byte", "uuid"):
                del value["format"]
            value = list(value.values())
        if isinstance(value, list):
            for entry in value:
                self.read_ids_as_text(entry)

    def resolve(self, value):
        """What a `$ref` leads to."""
        while "$ref" in value:
            found = self.document
            for part in value["$ref"].removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            value = found
        return value

    def problems(self, record):
        """Everything that is wrong with a request, one text each."""
        request = Request(record, self.credential(record["operation"]))
        problems = [explain(error) for error in self.validator.iter_request_errors(request)]
        if record["operation"] not in self.operations:
            return [*problems, f"the description has no operation `{record['operation']}`"]
        template, method, operation, parameters = self.operations[record["operation"]]
        if method != request.method or not fits(template, request.path):
            problems.append(f"`{record['operation']}` is {method.upper()} {template}")
        problems += self.query_problems(request, parameters)
        problems += self.body_problems(request, operation)
        return problems

    def credential(self, operation):
        """What stands for the masked header: of the kind that the operation takes."""
        found = self.operations.get(operation)
        requirements = (found[2].get("security") if found else None) or self.document.get("security") or []
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        kinds = [self.resolve(schemes.get(name, {})).get("scheme") for requirement in requirements for name in requirement]
        return "Basic bm90OmEtdG9rZW4=" if kinds and set(kinds) == {"basic"} else "Bearer not-a-token"

    def query_problems(self, request, parameters):
        schemas = {
            parameter["name"]: self.resolve(parameter.get("schema", {}))
            for parameter in parameters
            if parameter["in"] == "query"
        }
        # The entries of an object may travel under names of their own.
        if any(schema.get("type") == "object" for schema in schemas.values()):
            return []
        return self.name_problems("query parameter", request.pairs, schemas)

    def body_problems(self, request, operation):
        if "requestBody" not in operation:
            return ["a body was sent, and none is described"] if request.body else []
        content = self.resolve(operation["requestBody"])["content"]
        media_type = request.content_type.partition(";")[0].strip().lower()
        if media_type != FORM or FORM not in content or not request.body:
            return []
        schema = self.resolve(content[FORM].get("schema", {}))
        pairs = urllib.parse.parse_qsl(request.body.decode(), keep_blank_values=True)
        fields = {name: self.resolve(field) for name, field in schema.get("properties", {}).items()}
        return self.name_problems("form field", pairs, fields, open_ended="additionalProperties" in schema)

    def name_problems(self, what, pairs, schemas, open_ended=False):
        problems = []
        for name, count in collections.Counter(name for name, _ in pairs).items():
            if name not in schemas and not open_ended:
                problems.append(f"{what} `{name}` is not in the description")
            elif count > 1 and schemas.get(name, {}).get("type") != "array":
                problems.append(f"{what} `{name}` is given {count} times, and is no list")
        return problems


def fits(template, path):
    """Whether a path is one of those that a template with `{names}` stands for."""
    pattern = "[^/]+".join(re.escape(part) for part in re.split(r"\{[^}]*\}", template))
    return re.fullmatch(pattern, path) is not None


def explain(error):
    """Where an error is and why: openapi-core keeps the reason at the end of the chain of causes."""
    if isinstance(error, ParameterValidationError):
        where = f"{error.location} parameter `{error.name}`: "
    elif isinstance(error, RequestBodyValidationError):
        where = "body: "
    else:
        where = ""
    reason = error
    while reason.__cause__ is not None and not hasattr(reason, "schema_errors"):
        reason = reason.__cause__
    if hasattr(reason, "schema_errors"):
        places = (".".join(map(str, found.absolute_path)) for found in reason.schema_errors)
        messages = (found.message for found in reason.schema_errors)
        return where + "; ".join(f"{place} {message}".strip() for place, message in zip(places, messages))
    try:
        return where + str(reason)
    except Exception:  # some of its errors can't be printed
        return where + type(reason).__name__


def descriptions():
    """The file of each API by its id: `jitbit` for specs/jitbit/api.yaml, else vendor and stem."""
    files = {}
    for vendor in sorted(SPECS.glob("*/vendor.toml")):
        for path in sorted(vendor.parent.iterdir()):
            stem = path.stem
            if stem in ("overlay", "workflows") or stem.endswith(".overlay"):
                continue
            if path.suffix not in (".yaml", ".yml", ".json"):
                continue
            files[vendor.parent.name if stem == "api" else f"{vendor.parent.name}-{stem}"] = path
    return files


def main():
    if len(sys.argv) < 2:
        print("usage: openapi_requests.py RECORDED.jsonl ...", file=sys.stderr)
        return 2
    files = descriptions()
    loaded = {}
    operations = collections.Counter()
    refused = 0
    broken = 0
    for name in sys.argv[1:]:
        lines = pathlib.Path(name).read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            record = json.loads(line)
            if record["verdict"] != "accepted":
                refused += 1
                continue
            api = record["api"]
            operations[(api, record["operation"])] += 1
            if api in files and api not in loaded:
                loaded[api] = Description(files[api])
            if api in loaded:
                problems = loaded[api].problems(record)
            else:
                problems = [f"no description has the API id `{api}`"]
            if problems:
                broken += 1
                if broken <= MOST_SHOWN:
                    print(f"{name}:{number}: {record['operation']} {record['method']} {record['path']}")
                    for problem in problems:
                        print(f"    {problem}")
    validated = sum(operations.values())
    known = sum(len(description.operations) for description in loaded.values())
    print(f"{validated} requests validated, {broken} of them do not fit their description")
    print(f"{len(operations)} of {known} operations covered; {refused} requests left out, refused by the sandbox")
    if validated == 0:
        print("no file holds an accepted request")
    return 0 if validated > 0 and broken == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
