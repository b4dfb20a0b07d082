"""A session of the Python client `websockets`, run by tests/interop.rs with the server's address. Any failure is its exit code."""

import json
import sys

from websockets.sync.client import connect

# Over 1 KiB in UTF-8, so that both sides compress it.
NOTE = "Grüße – " * 110
PATIENCE_SECONDS = 60


def main(url):
    with connect(url, subprotocols=["aisled.v1+json"], compression="deflate", open_timeout=PATIENCE_SECONDS) as socket:
        assert socket.subprotocol == "aisled.v1+json", socket.subprotocol
        (extension,) = socket.protocol.extensions
        assert extension.name == "permessage-deflate", extension
        assert extension.remote_no_context_takeover and extension.local_no_context_takeover, extension

        def receive(fits):
            while True:
                message = json.loads(socket.recv(timeout=PATIENCE_SECONDS))
                if fits(message):
                    return message

        def ask(request):
            socket.send(json.dumps(request))
            return receive(lambda message: message.get("id") == request["id"])

        hello = receive(lambda message: True)
        assert hello["type"] == "hello", hello

        start = ask({"id": 1, "op": "subscribe", "topics": [{"topic": "list:weekly"}]})["topics"][0]
        assert start["snapshot"]["name"] == "Weekly", start

        for number in range(3):
            item = f"python-{number}"
            add = {"op": "add_item", "item": item, "name": item, "quantity": {"amount": "1", "unit": "each"}, "note": NOTE}
            # Sent in two fragments: the compressed message is put together again.
            text = json.dumps({"id": item, "op": "command", "entity": "list", "entity_id": "weekly", "command": add})
            socket.send([text[:700], text[700:]])
            # The answer and the push may come in either order.
            seen = {}
            while set(seen) != {"done", "event"}:
                message = receive(lambda message: message["type"] in ("done", "event", "error"))
                seen[message["type"]] = message
            assert seen["done"]["id"] == item, seen
            assert seen["event"]["event"]["data"]["note"] == NOTE.strip(), seen
            assert seen["event"]["position"] == seen["done"]["position"], seen

        again = ask({"id": 2, "op": "subscribe", "topics": [{"topic": "list:weekly"}]})["topics"][0]
        notes = [item.get("note") for item in again["snapshot"]["items"] if item["id"].startswith("python-")]
        assert notes == [NOTE.strip()] * 3, again


main(sys.argv[1])
