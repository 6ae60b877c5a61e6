#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The schema of profiles against the loader, both ways.

usage: schema_test.py PROFILE_LOAD SOURCE_ROOT

Every good profile validates. Every bad one that is wrong in what a schema can see is refused by it. Both know the same
keys, actions, options and codes, and the same limits.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import jsonschema
import yaml

LOADER, ROOT = sys.argv[1], sys.argv[2]
PROFILES = os.path.join(ROOT, "tests/profiles")

with open(os.path.join(ROOT, "profiles/profile.schema.json"), encoding="utf-8") as f:
    SCHEMA = json.load(f)
DEFS = SCHEMA["$defs"]
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

# Codes of what a schema never sees: it is given the values a YAML reader has made of a file.
BELOW_SCHEMA = {
    "profile-too-large": "bytes of the file",
    "not-utf8": "bytes of the file",
    "control-character": "characters of the file, or of text that is free otherwise",
    "yaml-syntax": "not YAML at all",
    "yaml-tab": "between the values",
    "yaml-anchor": "resolved by the reader",
    "yaml-alias": "resolved by the reader",
    "yaml-tag": "resolved by the reader",
    "yaml-directive": "before the document",
    "yaml-documents": "a schema judges one document",
    "yaml-merge": "resolved by the reader",
    "duplicate-key": "the reader keeps one of the two",
    "bad-key": "a JSON object has text as keys, whatever stood there",
    "too-deep": "counts what is nested, of any kind",
    "too-many-nodes": "counts the whole file",
    "unknown-device": "names are compared with the keys of another map",
}
# Single profiles whose code a schema sees otherwise.
SEEN_OTHERWISE = {
    "bad-number-form": "01, 0x1, 1.0 and +1 are the number 1 to the reader",
    "plain-surprise-letter": "text to this reader, a bool to others",
    "plain-surprise-octal": "text to this reader, a number to others",
    "plain-surprise-default": "not even a value to this reader",
}


def values(path):
    """What a YAML 1.1 reader makes of a file, as JSON; None stands for what JSON does not have, such as dates."""
    with open(path, "rb") as file:
        return json.loads(json.dumps(yaml.safe_load(file), default=lambda _: None))


def files(folder):
    folder = os.path.join(PROFILES, folder)
    return sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".yaml"))


def stem(path):
    return os.path.basename(path)[:-len(".yaml")]


def codes(path):
    with open(path[:-len(".yaml")] + ".expected", encoding="utf-8") as file:
        return set(re.findall(r"\[([a-z0-9-]+)\]$", file.read(), re.M))


def loads(profiles):
    """Of each of these values, whether the loader takes it. JSON is YAML too."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, f"{i}.yaml") for i in range(len(profiles))]
        for path, profile in zip(paths, profiles):
            with open(path, "w", encoding="utf-8") as file:
                json.dump(profile, file)
        said = subprocess.run([LOADER, *paths], stdout=subprocess.PIPE, text=True, check=False).stdout
    return [f"{path}: loads\n" in said for path in paths]


def findings(text):
    """What the loader says of a text."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "t.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return subprocess.run([LOADER, path], stdout=subprocess.PIPE, text=True, check=False).stdout


def known_words(text, code):
    """The list of valid words in the loader's remedy for a word that is near none of them."""
    lines = [line for line in findings(text).splitlines() if line.endswith(f"[{code}]")]
    assert len(lines) == 1, lines
    what, remedy = lines[0].split("; ", 1)
    assert "'zzzzzzzz'" in what and "..." not in remedy, lines[0]
    return set(re.findall(r"'([^']+)'", remedy))


def limit(name, header="profile.h"):
    with open(os.path.join(ROOT, "src/core", header), encoding="utf-8") as file:
        return int(re.search(rf"#define {name} (\d+)", file.read()).group(1))


def steps_of(phase):
    """The actions the schema allows in a phase, and the schema of each."""
    items = SCHEMA["properties"][phase]["items"]
    refs = [one["$ref"] for one in DEFS[items["$ref"].split("/")[-1]]["oneOf"]]
    return {ref.split("/")[-1]: DEFS[ref.split("/")[-1]] for ref in refs}


class SchemaTest(unittest.TestCase):
    PHASES = ["pre-start", "post-start", "pre-stop", "post-stop", "boot"]
    SECTIONS = PHASES + ["after-network"]

    def test_the_schema_is_one(self):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def test_every_good_profile_validates(self):
        for path in files("good"):
            with self.subTest(stem(path)):
                VALIDATOR.validate(values(path))

    def test_every_bad_structure_is_refused(self):
        for path in files("bad"):
            if codes(path) <= BELOW_SCHEMA.keys() or stem(path) in SEEN_OTHERWISE:
                continue
            with self.subTest(stem(path)):
                try:
                    value = values(path)
                except yaml.YAMLError as error:
                    # Only a file that has something below the schema too may end before it.
                    self.assertTrue(codes(path) & BELOW_SCHEMA.keys(), error)
                    continue
                self.assertFalse(VALIDATOR.is_valid(value))

    def test_no_exception_is_stale(self):
        shown = set().union(*(codes(path) for path in files("bad")))
        shown |= {"profile-too-large", "too-many-nodes"}    # made by profile_test.c
        self.assertLessEqual(BELOW_SCHEMA.keys(), shown)
        for name in SEEN_OTHERWISE:
            with self.subTest(name):
                try:
                    self.assertTrue(VALIDATOR.is_valid(values(os.path.join(PROFILES, "bad", name + ".yaml"))))
                except yaml.constructor.ConstructorError:
                    pass

    def test_top_level_keys_are_the_same(self):
        self.assertEqual(known_words("handover: 1\nzzzzzzzz: 1\n", "unknown-key"), set(SCHEMA["properties"]))

    def test_keys_of_a_device_are_the_same(self):
        self.assertEqual(known_words("handover: 1\ndevices: {d: {at: '00:01.0', zzzzzzzz: 1}}\n", "unknown-key"),
                         set(DEFS["device"]["properties"]))

    def test_keys_of_a_host_are_the_same(self):
        self.assertEqual(known_words("handover: 1\nhosts: [{node: a, devices: {}, zzzzzzzz: 1}]\n", "unknown-key"),
                         set(DEFS["host"]["properties"]))

    def test_accepted_codes_are_the_same(self):
        text = "handover: 1\ndevices: {d: {hostpci: 1}}\naccept: {zzzzzzzz: d}\n"
        self.assertEqual(known_words(text, "unknown-risk"), set(SCHEMA["properties"]["accept"]["properties"]))

    def test_actions_are_the_same(self):
        self.assertEqual(known_words("handover: 1\npre-start: [{zzzzzzzz: 1}]\n", "unknown-action"),
                         set().union(*(steps_of(phase) for phase in self.SECTIONS)))

    def test_options_of_actions_are_the_same(self):
        for phase in self.SECTIONS:
            for action, schema in steps_of(phase).items():
                with self.subTest(action):
                    text = f"handover: 1\n{phase}: [{{{action}: [], zzzzzzzz: 1}}]\n"
                    self.assertEqual(known_words(text, "unknown-key"), set(schema["properties"]))
                    self.assertNotIn("[wrong-phase]", findings(text))
                    missing = set(re.findall(r"needs '([^']+)'", findings(text)))
                    self.assertEqual(missing | {action}, set(schema["required"]))

    def test_actions_stand_in_the_same_phases(self):
        actions = set().union(*(steps_of(phase) for phase in self.SECTIONS))
        for phase in self.SECTIONS:
            for action in actions:
                with self.subTest(phase=phase, action=action):
                    refused = "[wrong-phase]" in findings(f"handover: 1\n{phase}: [{{{action}: []}}]\n")
                    self.assertEqual(refused, action not in steps_of(phase))

    def test_verbs_are_the_same(self):
        for action in ("service", "module"):
            with self.subTest(action):
                text = f"handover: 1\npre-start: [{{{action}: {{zzzzzzzz: x}}}}]\n"
                self.assertEqual(known_words(text, "bad-verb"), set(DEFS[action]["properties"][action]["properties"]))

    def compare(self, steps, phase="pre-start"):
        """Each step, in a profile of its own, is right for both or for neither; returns how many are."""
        profiles = [{"handover": 1, "devices": {"d": {"hostpci": 0}, "e": {"hostpci": 1}}, phase: [step]}
                    for step in steps]
        loaded = loads(profiles)
        for step, profile, right in zip(steps, profiles, loaded):
            with self.subTest(step=step):
                self.assertEqual(VALIDATOR.is_valid(profile), right)
        return sum(loaded)

    def test_times_are_the_same(self):
        most = limit("PHASE_MS", "step.h")
        words = [f"{n}{unit}" for unit in ("s", "ms", "m", "", "h", " s")
                 for n in (*range(101), 999, 1000, 9999, 10000, 29999, 30000, 39999, 40000, 44999, 45000, 45001, 49999,
                           50000, 99999, 100000, most // 1000, most // 1000 + 1, most, most + 1, "01", "-1", "+1", "1.5")]
        words += ["", "s", "1 s", "1s ", " 1s", "1S", "1sms", "0x1s"]
        words = sorted(set(words))
        right = [w for w in words if re.fullmatch(r"[1-9]\d*m?s", w)
                 and int(w.rstrip("ms")) * (1 if w.endswith("ms") else 1000) <= most]
        self.assertEqual(self.compare([{"wait": "d", "for": word} for word in words]), len(right))

    def test_forms_are_the_same(self):
        times = [[], ["1s"], ["1s", "2s"], {"1s": 1}, 1, None, [["1s"]]]
        usb = ["046d:c31c", "046D:C31C", "046d:c31", "046d:c31cc", "046d", "1-2", "1-2.1.15", "1-0", "01-2", "1-2.", "1-",
               "1", "usb1", "1-2:1.0", "999-999", "1000-1", "1-1000", "1-2-3", "", [], ["1-2", "1-2"], ["1-2", ""], {}, 12,
               ["1-2"] * 64, ["1-2"] * 65]
        units = ["a.service", "a@b.socket", "a.target", "a.timer", "a.mount", "a.path", "a.slice", "a.device", "a.scope",
                 "a", "", ".service", "a b.service", "a/b.service", "\u00e4.service", "x:y_z-0.\\x2d.service",
                 "a" * 247 + ".service", "a" * 248 + ".service", [], ["a.service", "a.service"], {}, None,
                 ["a.service"] * 64, ["a.service"] * 65]
        modules = ["vfio_pci", "a-b", "_a", "", "a.b", "a" * 64, "a" * 65, [], ["a", "a"], ["a"] * 65, [["a"]], None]
        commands = ["/bin/x", ["/bin/x"], ["/bin/x", ""], ["/bin/x", "a b", "a b", "/", "..", "\u00e4"], ["/bin/x", 0],
                    ["/bin/x", None], ["/bin/x", "0"], ["/bin/x", ["a"]], "bin/x", "x", "", "/", "//x", "/x/", "/x//y", "/.",
                    "/..", "/../x", "/x/.", "/x/..", "/x/./y", "/...", "/.x", "/x..", "/x y", "/\u00e4", ["a", "/bin/x"], [],
                    {}, None, 1, {"start": "/bin/x"}, "/" + "x" * 199, "/" + "x" * 200, ["/x", "a" * 200], ["/x", "a" * 201],
                    ["/x"] * 64, ["/x"] * 65, ["/x", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"], "/!\"#$%&'()*+,-.:;<=>?@[\\]^_`{|}~"]
        devices = ["d", ["d"], ["d", "e"], ["d", "d"], [], {}, None, "", 1]
        one_word = ["vfio-pci", ["vfio-pci"], ["a", "b"], [], {}, "a.b", "a" * 65, None]
        good = self.compare([{"wait": "d", "for": x} for x in times])
        good += self.compare([{"usb": x} for x in usb])
        good += self.compare([{"run": x} for x in commands])
        good += self.compare([{"run": "/bin/x", "for": x} for x in times])
        for verb in ("restart", "start", "stop", "reload"):
            good += self.compare([{"service": {verb: x}} for x in units])
        for verb in ("load", "unload", "restart"):
            good += self.compare([{"module": {verb: x}} for x in modules])
        for action in ("bind", "check", "cycle", "isolate", "remove", "rescan", "wait"):
            good += self.compare([{action: x} for x in devices])
        good += self.compare([{"isolate": "d", "moving": x} for x in devices])
        for action, option in [("bind", "driver"), ("bind", "return"), ("check", "driver"), ("wait", "driver")]:
            good += self.compare([{action: "d", option: x} for x in one_word])
        good += self.compare([{action: x} for action in ("service", "module")
                              for x in ["a.service", [], ["restart", "a.service"], {}, None,
                                        {"start": "a.service", "stop": "b.service"}, {"load": "a", "unload": "b"}]])
        good += self.compare([{"bind": "d", "wait": "d"}, {}, {"driver": "x"}, {"usb": "1-2", "driver": "x"}, [], "bind"])
        self.assertGreater(good, 80)

    def test_every_action_in_every_phase(self):
        step = {"service": {"restart": "a.service"}, "module": {"load": "a"}, "usb": "1-2", "run": "/bin/x"}
        actions = set().union(*(steps_of(phase) for phase in self.SECTIONS))
        for phase in self.SECTIONS:
            with self.subTest(phase):
                self.assertEqual(self.compare([{a: step.get(a, "d")} for a in sorted(actions)], phase),
                                 len(steps_of(phase)))

    def test_when_busy_is_the_same(self):
        most = int(re.search(r"#define PROFILE_WAIT_MAX_MS \((\d+) \* 60 \* 1000\)",
                             open(os.path.join(ROOT, "src/core/profile.h"), encoding="utf-8").read())[1])
        times = [f"{n}{unit}" for unit in ("ms", "s", "m", "", "h") for n in
                 (0, 1, 9, most - 1, most, most + 1, 60, 99, 100, 599, 600, 601, 999, 59999, 60000, 99999, 100000, 599999,
                  600000, 600001, 1000000, "01", "-1", "1.5", " 1")]
        values = [{"wait": time} for time in times] + ["refuse", "wait", "", None, 1, [], ["refuse"], {}, {"refuse": "60s"},
                  {"wait": "60s", "refuse": "60s"}, {"wait": ["60s"]}, {"wait": 60}, {"wait": None}, {"wait": {}}, True]
        loaded = loads([{"handover": 1, "when-busy": value} for value in values])
        for value, right in zip(values, loaded):
            with self.subTest(value=value):
                self.assertEqual(VALIDATOR.is_valid({"handover": 1, "when-busy": value}), right)
        self.assertGreater(sum(loaded), 15)
        beside_boot = {"handover": 1, "when-busy": {"wait": "60s"}, "boot": []}
        self.assertEqual((loads([beside_boot]), VALIDATOR.is_valid(beside_boot)), ([False], False))

    def test_network_is_the_same(self):
        values = ["restore", "ifreload", "none", "Restore", "restore ", "", "off", None, False, 1, [], ["none"], {}, {"none": "none"}]
        self.assertEqual(self.compare_profiles([{"handover": 1, "network": value} for value in values]), 3)
        self.assertEqual(self.compare_profiles([{"handover": 1, "network": "none", "boot": []}]), 1)

    def test_after_network_is_the_same(self):
        steps = [{"service": {"restart": "a.service"}}, {"run": "/bin/x"}]
        values = [steps, steps[:1], [], None, steps[0], "restart", {}, 1, [[]], [{"bind": "d"}], steps * 32, steps * 32 + steps[:1]]
        networks = [{}, *({"network": word} for word in ("restore", "ifreload", "none"))]
        self.assertEqual(self.compare_profiles([{"handover": 1, "after-network": value, **network}
                                                for value in values for network in networks]), 3 * 5 + 2)
        self.assertEqual(self.compare_profiles([{"handover": 1, "after-network": value, "boot": []}
                                                for value in values]), 0)

    def compare_profiles(self, profiles):
        """Each is right for both or for neither; returns how many are."""
        loaded = loads(profiles)
        for profile, right in zip(profiles, loaded):
            with self.subTest(profile=profile):
                self.assertEqual(VALIDATOR.is_valid(profile), right)
        return sum(loaded)

    def test_hosts_are_the_same(self):
        words = ["pve1", "", "a.b", "../x", "/x", ".x", "a" * 64, "a" * 65, "0" * 32, "0" * 31, "0" * 33, "G" * 32, "aF" * 16,
                 "HP EliteDesk 800 G4 DM 35W", "x" * 128, "x" * 129, [], ["pve1", "pve2"], ["pve1", "pve1"], ["pve1", ""], {},
                 None, 1, True, ["x"] * 65, ["0" * 32, "1" * 32], [["pve1"]]]
        entries = [{key: word, "devices": {}} for key in ("node", "dmi", "machine-id") for word in words]
        entries += [{"node": "a", "devices": devices} for devices in
                    ({"d": {"id": "8086:1234"}}, {"d": {}}, {"d": None}, None, [], "d", {"a.b": {"hostpci": 0}}, {"": {"hostpci": 0}},
                     {f"d{n}": {"hostpci": 0} for n in range(64)}, {f"d{n}": {"hostpci": 0} for n in range(65)})]
        entries += [{"node": "a"}, {"devices": {}}, {}, [], "a", None, {"node": "a", "dmi": "b", "devices": {}},
                    {"node": "a", "machine-id": "0" * 32, "devices": {}}, {"node": "a", "devices": {}, "pre-start": []}]
        good = self.compare_profiles([{"handover": 1, "hosts": [entry]} for entry in entries])
        self.assertGreater(good, 15)
        hosts = [[], None, {}, "a", {"node": "a", "devices": {}}, [{"node": "a", "devices": {}}] * 64,
                 [{"node": "a", "devices": {}}] * 65]
        self.assertEqual(self.compare_profiles([{"handover": 1, "hosts": x} for x in hosts]), 1)

    def test_extends_is_the_same(self):
        names = ["base", "a-b_c", "0a", "../x", "a/b", "/x", ".", "..", ".x", "a.yaml", "a b", "", "a" * 64, "a" * 65, None, 1, [],
                 ["base"], {}, True, "\u00e4", "~x", "-x", "_x"]
        self.assertEqual(self.compare_profiles([{"handover": 1, "extends": x} for x in names]), 4)

    def test_selectors_by_usb_are_the_same(self):
        words = ["046d:c31c", "046D:C31C", "046d:c31", "1-2", "1-2.1.15", "1-0", "usb1", "", [], ["1-2"], {}, None, 12, "1-2 "]
        selectors = [{"usb": word} for word in words]
        selectors += [{"usb": "1-2", "functions": "all"}, {"functions": "all"}, {"hostpci": 0, "functions": "all"}, {},
                      {"usb": "1-2", "id": "8086:1234", "at": "00:14.0", "hostpci": 3}]
        self.assertEqual(self.compare_profiles([{"handover": 1, "devices": {"d": x}} for x in selectors]), 6)

    def test_boot_stands_alone(self):
        profiles = [{"handover": 1, **{phase: value for phase in chosen}}
                    for value in ([], None)
                    for chosen in ([], ["boot"], *([p] for p in self.PHASES[:-1]), *(["boot", p] for p in self.PHASES[:-1]),
                                   self.PHASES[:-1], self.PHASES)]
        loaded = loads(profiles)
        for profile, right in zip(profiles, loaded):
            with self.subTest(profile=profile):
                self.assertEqual(right, "boot" not in profile or len(profile) == 2)
                self.assertEqual(VALIDATOR.is_valid(profile), right)

    def test_limits_are_the_same(self):
        top = SCHEMA["properties"]
        self.assertEqual(top["handover"]["const"], limit("PROFILE_VERSION"))
        self.assertEqual(top["name"]["maxLength"], limit("PROFILE_NAME_MAX"))
        self.assertEqual(DEFS["devices"]["maxProperties"], limit("PROFILE_DEVICES_MAX"))
        self.assertEqual(top["hosts"]["maxItems"], limit("PROFILE_HOSTS_MAX"))
        self.assertEqual(DEFS["dmi"]["maxLength"], limit("PROFILE_DMI_MAX"))
        for key in ("node", "dmi", "machine-id"):
            self.assertEqual(DEFS["host"]["properties"][key]["anyOf"][1]["maxItems"], limit("PROFILE_WORDS_MAX"))
        for phase in self.SECTIONS:
            self.assertEqual(top[phase]["maxItems"], limit("PROFILE_STEPS_MAX"))
        self.assertEqual(DEFS["word"]["maxLength"], limit("PROFILE_WORD_MAX"))
        for words in ("device-names", "usb-devices", "units", "modules"):
            self.assertEqual(DEFS[words]["anyOf"][1]["maxItems"], limit("PROFILE_WORDS_MAX"))
        path, words = DEFS["command"]["anyOf"]
        self.assertEqual(words["maxItems"], limit("PROFILE_WORDS_MAX"))
        for text in (path, words["prefixItems"][0], words["items"]):
            self.assertEqual(text["maxLength"], limit("PROFILE_COMMAND_MAX"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
