"""The OpenAPI document as Python's programs see it: openapi-spec-validator finds it valid, and schemathesis finds no answer that it does not promise.

    openapi.py generated FOLDER           documents of generated methods, each with values of their schemas
    openapi.py served BASE ADMIN CASES    what a gateway says of itself, and whether it does so
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

# What is promised: statuses, types, headers and bodies. What is refused that the document allows is no broken promise: a JSON Schema cannot say all that
# is asked of a request.
CHECKS = "status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"


def valid(document):
    errors = [f"{list(error.absolute_path)}: {error.message}" for error in OpenAPIV31SpecValidator(document).iter_errors()]
    assert not errors, "\n".join(errors[:20])


def generated(folder):
    files = sorted(pathlib.Path(folder).glob("*.json"))
    assert len(files) >= 100, f"{len(files)} documents"
    values = 0
    for file in files:
        text = json.loads(file.read_text())
        valid(text["document"])
        for schema, value in text["values"]:
            whole = {**schema, "components": text["document"]["components"]}
            error = next(Draft202012Validator(whole).iter_errors(value), None)
            assert error is None, f"{file}: {value!r} is none of {schema}: {error}"
            values += 1
    assert values > len(files), "values were looked at"


def served(base, admin, cases):
    with urllib.request.urlopen(f"{admin}/openapi.json") as answer:
        document = json.load(answer)
    valid(document)
    # Whoever waits as long as the path says is not asked a hundred times; a stream that counts to 2^64 neither.
    for path in [path for path in document["paths"] if path.startswith(("/v1/delay", "/v1/count"))]:
        del document["paths"][path]
    # It keeps what it remembers where it runs.
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "openapi.json"
        file.write_text(json.dumps(document))
        program = pathlib.Path(sys.executable).parent / "schemathesis"
        words = ["run", file, "--url", base, "--checks", CHECKS, "--max-examples", cases, "--seed", "7"]
        words += ["--phases", "coverage,fuzzing", "--generation-database", "none", "--request-timeout", "15", "--no-color"]
        ran = subprocess.run([program, *words], capture_output=True, text=True, cwd=folder)
    assert ran.returncode == 0, ran.stdout[-20000:] + ran.stderr[-2000:]


kind, *words = sys.argv[1:]
{"generated": generated, "served": served}[kind](*words)
print("well")
