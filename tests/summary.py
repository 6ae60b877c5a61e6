#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""summary.py SUITE=LOG...: what meson's testlog.json files say, in one line at the end: "N passed, M failed".

Every line "figure NAME VALUE" that a test printed is repeated; where a test ran on the newer kernel or with the
sanitizers, its name says so. Exits with 1 if anything failed, was skipped, or if nothing ran.
"""
import json
import sys


def figures(suite, test):
    suffix = "-newer" if test["name"].endswith("-newer") else ""
    suffix += "-sanitized" if suite == "sanitized" else ""
    for line in (test.get("stdout") or "").splitlines():
        words = line.split()
        if len(words) == 3 and words[0] == "figure":
            print(f"figure {words[1]}{suffix} {words[2]}")


def main():
    passed, failed = 0, []
    for argument in sys.argv[1:]:
        suite, log = argument.split("=", 1)
        with open(log, encoding="utf-8") as lines:
            for line in lines:
                test = json.loads(line)
                figures(suite, test)
                if test["result"] in ("OK", "EXPECTEDFAIL"):
                    passed += 1
                else:
                    failed.append(f"{suite}: {test['name']}: {test['result']}")
    for line in failed:
        print("failed:", line)
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed or not passed else 0


sys.exit(main())
