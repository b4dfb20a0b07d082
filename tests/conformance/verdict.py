"""Reads the index of a conformance report, prints the closing table, and fails unless every case is strictly right."""

from __future__ import print_function

import json
import sys

ACCEPTED = ("OK", "INFORMATIONAL")


def main(index, seconds):
    with open(index) as file:
        (cases,) = json.load(file).values()
    if not cases:
        sys.exit("no case was run")
    verdicts = {name: worst(case) for name, case in cases.items()}
    for name in sorted(verdicts, key=place):
        if verdicts[name] not in ACCEPTED:
            case = cases[name]
            print("case %s: %s, its close: %s" % (name, case["behavior"], case["behaviorClose"]))
    count = list(verdicts.values()).count
    failed = len(verdicts) - sum(map(count, ACCEPTED)) - count("NON-STRICT")
    row = (len(verdicts), count("OK"), count("INFORMATIONAL"), count("NON-STRICT"), failed, seconds + " s")
    print("%8s %8s %14s %11s %8s %10s" % ("cases", "ok", "informational", "non-strict", "failed", "duration"))
    print("%8s %8s %14s %11s %8s %10s" % row)
    sys.exit(0 if failed == count("NON-STRICT") == 0 else 1)


def worst(case):
    """The verdict that counts: of the messages and of the close, whichever is not accepted."""
    both = (case["behavior"], case["behaviorClose"])
    return next((one for one in both if one not in ACCEPTED + ("NON-STRICT",)), next((one for one in both if one not in ACCEPTED), both[0]))


def place(name):
    return [int(part) for part in name.split(".")]


main(*sys.argv[1:])
