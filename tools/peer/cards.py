"""A dataset's croissant.json and dataset.spdx.json, held against what their publishers check with.

    python cards.py FOLDER [SPDX-SCHEMA.json]

Croissant: MLCommons' own reader, whose errors and warnings are printed, and which reads the first records as the document says.
SPDX: its object model as published (types, properties, cardinality), and SPDX's JSON Schema 3.0.1 where a copy of it is given.
Prints one JSON line.
"""

import json
import logging
import sys
from importlib.metadata import version
from pathlib import Path

import jsonschema
import mlcroissant
from spdx_python_model import v3_0_1 as model


class Kept(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def croissant(folder):
    kept = Kept()
    logging.getLogger().addHandler(kept)
    result = {"mlcroissant": version("mlcroissant"), "errors": [], "first": {}}
    try:
        dataset = mlcroissant.Dataset(jsonld=str(folder / "croissant.json"))
        result["errors"] = sorted(dataset.metadata.ctx.issues.errors)
        result["warnings"] = sorted(dataset.metadata.ctx.issues.warnings)
        for record_set in dataset.metadata.record_sets:
            first = next(iter(dataset.records(record_set.id)))
            result["first"][record_set.id] = sorted(first)
    except Exception as error:  # noqa: BLE001
        result["errors"].append(f"{type(error).__name__}: {error}")
    result["logged"] = kept.lines
    return result


def spdx(folder, schema):
    path = folder / "dataset.spdx.json"
    result = {"spdx-python-model": version("spdx-python-model"), "model_errors": []}
    try:
        objects = model.SHACLObjectSet()
        with path.open("rb") as file:
            model.JSONLDDeserializer().read(file, objects)
        result["objects"] = len(list(objects.foreach()))
        # Writing holds every object to the least count of each property.
        model.JSONLDSerializer().serialize_data(objects)
    except Exception as error:  # noqa: BLE001
        result["model_errors"].append(f"{type(error).__name__}: {error}")
    if schema:
        validator = jsonschema.Draft202012Validator(json.loads(Path(schema).read_text()))
        errors = validator.iter_errors(json.loads(path.read_text()))
        result["schema_errors"] = [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in errors]
    return result


if __name__ == "__main__":
    where = Path(sys.argv[1])
    print(json.dumps({"croissant": croissant(where), "spdx": spdx(where, sys.argv[2] if len(sys.argv) > 2 else None)}))
