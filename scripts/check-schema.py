#!/usr/bin/env python3
"""Checks docs/policy.schema.json with a validator that knows nothing of launch-jail (PyPI: jsonschema, PyYAML).

Every shipped policy and every valid sample must pass; every invalid sample must fail, except those called
`*.parser-only.yaml`, which no schema can refuse and which must pass it, so that the name stays true. The keys of the
schema must be those that docs/policy-reference.md lists. The Swift tests parse the same samples.
"""
import json
import pathlib
import re
import sys

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "Tests" / "JailPolicyTests" / "Samples"


class NotText:
    """A plain scalar that YAML 1.2 reads as a number or boolean in a spelling that policies do not have."""


class Loader(yaml.SafeLoader):
    """YAML 1.2's core schema, as the parser sees it: `yes` and `off` are text, `010` is no number."""


Loader.yaml_implicit_resolvers = {}
for tag, expression, first in [
    ("bool", r"^(?:true|false)$", "tf"),
    ("int", r"^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
]:
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(expression), list(first))
Loader.add_implicit_resolver(
    "!other",
    re.compile(
        r"^(?:True|TRUE|False|FALSE|0x[0-9a-fA-F]+|0o[0-7]+|[-+]?0[0-9]+|\+[0-9]+|[-+]?[0-9]+[eE][-+]?[0-9]+"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("TF0123456789+-."),
)
Loader.add_constructor("!other", lambda loader, node: NotText())


def load(path):
    return yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)


def paths(schema, prefix=""):
    """The key paths of a schema: `a.b`, and `a[].b` for mappings inside lists."""
    found = set()
    for name, member in schema.get("properties", {}).items():
        path = prefix + name
        inner = paths(member, path + ".")
        if inner:
            found |= inner
            continue
        found.add(path)
        for items in [member.get("items", {})] + member.get("items", {}).get("anyOf", []):
            found |= paths(items, path + "[].")
    return found


def main():
    mistakes = []
    schema = json.loads((ROOT / "docs" / "policy.schema.json").read_text(encoding="utf-8"))
    validator_class = jsonschema.validators.validator_for(schema)
    validator_class.check_schema(schema)
    validator = validator_class(schema)

    count = 0
    for path in sorted((ROOT / "policies").glob("*.yaml")) + sorted((SAMPLES / "valid").glob("*.yaml")):
        count += 1
        for error in validator.iter_errors(load(path)):
            mistakes.append(f"{path.relative_to(ROOT)}: refused: {error.json_path}: {error.message}")
    for path in sorted((SAMPLES / "invalid").glob("*.yaml")):
        count += 1
        is_parser_only = path.name.endswith(".parser-only.yaml")
        try:
            is_valid = validator.is_valid(load(path))
        except yaml.YAMLError:
            is_valid = is_parser_only  # Refused before any schema is asked.
        if is_valid != is_parser_only:
            mistakes.append(f"{path.relative_to(ROOT)}: {'accepted' if is_valid else 'refused by the schema too: rename it'}")

    reference = (ROOT / "docs" / "policy-reference.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^- `([^`]+)`$", reference.split("\n## All keys\n")[1], re.MULTILINE))
    for path in sorted(listed ^ paths(schema)):
        mistakes.append(f"{path}: only in the {'reference' if path in listed else 'schema'}")

    for mistake in mistakes:
        print(mistake, file=sys.stderr)
    if mistakes or count < 50:
        sys.exit(f"{len(mistakes)} mistakes in {count} policies")
    print(f"{count} policies and {len(listed)} keys agree with docs/policy.schema.json")


if __name__ == "__main__":
    main()
