#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that somebody made to hurt: the largest that are read, of what costs most, and files that are none.

usage: hostile_test.py MEASURE HANDOVER SOURCE_ROOT limits|no-limits

Each is refused with a finding or taken for what it is, in bounded time and memory, and nothing is changed. Time is that
of the processor, so that a busy machine makes no difference; with sanitizers neither is looked at, and what takes
minutes then, the largest hosts, is left to the fuzzers.
"""
import os
import random
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import unittest

MEASURE, HANDOVER = map(os.path.abspath, sys.argv[1:3])
ROOT, LIMITS = sys.argv[3], sys.argv[4] == "limits"

KIB, MIB = 1024, 1024 * 1024
PROFILE_MAX = 256 * KIB     # PROFILE_BYTES_MAX
PROFILE_MS, PROFILE_KIB = 100, 32 * KIB
HOST_MAX = 8 * MIB          # HOSTFILE_BYTES_MAX
# The tree of a host may take 64 MiB (HOSTFILE_MEMORY_MAX), and half as much what is made of it; the text 8, twice.
# The slowest, half a million names that come in no order, takes a second where this was written; what grows with the
# square of the size takes minutes.
HOST_MS, HOST_KIB = 3000, 128 * KIB
SAID_MAX = 64 * 3600        # FINDINGS_MAX lines, as print_findings() cuts them
TRIES = 3                   # another process may have emptied the caches
BLOCKED_S = 60

HEAD = "handover: 1\n"
DEVICE = HEAD + "devices: {d: {hostpci: 0}}\n"
HOST = os.path.join(ROOT, "tests/hosts/elitedesk.host")


class Result:
    def __init__(self, folder, *arguments):
        figures = os.path.join(folder, "figures")
        done = subprocess.run([MEASURE, figures, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, timeout=BLOCKED_S, check=True)
        with open(figures, encoding="utf-8") as f:
            cpu, self.kib, self.status = map(int, f.read().split())
        os.unlink(figures)
        self.ms = cpu / 1000
        self.out, self.err = done.stdout, done.stderr.decode("utf-8", "replace")


class Worst:
    """Of one kind of input: how many there were, and the most that one took."""

    def __init__(self):
        self.n, self.ms, self.kib = 0, 0, 0

    def add(self, result):
        self.n += 1
        self.ms, self.kib = max(self.ms, result.ms), max(self.kib, result.kib)


def fill(head, unit, size):
    """head and as many of unit as fit, cut off there; a function makes another each time."""
    parts, n, i = [head.encode()], len(head.encode()), 0
    while n < size:
        part = (unit(i) if callable(unit) else unit * (4096 // len(unit) + 1)).encode()
        parts.append(part)
        n += len(part)
        i += 1
    return b"".join(parts)[:size]


def row(unit, n):
    return ",".join(unit.format(j) for j in range(n))


LONG = "\U0001F600" * 60
# Of each: how it begins, what fills it, and the code of the first finding; None: it is a good profile.
PROFILES = {
    "keys": ("", lambda i: f"k{i}: 1\n", "too-many-keys"),
    "keys in one line": ("{", lambda i: f"k{i}: 1,", "too-many-keys"),
    "keys of devices": (HEAD + "devices:\n", lambda i: f" k{i}: {{hostpci: 1}}\n", "too-many-keys"),
    "keys of many maps": (HEAD + "pre-start:\n", lambda i: f"- {{{row(f'k{i}x{{}}: 1', 250)}}}\n", "too-many-nodes"),
    "keys of many steps": (DEVICE + "pre-start:\n", lambda i: f"- {{bind: d, {row(f'x{i}y{{}}: 1', 200)}}}\n",
                           "too-many-nodes"),
    "one key again": ("", "k: 1\n", "duplicate-key"),
    "the last of many keys again": (HEAD, lambda i: f"k{min(i, 199)}: 1\n", "duplicate-key"),
    "a long key": ("", "k", "wrong-type"),
    "a long key behind ?": ("? ", "k", "missing-version"),
    "a long key in quotes": ('"', "k", "yaml-syntax"),
    "[": ("", "[", "too-deep"),
    "[ after a key": (HEAD + "a: ", "[", "too-deep"),
    "[a: ": ("", "[a: ", "too-deep"),
    "[]": ("[", "[],", "too-many-nodes"),
    "{": ("", "{", "too-deep"),
    "{}": ("[", "{},", "too-many-nodes"),
    "{a: ": ("", "{a: ", "too-deep"),
    "- ": ("", "- ", "too-deep"),
    "-": ("", "-\n", "too-many-nodes"),
    "- a": ("", "- a\n", "too-many-nodes"),
    "?": ("", "? ", "too-deep"),
    ":": ("", ":", "yaml-syntax"),
    "a:": ("", "a:", "yaml-syntax"),
    "a: ": ("", "a: ", "yaml-syntax"),
    ", ": ("[", ",", "yaml-syntax"),
    "pairs": ("[", "a: b,", "too-many-nodes"),
    "a map on each line, deeper": ("", lambda i: " " * i + "a:\n", "too-deep"),
    "a list on each line, deeper": ("", lambda i: "- " * i + "\n", "too-deep"),
    "a word": ("", "x", "wrong-type"),
    "words": (HEAD + "name: ", "x ", "too-long"),
    "a word over many lines": (HEAD + "name:\n", " x\n", "too-long"),
    "-x": (HEAD + "name: ", "-x ", "too-long"),
    "a word in '": (HEAD + "name: '", "x", "yaml-syntax"), 'a word in "': (HEAD + 'name: "', "x", "yaml-syntax"),
    "''": (HEAD + "name: '", "''", "too-long"),
    "escapes": (HEAD + 'name: "', "\\x41", "yaml-syntax"),
    "lines in quotes": (HEAD + 'name: "', "x\n", "yaml-syntax"),
    "empty lines in quotes": (HEAD + 'name: "', " \n", "yaml-syntax"),
    "a block": (HEAD + "name: |\n", "  x\n", "control-character"),
    "a folded block": (HEAD + "name: >\n", "  x\n", "control-character"),
    "a block of one line": (HEAD + "name: |\n  ", "x", "too-long"),
    "a block of nothing": (HEAD + "name: |\n", "\n", "empty-name"),
    "a block, ever deeper": (HEAD + "name: |\n", lambda i: " " * (i % 400) + "\n", "empty-name"),
    "letters of two bytes": (HEAD + "name: ", "é", "too-long"),
    "letters of four bytes": (HEAD + "name: ", "\U0001F600", "not-utf8"),
    "two bytes in a list": ("[", "é,", "too-many-nodes"),
    "a comment": (HEAD, "#", None),
    "comments": (HEAD, "#\n", None),
    "newlines": (HEAD, "\n", None),
    "CR LF": (HEAD, "\r\n", None),
    "spaces": (HEAD, " ", None),
    "lines of spaces": (HEAD, " " * 100 + "\n", None),
    "anchors": ("[", lambda i: f"&a{i} x,", "yaml-anchor"),
    "one anchor": ("[", "&a a,", "yaml-anchor"),
    "a long anchor": (HEAD + "name: &", "a", "yaml-anchor"),
    "aliases": ("[&a a,", "*a,", "yaml-anchor"),
    "aliases of nothing": ("[", "*a,", "yaml-alias"),
    "tags": ("[", "!a b,", "yaml-tag"),
    "escaped tags": ("[", "!!a%41 b,", "yaml-tag"),
    "a long tag": ("!", "a", "yaml-tag"),
    "an escaped tag": ("!<", "%41", "yaml-syntax"),
    "merges": (HEAD, "<<: a\n", "yaml-merge"),
    "quotes": (HEAD, '"', "yaml-syntax"),
    "quotes in a list": ("[", '"",', "too-many-nodes"),
    "'": (HEAD, "'", "yaml-syntax"),
    "%": (HEAD, "%", "yaml-syntax"),
    "@": (HEAD, "@", "yaml-syntax"),
    "directives": ("", "%YAML 1.1\n", "yaml-directive"),
    "%TAG": ("", lambda i: f"%TAG !{i}! a\n", "yaml-directive"),
    "documents": (HEAD, "---\n", "yaml-documents"),
    "ends of documents": (HEAD, "...\n", None),
    "... %": (HEAD, "...\n%", "yaml-documents"),
    "tabs": (HEAD, "\t", "yaml-tab"),
    "tabs in a list": (HEAD + "pre-start: [", "a,\t\n", "too-many-nodes"),
    "tabs behind keys": (HEAD, lambda i: f"a{i}: \tb\n", "too-many-keys"),
    "zero bytes": (HEAD, "\0", "control-character"),
    "control characters": (HEAD, "\x01", "control-character"),
    "hidden characters": ("[", '"\\u200b",', "control-character"),
    "CR": (HEAD, "\r", "control-character"),
    "marks of byte order": ("\ufeff", "\ufeff", "control-character"),
    "U+2028": (HEAD, "\u2028", "control-character"),
    "words of a list": (DEVICE + "pre-start:\n- bind: [", "abcdefgh,", "yaml-syntax"),
    "words of many lists": (DEVICE + "pre-start:\n", lambda i: f"- bind: [{row(f'w{i}x{{}}', 64)}]\n",
                            "too-many-nodes"),
    "actions that are none": (HEAD + "pre-start:\n", lambda i: f"- foo{i}: 1\n", "too-many-nodes"),
    "actions near to one": (HEAD + "pre-start:\n", lambda i: "- " + "x" * 60 + ": 1\n", "unknown-action"),
    "hints of long names": (HEAD + f"devices: {{{row('{}' + LONG + ': {{hostpci: 0}}', 60)}}}\npre-start:\n",
                            lambda i: f"- bind: [{row(f'w{i}x{{}}', 64)}]\n" if i < 60 else "#" * 4000, "too-long"),
    "risks that are none": (DEVICE + "accept:\n", lambda i: f"  k{i}: d\n", "too-many-keys"),
}


class Hostile(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)
        return self.path(name)

    def measured(self, worst, most_ms, most_kib, *arguments):
        """The best of some tries, and within the limits."""
        for _ in range(TRIES):
            result = Result(self.folder, HANDOVER, *arguments)
            if not LIMITS or result.ms <= most_ms:
                break
        if LIMITS:
            self.assertLessEqual(result.ms, most_ms, "milliseconds")
            self.assertLessEqual(result.kib, most_kib, "KiB")
        self.assertLessEqual(len(result.err), SAID_MAX)
        worst.add(result)
        return result


class Profiles(Hostile):
    worst = Worst()

    def look(self, path, code, *verb):
        before = self.marks(path)
        result = self.measured(self.worst, PROFILE_MS, PROFILE_KIB, *verb)
        self.assertEqual(result.status, 2 if code else 0, result.err)
        if code:
            self.assertRegex(result.err.splitlines()[0], rf"^{path}(:\d+:\d+)?: error: .* \[{code}\]$")
        else:
            self.assertEqual(result.err, "")
        self.assertEqual(self.marks(path), before)

    @staticmethod
    def marks(path):
        found = os.stat(path)
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_mode

    def test_the_largest(self):
        for name, (head, unit, code) in PROFILES.items():
            with self.subTest(name):
                path = self.write("x.yaml", fill(head, unit, PROFILE_MAX))
                self.assertEqual(os.path.getsize(path), PROFILE_MAX)
                self.look(path, code, "check", path)
                self.look(path, code, "plan", path, "--host", HOST)

    def test_one_byte_more(self):
        for name, (head, unit, _) in PROFILES.items():
            with self.subTest(name):
                path = self.write("x.yaml", fill(head, unit, PROFILE_MAX + 1))
                self.look(path, "profile-too-large", "check", path)

    def test_far_more(self):
        path = self.write("x.yaml", b"")
        os.truncate(path, 1 << 40)
        self.look(path, "profile-too-large", "check", path)


def address(i):
    return f"{i >> 16:04x}:{i >> 8 & 255:02x}:{i >> 3 & 31:02x}.{i & 7}"


BUS = "P: /devices/pci0000:00/"
USB = BUS + "0000:00:14.0"


def function(i):
    return f"{BUS}{address(i)}\nA: vendor=0x8086\nA: device=0x0001\nA: class=0x020000\n"


def full_function(i):
    return function(i) + f"""A: modalias=pci:{i}
L: driver=../../../bus/pci/drivers/d
L: iommu_group=../../../kernel/iommu_groups/1
H: config+34=50
H: config+fff=00
V: modalias/pci:{i}=m{i}
V: nic/{address(i)}/name=n{i}
"""


DICE = random.Random(1)
CONTROLLER = function(0xa0)
IDS = "A: idVendor=1234\nA: idProduct=0001\n"
MEMORY, PCI = "takes more than 64 MiB", "more than 4096 PCI (functions|drivers)"
LINE = "the line is longer than 16384 bytes"
# What stands behind the head, what fills it, and what it is refused for; None: it is a host.
HOSTS = {
    "functions": ("", function, PCI),
    "functions in no order": ("", lambda i: function(DICE.randrange(1 << 20)), PCI),
    "functions with all they may have": ("", full_function, MEMORY),
    "functions in functions": ("", lambda i: BUS + "/".join(address(16 * i + j) for j in range(16)) + "\n", MEMORY),
    "drivers": ("", lambda i: f"P: /bus/pci/drivers/d{i}\n", PCI),
    "groups": ("", lambda i: f"P: /kernel/iommu_groups/{i}\n", None),
    "folders": ("", lambda i: f"P: /f{i}\n", MEMORY),
    "folders, the last first": ("", lambda i: f"P: /f{10 ** 7 - i}\n", MEMORY),
    "folders in no order": ("", lambda i: f"P: /{DICE.randrange(10 ** 9)}\n", MEMORY),
    "folders in folders": ("", lambda i: f"P: /devices/{i}/" + "a/" * 110 + "x\n", MEMORY),
    "files": ("P: /devices\n", lambda i: f"A: f{i}=x\n", MEMORY),
    "one file again": ("P: /devices\n", "A: f=x\n", None),
    "one large file again": ("P: /devices\n", "A: f=" + "x" * 16000 + "\n", None),
    "large files of bytes": ("P: /devices\n", lambda i: f"H: f{i}+fff=00\n", MEMORY),
    "files of bytes that grow": ("P: /devices\n", lambda i: f"H: f{i >> 12}+{i & 4095:x}=00\n", None),
    "links": ("P: /devices\n", lambda i: f"L: l{i}=x\n", MEMORY),
    "links to links": ("P: /devices\n", lambda i: f"L: l{i}=l{i - 1}\n", None),
    "through a link": ("P: /d\nL: a=../d\n", lambda i: "A: " + "a/" * 100 + f"f{i}=1\n", None),
    "values": ("", lambda i: f"V: proc/f{i}=x\n", MEMORY),
    "files of lines": ("", lambda i: f"F: proc/f{i}\n| x\n", None),
    "modules of many names": (function(0) + "A: modalias=pci:0\n",
                              lambda i: f"V: modalias/pci:0={row(f'{i}x{{}}', 1500)}\n", None),
    "USB devices": (CONTROLLER + USB + "/usb1\n",
                    lambda i: f"{USB}/usb1/1-{i // 255 % 255 + 1}.{i % 255 + 1}.{i // 65025 + 1}\n{IDS}", None),
    "USB buses": (CONTROLLER,
                  lambda i: f"{USB}/usb{i % 9999 + 1}/{i % 9999 + 1}-{i // 9999 + 1}\n{IDS}", None),
    "inputs": (CONTROLLER + "".join(f"{USB}/usb1/1-{i + 1}\n{IDS}" for i in range(250)),
               lambda i: f"{USB}/usb1/1-{i % 250 + 1}/input/input{i}\nA: name=x\nA: capabilities/key={'f' * 15}e\n", None),
    "comments": ("", "#\n", None),
    "newlines": ("", "\n", None),
    "one line": ("", "x", LINE),
    "zero bytes": ("", "\0", LINE),
}


class Hosts(Hostile):
    worst = Worst()

    def look(self, path, why, *verb):
        result = self.measured(self.worst, HOST_MS, HOST_KIB, *verb, "--host", path)
        if why:
            self.assertEqual(result.status, 2, result.err)
            self.assertRegex(result.err, rf"^handover: {path}(:\d+)?: [^\n]*{why}[^\n]*\n$")
        elif verb[0] == "plan":
            # None of these has what the profile wants.
            self.assertEqual(result.status, 2, result.err)
            self.assertRegex(result.err.splitlines()[0], rf"^{verb[1]}:\d+:\d+: error: .*\]$")
        else:
            self.assertEqual((result.status, result.err), (0, ""))

    @unittest.skipUnless(LIMITS, "there are limits to look at")
    def test_the_largest(self):
        profile = self.write("x.yaml", b'handover: 1\ndevices: {d: {id: "8086:0001"}}\npre-start: [{bind: d}]\n')
        for name, (head, unit, why) in HOSTS.items():
            data = fill("handover-host: 1\n" + head, unit, HOST_MAX)
            # The last line is whole, or there is only one.
            path = self.write("x.host", data if why == LINE else data[:data.rfind(b"\n") + 1])
            # What is refused is refused before a command is asked for.
            for verb in (["map"],) if why else (["map"], ["capture"], ["plan", profile]):
                with self.subTest(f"{verb[0]} {name}"):
                    self.look(path, why, *verb)

    def test_one_byte_more(self):
        path = self.write("x.host", fill("handover-host: 1\n", "#\n", HOST_MAX))
        self.look(path, None, "map")
        path = self.write("x.host", fill("handover-host: 1\n", "#\n", HOST_MAX + 1))
        self.look(path, "longer than 8388608 bytes", "map")

    def test_a_host_may_have_many_functions(self):
        head = "handover-host: 1\n"
        path = self.write("x.host", (head + "".join(map(full_function, range(4096)))).encode())
        self.look(path, None, "map")
        path = self.write("x.host", (head + "".join(map(function, range(4097)))).encode())
        self.look(path, PCI, "map")


class Files(Hostile):
    """What is no file, given as one."""

    def refused(self, path, code=None):
        result = Result(self.folder, HANDOVER, "check", path)
        self.assertEqual(result.status, 2, result.err)
        self.assertRegex(result.err, rf"^{path}: error: [^\n]* \[{code or 'profile-not-a-file'}\]\n$")
        result = Result(self.folder, HANDOVER, "plan", path, "--host", HOST)
        self.assertEqual(result.status, 2, result.err)

    def host_refused(self, path):
        for verb in ("map", "capture"):
            result = Result(self.folder, HANDOVER, verb, "--host", path)
            self.assertEqual(result.status, 2, result.err)
            self.assertTrue(result.err.startswith(f"handover: {path}:"), result.err)

    def both_refused(self, path):
        self.refused(path)
        self.host_refused(path)

    def test_links(self):
        good = self.write("good.yaml", HEAD.encode())
        os.symlink(good, self.path("link.yaml"))
        os.symlink(self.path("nowhere"), self.path("broken.yaml"))
        self.refused(self.path("link.yaml"))
        self.refused(self.path("broken.yaml"))
        self.assertEqual(Result(self.folder, HANDOVER, "check", good).status, 0)

    def test_a_fifo_that_nobody_writes_to(self):
        os.mkfifo(self.path("x.yaml"))
        self.both_refused(self.path("x.yaml"))

    def test_a_fifo_whose_writer_is_silent(self):
        os.mkfifo(self.path("x.yaml"))
        writer = os.open(self.path("x.yaml"), os.O_RDWR)
        self.addCleanup(os.close, writer)
        self.both_refused(self.path("x.yaml"))

    def test_device_nodes(self):
        for node in ("/dev/zero", "/dev/null"):
            self.both_refused(node)

    def test_a_socket(self):
        server = socket.socket(socket.AF_UNIX)
        self.addCleanup(server.close)
        server.bind(self.path("x.yaml"))
        self.refused(self.path("x.yaml"), "profile-not-a-file")
        self.host_refused(self.path("x.yaml"))

    def test_a_folder(self):
        os.mkdir(self.path("x.yaml"))
        self.both_refused(self.path("x.yaml"))

    def test_what_cannot_be_read(self):
        # A file like any other, and each read of it fails.
        self.assertTrue(stat.S_ISREG(os.stat("/proc/self/mem").st_mode))
        self.refused("/proc/self/mem", "profile-unreadable")
        self.host_refused("/proc/self/mem")

    def test_what_may_not_be_read(self):
        os.chmod(self.folder, 0o755)
        program = shutil.copy(HANDOVER, self.path("handover"))
        path = self.write("x.yaml", HEAD.encode())
        os.chmod(path, 0)
        done = subprocess.run([program, "check", path], user=65534 if os.geteuid() == 0 else None, capture_output=True,
                              text=True, timeout=BLOCKED_S, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("[profile-unreadable]", done.stderr)

    def test_a_file_that_grows(self):
        path, ended = self.write("x.yaml", fill(HEAD, "#\n", PROFILE_MAX)), threading.Event()

        def grow():
            with open(path, "ab", buffering=0) as f:
                while not ended.is_set() and f.tell() < 64 * MIB:
                    f.write(b"#\n" * 4096)

        writer = threading.Thread(target=grow)
        writer.start()
        try:
            while os.path.getsize(path) == PROFILE_MAX:
                pass
            self.refused(path, "profile-too-large")
        finally:
            ended.set()
            writer.join()


if __name__ == "__main__":
    ended = unittest.main(argv=sys.argv[:1], exit=False).result
    print(f"figure hostile-inputs {Profiles.worst.n + Hosts.worst.n}")
    if LIMITS:
        print(f"figure hostile-worst-ms {Profiles.worst.ms:.0f}")
        print(f"figure hostile-worst-kib {Profiles.worst.kib}")
        print(f"figure hostile-host-worst-ms {Hosts.worst.ms:.0f}")
        print(f"figure hostile-host-worst-kib {Hosts.worst.kib}")
    sys.exit(not ended.wasSuccessful())
