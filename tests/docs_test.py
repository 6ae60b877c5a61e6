#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual pages against the program, the sources and the schema.

usage: docs_test.py HANDOVER SOURCE_ROOT

A command, option, exit status, finding code or key that one of them has and the other has not is a failure. So is an
example that the program refuses, and a page that scdoc cannot render.
"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

HANDOVER, ROOT = os.path.abspath(sys.argv[1]), sys.argv[2]
PAGES = ["handover.8", "handover-profile.5", "handover-host.5", "handover.conf.5"]

# Files with a call of finding_add() or refuse() whose code is no literal, and where the codes are then found.
CODES_BY_NAME = {
    "src/core/prepare.c": "refuse()'s own, whose callers are seen",
    "src/core/rails.c": "the codes of stakes and of struct trouble",
}


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
        return f.read()


def page(name):
    return read("doc", name + ".scd")


def section(name, title):
    """The text of a section, up to the next one. '#' starts a comment in literal text."""
    text, inside, literal = [], False, False
    for line in page(name).splitlines():
        literal ^= line == "```"
        if line.startswith("# ") and not literal:
            inside = line == "# " + title
        elif inside:
            text.append(line)
    if not text:
        raise AssertionError(f"{name} has no section {title}")
    return "\n".join(text)


def plain(text):
    """scdoc's source without its marks, for text that has no underscores of its own."""
    return re.sub(r"\+\+$|[*_\\]", "", text, flags=re.M)


def literals(name):
    return [re.sub(r"\\(.)", r"\1", b) for b in re.findall(r"^```\n(.*?)^```$", page(name), re.S | re.M)]


def run(*args):
    return subprocess.run([HANDOVER, *args], capture_output=True, text=True, check=False)


def defined(text):
    """What stands in bold at the start of a paragraph of its own, before a ':' or alone."""
    return re.findall(r"(?<=\n)\*([a-z-]+)\*(?=: |$)", "\n" + text, re.M)


def rows(text):
    """The rows of all tables of a text: the first cell, which is in bold, and the second."""
    found = re.findall(r"^\|  \*([^*]+)\*\n:  ((?:.+\n?)+?)(?=^\||^$|\Z)", text, re.M)
    return [(first, " ".join(second.split())) for first, second in found]


def defined_number(header, name):
    return int(re.search(rf"#define {name}\s+\(?(\d+)", read(header))[1])


def limits():
    """The numbers in the programs that handover-profile.5 gives, by its rows."""
    found = {}
    for what, header, name, unit in [
            ("the file", "profile.h", "PROFILE_BYTES_MAX", "KiB"),
            ("*name*", "profile.h", "PROFILE_NAME_MAX", "bytes"),
            ("the name of a device, driver, module, base or node", "profile.h", "PROFILE_WORD_MAX", "bytes"),
            ("names of devices, in all entries of *devices* and *hosts* and in all files", "profile.h", "PROFILE_DEVICES_MAX", ""),
            ("entries of *hosts*", "profile.h", "PROFILE_HOSTS_MAX", ""),
            ("a word of *dmi*", "profile.h", "PROFILE_DMI_MAX", "bytes"),
            ("bases, each of which extends the next", "profile.h", "PROFILE_BASES_MAX", ""),
            ("steps of a phase, or of *after-network*", "profile.h", "PROFILE_STEPS_MAX", ""),
            ("words of a list", "profile.h", "PROFILE_WORDS_MAX", ""),
            ("keys of a map", "yaml.h", "YAML_KEYS_MAX", ""),
            ("lists and maps inside one another", "yaml.h", "YAML_DEPTH_MAX", ""),
            ("keys, words, lists and maps of the file together", "yaml.h", "YAML_NODES_MAX", ""),
            ("steps of a plan, one for each PCI function that *bind* lends", "step.h", "PLAN_STEPS_MAX", "")]:
        found[what] = f"{defined_number('src/core/' + header, name)} {unit}".strip()
    found["the name of a unit"] = f"{defined_number('src/base/str.h', 'STR_UNIT_MAX')} bytes"
    found["the path of a command, and each argument"] = (
        f"{defined_number('src/core/profile.h', 'PROFILE_COMMAND_MAX')} bytes")
    found["a _TIME_"] = f"{defined_number('src/core/step.h', 'PHASE_MS') // 1000} seconds"
    found["the _TIME_ of *when-busy*"] = "%d minutes" % int(
        re.search(r"#define PROFILE_WAIT_MAX_MS \((\d+) \* 60 \* 1000\)", read("src/core/profile.h"))[1])
    found["PCI functions that leave and come back in one step, fewer where many siblings stay"] = str(
        defined_number("src/core/place.h", "PLACE_FUNCTIONS_MAX"))
    return found


def without_comments(source):
    return re.sub(r"/\*.*?\*/", "", source, flags=re.S)


def sources():
    for path in sorted(glob.glob(os.path.join(ROOT, "src/**/*.c"), recursive=True)
                       + glob.glob(os.path.join(ROOT, "hooks/*.c"))):
        yield os.path.relpath(path, ROOT), without_comments(read(path))


def codes_in_sources():
    codes, elsewhere = set(), set()
    for path, text in sources():
        for call in re.findall(r"\bfinding_add\s*\(([^;{]*)", text):
            code = re.match(r'[^"]*?\bSEVERITY_\w+\s*,\s*"([^"]+)"', call)
            if code:
                codes.add(code[1])
            elif not call.startswith("struct findings"):
                elsewhere.add(path)
        codes.update(re.findall(r'\bstake_add\s*\(\s*\w+(?:->\w+)*\s*,\s*"([a-z-]+)"', text))
        codes.update(re.findall(r'(?:\.code = |\{ )"([a-z-]+)"(?:, (?:true|false)|,\s)', text) if path.endswith("rails.c") else [])
        codes.update(re.findall(r'\brefuse\s*\(\s*\w+\s*,\s*\w+\s*,\s*"([a-z-]+)"\s*,', text))
    codes.update(re.findall(r'\[CODE_\w+\]\s*=\s*"([^"]+)"', read("src/core/profile_codes.c")))
    return codes, elsewhere


class Program(unittest.TestCase):
    """handover.8 and `handover --help`."""

    HELP = run("--help").stdout

    def synopses(self):
        return sorted(re.findall(r"^handover .*$", self.HELP, re.M))

    def test_help_is_there(self):
        self.assertGreater(len(self.synopses()), 1)

    def test_synopsis_has_the_commands(self):
        lines = plain(section("handover.8", "SYNOPSIS")).split("\n")
        self.assertEqual(sorted(filter(None, lines)), self.synopses())

    def test_commands_are_described(self):
        lines = re.findall(r"^\*handover [a-z]+\*.*$", section("handover.8", "COMMANDS"), re.M)
        # The hook's form has a section of its own.
        self.assertEqual(sorted(map(plain, lines)), [s for s in self.synopses() if not s.startswith("handover VMID")])

    def test_phases_are_described(self):
        # boot is none of the hook's; it is in handover-profile.5.
        phases = [p for p in re.findall(r'= "([a-z-]+)"', read("src/core/phase.c")) if p != "boot"]
        self.assertEqual(defined(section("handover.8", "PHASES")), phases)
        for phase in phases:
            self.assertIn(phase, self.HELP)

    def test_options_are_described(self):
        helped = re.findall(r"^  (--[a-z-]+)(?: ([A-Z]+))?  ", self.HELP, re.M)
        described = re.findall(r"^\*(--[a-z-]+)\*(?: _([A-Z]+)_)?$", section("handover.8", "OPTIONS"), re.M)
        self.assertTrue(helped)
        self.assertEqual(sorted(described), sorted(helped))

    def test_options_of_help_are_options(self):
        for option, value in re.findall(r"^  (--[a-z-]+)(?: ([A-Z]+))?  ", self.HELP, re.M):
            said = run(option, *(["/dev/null"] if value else [])).stderr
            self.assertNotIn("no option", said)

    def test_exit_statuses_are_the_same(self):
        text = re.search(r"^Exit status: (.*?)\.$", self.HELP, re.M | re.S)[1]
        helped = {}
        for part in re.split(r"; (?=\d )", re.sub(r"\s+", " ", text)):
            status, meaning = part.split(" ", 1)
            helped[status] = meaning
        self.assertEqual(sorted(helped), ["0", "1", "2", "3", "4", "5", "6"])
        self.assertEqual(dict(rows(section("handover.8", "EXIT STATUS"))), helped)

    def test_time_limits_are_the_programs(self):
        text = section("handover.8", "TIME LIMITS")
        for what, header, name in [("a write to the kernel", "core/step.h", "WRITE_MS"),
                                   ("binding a device, loading a module", "core/step.h", "BIND_MS"),
                                   ("all steps of pre-start", "core/step.h", "PHASE_MS"),
                                   ("all steps on the way back", "core/step.h", "PHASE_MS"),
                                   ("the VM's lock, and then the locks of its devices", "core/step.h", "LOCK_MS"),
                                   ("*qm set* and *pct set*", "verb/register_pve.c", "SET_MS"),
                                   ("the try to call the hook", "verb/register_pve.c", "TRY_MS"),
                                   ("looking at a storage", "verb/register_link.c", "ANSWER_MS"),
                                   ("another *register* or *unregister*", "core/step.h", "LOCK_MS"),
                                   ("reading a file that the kernel may lock", "host/reader.h", "READ_MS")]:
            with self.subTest(what):
                self.assertIn(f"\n|  {what}\n:  {defined_number('src/' + header, name) // 1000} seconds", text)

    def test_files_are_the_programs(self):
        files = section("handover.8", "FILES")
        for header, name in [("prepare.h", "PROFILE_FOLDER_HOST"), ("prepare.h", "PROFILE_FOLDER_CLUSTER"), ("prepare.h", "PROFILE_FOLDER_SHARED"),
                             ("store.h", "STORE_PATH")]:
            path = re.search(rf'#define {name} "([^"]+)"', read("src/core", header))[1]
            self.assertRegex(files, rf"(?m)^_{path}/")
        for header, name in [("policy.h", "POLICY_PATH"), ("prepare.h", "PROFILE_HOST")]:
            path = re.search(rf'#define {name} "([^"]+)"', read("src/core", header))[1]
            self.assertRegex(files, rf"(?m)^_{re.escape(path)}_$")


    def test_what_is_said_of_commands_is_so(self):
        text = section("handover-profile.5", "STEPS")
        self.assertIn(f"of more than {defined_number('src/host/child.h', 'CHILD_OUTPUT_BYTES')} bytes", text)
        default = defined_number("src/action/run.c", "RUN_DEFAULT_MS") // 1000
        self.assertIn(f"How long it may run. Default: _{default}s_.", text)
        self.assertIn(f"*for*, which is {default} seconds if", section("handover.8", "TIME LIMITS"))
        self.assertIn(f"cut after {defined_number('src/core/said.h', 'SAID_LINE_BYTES') - 1} bytes",
                      section("handover.8", "DIAGNOSTICS"))


class Completion(unittest.TestCase):
    """What bash offers, and the help."""

    HELP = run("--help").stdout
    PHASES = ["post-start", "post-stop", "pre-start", "pre-stop"]

    def offered(self, *words):
        """For the last word; as on a machine without guests."""
        done = subprocess.run([os.path.join(ROOT, "tests/cli/complete"), os.path.join(ROOT, "doc/handover.bash"),
                               HANDOVER, *words], cwd=os.path.join(ROOT, "profiles"), capture_output=True, text=True,
                              check=True)
        self.assertEqual(done.stderr, "")
        return [word for word in done.stdout.splitlines() if word and not word.isdecimal()]

    def test_commands_are_offered(self):
        commands = sorted(set(re.findall(r"^handover ([a-z-]+)", self.HELP, re.M)))
        self.assertGreater(len(commands), 8)
        self.assertEqual(self.offered(""), commands)
        self.assertEqual(self.offered("--json", "--host", "x", ""), commands)
        self.assertEqual(self.offered("reh"), ["rehearse"])

    def test_options_are_offered(self):
        options = sorted(re.findall(r"^  (--[a-z-]+)", self.HELP, re.M))
        self.assertGreater(len(options), 5)
        self.assertEqual(self.offered("--"), options)
        self.assertEqual(self.offered("plan", "100", "--"), options)

    def test_arguments_are_offered(self):
        """What a command takes stands in capitals in the help."""
        for command, takes in re.findall(r"^handover ([a-z-]+)(.*)$", self.HELP, re.M):
            with self.subTest(command):
                files = sorted(os.listdir(os.path.join(ROOT, "profiles"))) if "FILE" in takes else []
                self.assertEqual(self.offered(command, ""), sorted(files + (self.PHASES if "PHASE" in takes else [])))

    def test_options_values_are_offered(self):
        for option, value in re.findall(r"^  (--[a-z-]+)(?: ([A-Z]+))?  ", self.HELP, re.M):
            with self.subTest(option):
                if value == "FILE":
                    self.assertEqual(self.offered("plan", option, "gpu"), ["gpu-and-audio.yaml"])

    def test_phases_are_offered(self):
        self.assertEqual(self.offered("100", "po"), ["post-start", "post-stop"])
        self.assertEqual(self.offered("plan", "100", "pre-sta"), ["pre-start"])


class Codes(unittest.TestCase):
    """The codes of findings in handover-profile.5 and handover.conf.5, and in the sources."""

    def described(self):
        return [code for name in ("handover-profile.5", "handover.conf.5")
                for code, _ in rows(section(name, "FINDINGS")) if code != "Code"]

    def test_codes_are_found_in_the_sources(self):
        codes, elsewhere = codes_in_sources()
        self.assertGreater(len(codes), 40)
        self.assertEqual(elsewhere, set(CODES_BY_NAME), "a code that is no literal cannot be seen here")

    def test_codes_are_described(self):
        described = self.described()
        self.assertEqual(len(described), len(set(described)), "one is described twice")
        self.assertEqual(set(described), codes_in_sources()[0])


    def test_codes_are_shown(self):
        """Each code has a command that answers with it, a bad profile, or a test that asks for it by name."""
        tests = "".join(read(path) for path in glob.glob(os.path.join(ROOT, "tests/*_test.c")))
        shown = set(re.findall(r'"([a-z][a-z0-9-]+)"', tests))
        shown.update(name.lower().replace("_", "-") for name in re.findall(r"\bCODE_([A-Z0-9_]+)", tests))
        for pattern in ("tests/cli/*.case", "tests/hosts/*.case", "tests/profiles/bad/*.expected"):
            for path in glob.glob(os.path.join(ROOT, pattern)):
                shown.update(re.findall(r"\[([a-z][a-z0-9-]+)\]", read(path)))
        uncovered = codes_in_sources()[0] - shown
        print("figure finding-codes-uncovered", len(uncovered))
        self.assertEqual(uncovered, set())
    def test_codes_of_the_policy_stand_in_its_page(self):
        codes = {code for code in codes_in_sources()[0] if code.startswith("policy-")}
        self.assertTrue(codes)
        self.assertEqual({code for code, _ in rows(section("handover.conf.5", "FINDINGS")) if code != "Code"}, codes)

    def test_notes_are_told_from_errors(self):
        notes = {code for _, text in sources() for code in re.findall(r'SEVERITY_NOTE\s*,\s*"([^"]+)"', text)}
        self.assertEqual({code for code, text in rows(section("handover-profile.5", "FINDINGS"))
                          if text.startswith("A note")}, notes)

    def test_codes_of_profiles_and_of_hosts_stand_in_their_tables(self):
        table = section("handover-profile.5", "FINDINGS").split("The second table")[0]
        names = set(re.findall(r'\[CODE_\w+\]\s*=\s*"([^"]+)"', read("src/core/profile_codes.c")))
        prepare = set(re.findall(r'"(profile-[a-z-]+)"', read("src/core/prepare.c")))
        self.assertEqual({code for code, _ in rows(table) if code != "Code"}, names | prepare)


class Keys(unittest.TestCase):
    """The keys in handover-profile.5 and in the schema."""

    SCHEMA = json.loads(read("profiles/profile.schema.json"))

    def follow(self, ref):
        return self.SCHEMA["$defs"][ref["$ref"].rsplit("/", 1)[1]]

    def test_top_level(self):
        self.assertEqual(set(defined(section("handover-profile.5", "TOP LEVEL"))), set(self.SCHEMA["properties"]))

    def test_device(self):
        self.assertEqual(set(defined(section("handover-profile.5", "DEVICES"))),
                         set(self.SCHEMA["$defs"]["device"]["properties"]))

    def test_host(self):
        text = section("handover-profile.5", "SHARING")
        self.assertEqual(set(defined(text)), set(self.SCHEMA["$defs"]["host"]["properties"]))
        for name, words in [("PROFILE_BASES_MAX", "up to %d files"), ("PROFILE_DMI_MAX", "At most %d bytes")]:
            self.assertIn(words % defined_number("src/core/profile.h", name), text)
        folders = [re.search(rf'#define {name} "([^"]+)"', read("src/core/prepare.h"))[1] for name in
                   ("PROFILE_FOLDER_HOST", "PROFILE_FOLDER_CLUSTER", "PROFILE_FOLDER_SHARED")]
        self.assertEqual(re.findall(r"^\. _(/[^_]+)_", text, re.M), folders)

    def test_accept(self):
        self.assertEqual(set(defined(section("handover-profile.5", "ACCEPT"))),
                         set(self.SCHEMA["properties"]["accept"]["properties"]))

    def test_steps(self):
        described = {}
        for part in re.split(r"^## ", section("handover-profile.5", "STEPS"), flags=re.M)[1:]:
            action, text = part.split("\n", 1)
            described[action] = set(defined(text))
        steps = [self.follow(ref) for name, step in self.SCHEMA["$defs"].items() if name.endswith("-step")
                 for ref in step["oneOf"]]
        self.assertTrue(steps)
        self.assertEqual(described, {step["required"][0]: set(step["properties"]) for step in steps})

    def test_limits(self):
        text = {what: most for what, most in re.findall(r"^\|  (.*)\n:  (.*)$",
                                                        section("handover-profile.5", "LIMITS"), re.M)}
        self.assertEqual(text, limits())

    def test_waits_for_the_network(self):
        text, readme = " ".join(page("handover-profile.5").split()), " ".join(read("README.md").split())
        network = defined_number("src/core/step.h", "HOPE_NETWORK_MS") // 1000
        remedy = defined_number("src/core/step.h", "REMEDY_MS") // 1000
        self.assertIn(f"the gateway are waited for: {network} seconds at most", text)
        self.assertIn(f"is run once, with {remedy} seconds to do it", text)
        self.assertIn(f"What does not come within {network} seconds", readme)
        self.assertIn(f"lets nothing through for longer than {network} seconds", readme)

    def test_actions_stand_in_their_phases(self):
        described = {action: phases.split(", ") for action, phases in
                     re.findall(r"^\|  (.*)\n:  (.*)$", section("handover-profile.5", "TOP LEVEL"), re.M)}
        order = [*re.findall(r'= "([a-z-]+)"', read("src/core/phase.c")), "after-network"]
        actions = {}
        for phase in order:
            for ref in self.SCHEMA["$defs"][phase + "-step"]["oneOf"]:
                actions.setdefault(self.follow(ref)["required"][0], []).append(phase)
        self.assertEqual(described, actions)

    def test_verbs(self):
        for action in ("module", "service"):
            with self.subTest(action):
                text = re.search(rf"^## {action}\n(.*?)^## ", section("handover-profile.5", "STEPS"), re.M | re.S)[1]
                self.assertEqual(set(re.findall(r"^\t_([a-z]+)_: ", text, re.M)),
                                 set(self.SCHEMA["$defs"][action]["properties"][action]["properties"]))


class Policy(unittest.TestCase):
    """The keys, defaults and limits in handover.conf.5, and in the sources."""

    def described(self):
        keys = {("", key) for key in defined(section("handover.conf.5", "BEFORE THE FIRST SECTION"))}
        for part in re.split(r"^## ", section("handover.conf.5", "SECTIONS"), flags=re.M)[1:]:
            title, text = part.split("\n", 1)
            keys |= {(title.strip("[]"), key) for key in defined(text)}
        return keys

    def table(self):
        return {(under, key) for under, key in
                re.findall(r'\{ "([a-z]*)", "([a-z-]+)", KIND_', read("src/core/policy.c"))}

    def test_keys_are_the_programs(self):
        self.assertGreater(len(self.table()), 10)
        self.assertEqual(self.described(), self.table())

    def test_keys_are_in_the_example(self):
        under, keys = "", set()
        for line in read("profiles/handover.conf.example").splitlines():
            if line.startswith("["):
                under = line.strip("[]")
            elif re.match(r"#[a-z-]+ = ", line):
                keys.add((under, line[1:].split(" = ")[0]))
        self.assertEqual(keys, self.table())

    def test_limits_are_the_programs(self):
        text = " ".join(page("handover.conf.5").split())
        words, kib = defined_number("src/core/policy.h", "POLICY_NAMES_MAX"), defined_number("src/core/policy.h",
                                                                                          "POLICY_BYTES_MAX")
        line = defined_number("src/core/policy_lines.h", "POLICY_LINE_MAX")
        self.assertIn(f"There are {words} at most", text)
        self.assertIn(f"has {line} bytes at most", text)
        self.assertIn(f"The file has {kib} KiB at most", text)
        self.assertIn(f"has more than {kib} KiB", text)

    def test_times_are_the_programs(self):
        text = section("handover.conf.5", "SECTIONS")
        for key, default, most in [("phase", "PHASE_MS", r"POLICY_PHASE_MAX_MS \(10 \* 60 \* 1000\)"),
                                   ("lock", "LOCK_MS", r"POLICY_LOCK_MAX_MS \(60 \* 1000\)")]:
            with self.subTest(key):
                self.assertRegex(read("src/core/policy.h"), "#define " + most)
                said = re.search(rf"\*{key}\*\n((?:\t.*\n)+)", text)[1]
                self.assertIn("from 1s to " + {"phase": "10m", "lock": "60s"}[key], said)
                self.assertIn(f"Else {defined_number('src/core/step.h', default) // 1000}s.", said)
        self.assertEqual(defined_number("src/core/policy.h", "POLICY_TIME_MIN_MS"), 1000)


class Examples(unittest.TestCase):
    """What is shown works."""

    def profiles(self):
        blocks = [(name, b) for name in PAGES for b in literals(name)]
        if os.path.exists(os.path.join(ROOT, "README.md")):
            blocks += [("README.md", b) for b in re.findall(r"^```yaml\n(.*?)^```$", read("README.md"), re.S | re.M)]
        # A message of the program starts with "handover:" too, and goes on.
        return [(name, b) for name, b in blocks if re.match(r"(?:[ \t]*(?:#.*)?\n)*handover: *\S*\n", b)]

    def test_profiles_are_right(self):
        profiles = self.profiles()
        self.assertGreaterEqual([name for name, _ in profiles].count("handover-profile.5"), 2)
        with tempfile.TemporaryDirectory() as folder:
            # One may extend another, which has its path in its first line.
            for _, text in profiles:
                path = re.match(r"# /\S*/([^/\s]+)\n", text)
                if path:
                    with open(os.path.join(folder, path[1]), "w", encoding="utf-8") as f:
                        f.write(text)
            for i, (name, text) in enumerate(profiles):
                path = os.path.join(folder, f"{i}.yaml")
                with open(path, "w", encoding="utf-8") as f:
                    f.write(text)
                with self.subTest(name, example=text):
                    said = run("check", path)
                    self.assertEqual((said.returncode, said.stderr), (0, ""))

    def test_hosts_load(self):
        hosts = [b for b in literals("handover-host.5") if b.startswith("handover-host:")]
        self.assertTrue(hosts)
        with tempfile.TemporaryDirectory() as folder:
            for text in hosts:
                path, again = os.path.join(folder, "1.host"), os.path.join(folder, "2.host")
                with open(path, "w", encoding="utf-8") as f:
                    f.write(text)
                first = run("capture", "--host", path)
                self.assertEqual((first.returncode, first.stderr), (0, ""))
                # Nothing of it was read over: all functions are there again.
                for line in re.findall(r"^P: /devices/.*$", text, re.M):
                    self.assertIn(line + "\n", first.stdout)
                with open(again, "w", encoding="utf-8") as f:
                    f.write(first.stdout)
                self.assertEqual(run("capture", "--host", again).stdout, first.stdout)


class Pages(unittest.TestCase):
    """The sources of the pages."""

    def test_all_are_tested(self):
        found = sorted(os.path.basename(p) for p in glob.glob(os.path.join(ROOT, "doc/*.scd")))
        self.assertEqual(found, sorted(name + ".scd" for name in PAGES))

    def test_scdoc_renders_them(self):
        for name in PAGES:
            with self.subTest(name):
                made = subprocess.run(["scdoc"], input=page(name), capture_output=True, text=True, check=False)
                self.assertEqual((made.returncode, made.stderr), (0, ""))
                base, number = name.rsplit(".", 1)
                self.assertRegex(made.stdout, rf'(?m)^\.TH "{base}" "{number}" ')

    def test_they_name_each_other_rightly(self):
        for name in PAGES:
            for base, number in re.findall(r"\*(handover[a-z.-]*)\*\((\d)\)", page(name)):
                with self.subTest(name):
                    self.assertIn(f"{base}.{number}", PAGES)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
