"""Kubernetes' strict schemas out of the wheel of kubernetes-validate: from-wheel.py WHEEL FOLDER VERSION…"""

import json
import pathlib
import sys
import zipfile

wheel, folder, *versions = sys.argv[1:]
archive = zipfile.ZipFile(wheel)
for version in versions:
    target = pathlib.Path(folder, version)
    target.mkdir(parents=True)
    for name in archive.namelist():
        if f"/v{version}-local-strict/" not in name or not name.endswith(".json"):
            continue
        # Addresses that no tool can resolve offline.
        schema = json.loads(archive.read(name).decode().replace('"/api/_definitions.json#', '"_definitions.json#'))
        schema.pop("$id", None)
        (target / pathlib.Path(name).name).write_text(json.dumps(schema))
