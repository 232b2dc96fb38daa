"""OASIS's JSON schemas of CACAO 2.0 as a judge: as they declare themselves (draft 7), and as they are meant (nothing unknown)."""

import json
import os
from pathlib import Path

import jsonschema_rs
import pytest

SHARED = Path(os.environ.get("SHOPWARD_SHARED", Path(__file__).parents[2] / "shared"))
FOLDER = SHARED / "data" / "vectors" / "cacao" / "schemas"
BASE = "https://raw.githubusercontent.com/oasis-open/cacao-json-schemas/main/schemas/"


class Judge:
    """Says whether a document is valid, and why not."""

    def __init__(self):
        files = {
            str(file.relative_to(FOLDER)): json.loads(file.read_text("utf-8"))
            for file in FOLDER.rglob("*.json")
        }
        draft7 = jsonschema_rs.Registry([(BASE + name, schema) for name, schema in files.items()])
        self.declared = jsonschema_rs.Draft7Validator(files["playbook.json"], registry=draft7)
        for schema in files.values():
            schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
        # It forbids what every command that builds on it requires; the commands themselves are asked below.
        del files["commands/command-data.json"]["unevaluatedProperties"]
        registry = jsonschema_rs.Registry([(BASE + name, schema) for name, schema in files.items()])
        self.meant = jsonschema_rs.Draft202012Validator(files["playbook.json"], registry=registry)
        self.commands = {
            name: jsonschema_rs.Draft202012Validator(files[f"commands/{name}.json"], registry=registry)
            for name in ("manual", "http-api")
        }

    def faults(self, document):
        """What is wrong, empty for nothing."""
        found = [str(each.message) for each in self.declared.iter_errors(document)]
        found += [f"{each.instance_path}: {each.message}" for each in self.meant.iter_errors(document)]
        steps = document.get("workflow")
        for step in steps.values() if isinstance(steps, dict) else ():
            commands = step.get("commands") if isinstance(step, dict) else None
            for command in commands if isinstance(commands, list) else ():
                judge = self.commands.get(str(command.get("type"))) if isinstance(command, dict) else None
                found += [] if judge is None else [str(each.message) for each in judge.iter_errors(command)]
        return found


def judge():
    """One, or a skip where the schemas are not on this machine."""
    if not FOLDER.is_dir():
        pytest.skip("OASIS's schemas are not on this machine (SHOPWARD_SHARED)")
    return Judge()
