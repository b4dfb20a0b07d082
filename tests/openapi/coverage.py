"""A generated Python client has a function for every operation of the document, all of them load, and some of them run."""

import importlib
import json
import os
import pkgutil
import re
import sys

folder, document = sys.argv[1], json.load(open(sys.argv[2], encoding="utf-8"))
sys.path.insert(0, folder)

import aisled_client
import aisled_client.api


def functions():
    for module in pkgutil.walk_packages(aisled_client.api.__path__, "aisled_client.api."):
        if not module.ispkg:
            yield module.name.rsplit(".", 1)[1], importlib.import_module(module.name)


def snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


known = dict(functions())
named = {snake(operation["operationId"]) for item in document["paths"].values() for operation in item.values()}
missing = {name for name in named if name not in known or not hasattr(known[name], "sync_detailed")}
assert not missing, f"no function for {sorted(missing)}"
assert len(known) == len(named), sorted(set(known) ^ named)

client = aisled_client.AuthenticatedClient(base_url=os.environ["AISLED_URL"], token=os.environ["AISLED_TOKEN"])
found = known["get_list"].sync_detailed("demo:weekly", client=client)
assert found.status_code == 200 and found.parsed.name, found
unknown = known["get_list"].sync_detailed("no-such-list", client=client)
assert unknown.status_code == 404 and unknown.parsed.code == "list_not_found", unknown
events = known["list_events"].sync_detailed(client=client, limit=3)
assert len(events.content.splitlines()) == 3, events
print(f"{len(known)} operations")
