"""Random files by the schemas for editors: Python's jsonschema says of each what the gateway's own tests say.

    files.py FOLDER    tables.json and settings.json are schemas; each line of the .jsonl beside one is a file
"""

import json
import pathlib
import sys

from jsonschema import Draft7Validator

folder = pathlib.Path(sys.argv[1])
for kind in ("tables", "settings"):
    schema = json.loads((folder / f"{kind}.json").read_text())
    Draft7Validator.check_schema(schema)
    validator = Draft7Validator(schema)
    verdicts = []
    for line in (folder / f"{kind}.jsonl").read_text().splitlines():
        said = json.loads(line)
        error = next(validator.iter_errors(said["file"]), None)
        assert (error is None) == said["valid"], f"{kind}: {error} of {line}"
        verdicts.append(said["valid"])
    assert verdicts.count(True) > 50 and verdicts.count(False) > 50, f"{kind}: {verdicts.count(True)} of {len(verdicts)}"
    print(f"{kind}: {len(verdicts)} files, {verdicts.count(False)} of them wrong: jsonschema says the same of each")
