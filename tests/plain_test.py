#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the loader refuses without quotes against what readers of YAML 1.1 and YAML 1.2 do not take for text.

usage: plain_test.py PROFILE_LOAD

The judges are PyYAML's own resolver, the regular expressions of the YAML 1.1 type repository where they say more, and
those of the core schema of YAML 1.2 (section 10.3.2).
"""
import itertools
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

LOADER = sys.argv[1]
SEED = int(os.environ.get("SEED", "1"))
WORDS_IN_FILE = 60      # below the limits of words in a list and of findings

YAML_1_1 = [
    r"y|Y|n|N",
    r"[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+",
    # The repository's "[0-9.]*" behind the point is a slip for "[0-9_]*" and would make "." a number.
    r"[-+]?([0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)([eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*",
]
YAML_1_2 = [
    r"null|Null|NULL|~|",
    r"true|True|TRUE|false|False|FALSE",
    r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+",
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?(\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN",
]
PATTERNS = [re.compile(p) for p in YAML_1_1 + YAML_1_2]
RESOLVER = yaml.resolver.Resolver()

WORDS = """
yes Yes YES yEs no No NO on On ON off Off OFF y Y n N true True TRUE tRUE false False FALSE null Null NULL nULL ~ ~~ =
== 0 00 007 08 089 0o17 0o18 -0o17 0x1f 0X1f -0x1f 0x 0x_ 0b1 0b 0b_ 0b2 +1 -1 +-1 1_000 _1 1_ 0_7 0_8 00:02.0 00:02
11:02 11:2 11:60 11:59 1:2:3 01:02:03 0000:00:02.0 0000:00:1f.0 10de:2783 8086:1234 8086:15 8086:1 8086:15f3 1e5 1E5 1e+5 1.e5
1.0e5 1.0e+5 1_0e5 1_0e+5 1_0.0e5 1_0.0e+5 1.5_0e5 .5 +.5 -.5 ._5 .5_ .5e3 .5e+3 . .. +. 1. -1. +1.5 1.2.3 .e5 e5 1e 1e+
.inf -.inf +.Inf .INF .iNF .nan .NaN .NAN -.nan nan inf 2024-01-31 2024-1-31 2024-01-31T10:20:30 2024-1-1t1:20:30Z
2024-01-31T10:20:30.5+02:00 2024-01-31T10:20:30.-2 2024-01-31T10:20 2024-01-31T10:20:3 2024-01-31T10:20:30z 24-01-31
2024-01-31T10:20:30+2:0 2024-01-31T10:20:30+200 2024-01-31T10:20:30. 12e03 0.0 1:2. 1:2._ 1:2:.0 1::2 :1 1: a b-1
""".split() + ["2024-01-31 10:20:30", "2024-01-31  1:20:30 Z", "2024-01-31 10:20:30 +02:00", "2024-01-31 10:20", "1 2"]


def is_text(word):
    if RESOLVER.resolve(yaml.ScalarNode, word, (True, False)) != "tag:yaml.org,2002:str":
        return False
    return not any(p.fullmatch(word) for p in PATTERNS)


def refused(words):
    """Those of words that the loader does not take without quotes."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "t.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("handover: 1\ndevices: {a: {hostpci: 0}}\npre-start:\n- bind:\n")
            file.writelines(f"  - {word}\n" for word in words)
        text = subprocess.run([LOADER, path], stdout=subprocess.PIPE, text=True, check=False).stdout
    lines = {int(n) for n in re.findall(r":(\d+):\d+: .*\[plain-surprise\]$", text, re.M)}
    return {word for line, word in enumerate(words, 5) if line in lines}


class PlainTest(unittest.TestCase):
    def compare(self, words):
        words = list(dict.fromkeys(words))
        for at in range(0, len(words), WORDS_IN_FILE):
            part = words[at:at + WORDS_IN_FILE]
            self.assertEqual(refused(part), {word for word in part if not is_text(word)})

    def test_known_words(self):
        # "1:" and the like would be keys.
        self.compare(word for word in WORDS if not word.endswith(":") and word != "-")

    def test_all_short_words(self):
        letters = "019.:_+-eExo~n"
        words = ("".join(w) for n in (1, 2, 3) for w in itertools.product(letters, repeat=n))
        self.compare(w for w in words if not w.endswith(":") and not re.match(r"[-:]+$", w))

    def test_random_words(self):
        dice = random.Random(SEED)
        parts = "0 1 5 6 00 59 60 2024 - : . _ e E+ + 0x 0o T Z f".split()
        words = ("".join(dice.choices(parts, k=dice.randint(2, 9))) for _ in range(6000))
        self.compare(w for w in words if not w.endswith(":") and not re.match(r"[-:]+$|---", w))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
