#!/usr/bin/env python3
"""Checks report.json files against docs/report.schema.json with the validator of PyPI's jsonschema.

Without arguments: the schema itself, and the reports that the golden tests record. Those are checked with every object
closed, so that a key which the program writes and the schema does not know is an error here.
"""
import copy
import json
import pathlib
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    sys.exit("check-report-schema: needs `pip install jsonschema`")

ROOT = pathlib.Path(__file__).resolve().parent.parent


def closed(schema):
    """The schema with every object that names its keys allowing no other."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: closed(value) for key, value in schema.items()}
    if out.get("type") == "object" and "properties" in out:
        out.setdefault("additionalProperties", False)
    return out


def check(validator, path):
    try:
        report = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        print(f"{path}: {error}")
        return 1
    errors = sorted(validator.iter_errors(report), key=lambda error: error.json_path)
    for error in errors:
        print(f"{path}: {error.json_path}: {error.message[:200]}")
    return len(errors)


def main(arguments):
    schema = json.loads((ROOT / "docs" / "report.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    if arguments:
        paths, validator = [pathlib.Path(name) for name in arguments], Draft202012Validator(schema)
    else:
        golden = ROOT / "Tests" / "JailReportTests" / "Golden"
        paths = sorted(golden.glob("report-*.json"))
        validator = Draft202012Validator(closed(copy.deepcopy(schema)))
        if not paths:
            sys.exit(f"check-report-schema: no report in {golden}")
    failures = sum(check(validator, path) for path in paths)
    print(f"{len(paths)} reports, {failures} errors")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
