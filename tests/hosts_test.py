#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The hosts the tests run on: does each make sense as a host?

usage: hosts_test.py HANDOVER SOURCE_ROOT

Each .host loads, and a capture of its capture is the same. Of a function, ids, class, subsystem, modalias and config
space say the same; its driver, group, bridge and module are there. Hosts written by hand are where this goes wrong.
"""
import functools
import glob
import os
import re
import subprocess
import sys
import tempfile
import unittest

HANDOVER, ROOT = os.path.abspath(sys.argv[1]), sys.argv[2]
HOSTS = sorted(glob.glob(os.path.join(ROOT, "tests/hosts/*.host")))

ADDRESS = r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]"
POWER_MANAGEMENT, EXPRESS = 0x01, 0x10  # capabilities
# Of PCI Express: root port, upstream and downstream port of a switch, bridges to and from conventional PCI
PORT_TYPES = (4, 5, 6, 7, 8)


def run(*arguments):
    return subprocess.run([HANDOVER, *arguments], capture_output=True, text=True, check=False)


class Block:
    """What stands below a P: line."""

    def __init__(self, path):
        self.path, self.name = path, os.path.basename(path)
        self.text, self.links, self.bytes = {}, {}, bytearray()

    def put_bytes(self, key, digits):
        offset = int(key.partition("+")[2] or "0", 16)
        data = bytes.fromhex(digits)
        self.bytes.extend(bytes(max(0, offset + len(data) - len(self.bytes))))
        self.bytes[offset:offset + len(data)] = data

    def link(self, name):
        return os.path.basename(self.links[name]) if name in self.links else None

    def number(self, name):
        return int(self.text[name], 16)


class Function(Block):
    """A PCI function, and what its config space says."""

    def word(self, at, n=2):
        return int.from_bytes(self.bytes[at:at + n], "little")

    def slot(self):
        return self.name[:-2]

    def bus(self):
        return int(self.name[5:7], 16)

    def is_bridge(self):
        return self.number("class") >> 8 == 0x0604

    def is_virtual(self):
        return "physfn" in self.links

    def capabilities(self):
        """Offsets by id. A list that goes round or leaves the standard header's 256 bytes is no list."""
        found, at = {}, self.bytes[0x34]
        while at:
            if at < 0x40 or at > 0xfc or at in found.values():
                raise AssertionError(f"{self.name}: capabilities go astray at {at:#x}")
            found[self.bytes[at]] = at
            at = self.bytes[at + 1]
        return found

    def extended(self):
        found, at = {}, 0x100
        while at and at + 4 <= len(self.bytes) and self.word(at, 4):
            if at in found.values():
                raise AssertionError(f"{self.name}: extended capabilities go round at {at:#x}")
            found[self.word(at)] = at
            at = self.word(at, 4) >> 20
        return found


class Host:
    """A .host text."""

    def __init__(self, text):
        self.blocks, self.values, self.headers, block = {}, {}, {}, None
        for line in text.splitlines():
            key, _, rest = line.partition(": ")
            name, _, value = rest.partition("=")
            if key == "P":
                block = (Function if re.fullmatch(ADDRESS, os.path.basename(rest)) else Block)(rest)
                assert rest not in self.blocks, f"{rest} stands there twice"
                self.blocks[rest] = block
            elif key == "A":
                block.text[name] = value
            elif key == "L":
                block.links[name] = value
            elif key == "H":
                block.put_bytes(name, value)
            elif key == "V":
                assert name not in self.values, f"{name} stands there twice"
                self.values[name] = value
            elif line and line[0] not in "#|":
                self.headers[key] = rest

    def functions(self):
        return {b.name: b for b in self.blocks.values() if isinstance(b, Function)}

    def things(self):
        """What classes have links to: disks and the like."""
        return {os.path.normpath("/sys" + b.path + "/" + target)[len("/sys"):] for b in self.blocks.values()
                if b.path.startswith(("/class/", "/bus/gpio/")) for target in b.links.values()}

    def below(self, folder):
        return {b.name: b for p, b in self.blocks.items() if os.path.dirname(p) == folder}


def load(path):
    """The host as it is written, with the config space as the program completes it."""
    with open(path, encoding="utf-8") as f:
        host = Host(f.read())
    captured = run("capture", "--host", path)
    assert captured.returncode == 0, captured.stderr
    for name, fn in Host(captured.stdout).functions().items():
        host.functions()[name].bytes = fn.bytes
    return host


def on_hosts(test):
    """Runs a test on each host, and goes on after a failure."""
    @functools.wraps(test)
    def each(self):
        for path in HOSTS:
            with self.subTest(os.path.basename(path)):
                test(self, load(path))
    return each


def on_functions(test):
    @functools.wraps(test)
    def each(self):
        for path in HOSTS:
            host = load(path)
            for name, fn in host.functions().items():
                with self.subTest(f"{os.path.basename(path)} {name}"):
                    test(self, host, fn)
    return each


def on_usb(test):
    """The same for what hangs on a USB controller."""
    @functools.wraps(test)
    def each(self):
        for path in HOSTS:
            host = load(path)
            for block in host.blocks.values():
                if "/usb" in block.path and block.path not in host.things():
                    with self.subTest(f"{os.path.basename(path)} {block.path}"):
                        test(self, host, block)
    return each


class Loading(unittest.TestCase):
    def test_there_are_some(self):
        self.assertGreaterEqual(len(HOSTS), 4)

    def test_a_capture_of_a_capture_is_the_same(self):
        for path in HOSTS:
            with self.subTest(os.path.basename(path)), tempfile.TemporaryDirectory() as folder:
                first = run("capture", "--host", path)
                self.assertEqual((first.returncode, first.stderr), (0, ""))
                again = os.path.join(folder, "again.host")
                with open(again, "w", encoding="utf-8") as f:
                    f.write(first.stdout)
                self.assertEqual(run("capture", "--host", again).stdout, first.stdout)

    def test_a_capture_stands_on_what_the_host_stands_on(self):
        for path in HOSTS:
            with self.subTest(os.path.basename(path)), tempfile.TemporaryDirectory() as folder:
                captured = os.path.join(folder, "captured.host")
                with open(captured, "w", encoding="utf-8") as f:
                    f.write(run("capture", "--host", path).stdout)
                found = run("doctor", "--host", path)
                again = run("doctor", "--host", captured)
                self.assertEqual((again.returncode, again.stderr, again.stdout),
                                 (found.returncode, found.stderr, found.stdout))

    def test_each_can_be_planned_on(self):
        for path in HOSTS:
            with self.subTest(os.path.basename(path)), tempfile.TemporaryDirectory() as folder:
                profile = os.path.join(folder, "none.yaml")
                with open(profile, "w", encoding="utf-8") as f:
                    f.write("handover: 1\n")
                planned = run("plan", profile, "--host", path)
                self.assertEqual((planned.returncode, planned.stderr), (0, ""))

    def test_readme_lists_them(self):
        with open(os.path.join(ROOT, "tests/hosts/README.md"), encoding="utf-8") as f:
            listed = dict(re.findall(r"(?m)^\| `([^`]+)\.host` \| (\w+) \|", f.read()))
        sources = {os.path.basename(p)[:-5]: load(p).headers["source"].split()[0] for p in HOSTS}
        self.assertEqual(listed, sources)


class Sense(unittest.TestCase):
    """One test for each rule, run over all hosts."""

    @on_functions
    def test_config_space_says_what_the_files_say(self, _, fn):
        """
        A virtual function reads ffff where its ids would be (PCI Express, 9.3.4.1.1); its files have the vendor of its
        physical function and the device that the SR-IOV capability names (drivers/pci/iov.c, pci_iov_add_virtfn()).
        """
        self.assertGreaterEqual(len(fn.bytes), 64)
        self.assertEqual(fn.word(0), 0xffff if fn.is_virtual() else fn.number("vendor"))
        self.assertEqual(fn.word(2), 0xffff if fn.is_virtual() else fn.number("device"))
        self.assertEqual(fn.bytes[8], fn.number("revision"))
        self.assertEqual(fn.word(9, 3), fn.number("class"))
        self.assertEqual(fn.bytes[0x0e] & 0x7f, 1 if fn.is_bridge() else 0)
        if not fn.is_bridge():
            self.assertEqual(fn.word(0x2c), fn.number("subsystem_vendor"))
            self.assertEqual(fn.word(0x2e), fn.number("subsystem_device"))

    @on_functions
    def test_modalias_says_what_the_files_say(self, _, fn):
        ids = [fn.number(n) for n in ("vendor", "device", "subsystem_vendor", "subsystem_device")]
        kind = fn.number("class").to_bytes(3, "big")
        self.assertEqual(fn.text["modalias"],
                         "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X" % (*ids, *kind))

    @on_functions
    def test_numbers_are_written_as_sysfs_writes_them(self, _, fn):
        digits = {"vendor": 4, "device": 4, "subsystem_vendor": 4, "subsystem_device": 4, "class": 6, "revision": 2}
        for name, n in digits.items():
            self.assertRegex(fn.text[name], rf"^0x[0-9a-f]{{{n}}}$")

    @on_functions
    def test_capabilities_are_lists(self, _, fn):
        capabilities = fn.capabilities()
        if fn.extended():
            self.assertIn(EXPRESS, capabilities)
        if EXPRESS in capabilities:
            self.assertEqual(len(fn.bytes), 4096)
            port = fn.bytes[capabilities[EXPRESS] + 2] >> 4 in PORT_TYPES
            self.assertEqual(port, fn.is_bridge())

    @on_functions
    def test_resets_are_possible(self, host, fn):
        """
        drivers/pci/pci.c: pcie_reset_flr(), pci_pm_reset(), pci_parent_bus_reset(). The last wants the function alone
        on its bus, but is asked when the function is added: the first of several still is.
        """
        methods, capabilities = fn.text.get("reset_method", "").split(), fn.capabilities()
        if "flr" in methods:
            self.assertTrue(fn.word(capabilities[EXPRESS] + 4, 4) & 1 << 28, "no FLR")
        if "pm" in methods:
            self.assertFalse(fn.word(capabilities[POWER_MANAGEMENT] + 4) & 8, "NoSoftRst+")
        if not fn.is_bridge():
            first = min(f.name for f in host.functions().values() if f.bus() == fn.bus()) == fn.name
            self.assertEqual("bus" in methods, first and os.path.dirname(fn.path) in host.blocks)

    @on_functions
    def test_functions_stand_behind_their_bridge(self, host, fn):
        above = host.blocks.get(os.path.dirname(fn.path))
        if above is None:
            self.assertEqual(os.path.dirname(fn.path), f"/devices/pci{fn.name[:7]}")
        else:
            self.assertTrue(above.is_bridge())
            self.assertEqual(above.bytes[0x19], fn.bus())
        if fn.is_bridge():
            primary, secondary, subordinate = fn.bytes[0x18:0x1b]
            self.assertEqual(primary, fn.bus())
            self.assertTrue(primary < secondary <= subordinate)

    @on_functions
    def test_function_0_says_that_there_are_more(self, host, fn):
        """
        Only its bit 7 counts (drivers/pci/probe.c, pci_scan_slot()); without it nobody looks for the others. Virtual
        functions are not looked for (drivers/pci/iov.c, pci_iov_add_virtfn()).
        """
        if fn.name[-1] != "0" and not fn.is_virtual():
            self.assertIn(fn.slot() + ".0", host.functions())
            self.assertTrue(host.functions()[fn.slot() + ".0"].bytes[0x0e] & 0x80)

    @on_hosts
    def test_conventional_functions_of_a_slot_share_a_group(self, host):
        """drivers/iommu/iommu.c, get_pci_function_alias_group(), as a host boots: none of them can isolate."""
        slots = {}
        for fn in host.functions().values():
            if EXPRESS not in fn.capabilities() and "iommu_group" in fn.links:
                slots.setdefault(fn.slot(), set()).add(fn.link("iommu_group"))
        self.assertEqual({slot: groups for slot, groups in slots.items() if len(groups) > 1}, {})

    @on_hosts
    def test_groups_have_folders_and_members(self, host):
        groups = {fn.link("iommu_group") for fn in host.functions().values()} - {None}
        self.assertEqual(groups, set(host.below("/kernel/iommu_groups")))

    @on_hosts
    def test_links_lead_up_to_sys(self, host):
        """To drivers, groups and modules, which need no block of their own; all others to what has one."""
        for block in host.blocks.values():
            for name, target in block.links.items():
                with self.subTest(f"{block.path} {name}"):
                    path = os.path.normpath(os.path.join("/sys" + block.path, os.path.dirname(name), target))
                    if path[len("/sys"):] not in host.blocks:
                        self.assertRegex(path, r"^/sys/(devices/.|(bus/(pci|usb)/drivers|kernel/iommu_groups|module)/[^/]+$)")

    @on_hosts
    def test_drivers_are_registered_and_their_modules_loaded(self, host):
        drivers = host.below("/bus/pci/drivers")
        for fn in host.functions().values():
            if fn.link("driver"):
                self.assertIn(fn.link("driver"), drivers)
        for driver in drivers.values():
            if driver.link("module"):
                self.assertIn(host.values.get(f"module/{driver.link('module')}"), ("live", "builtin"))

    @on_hosts
    def test_a_bound_driver_is_among_those_that_could_be(self, host):
        drivers = host.below("/bus/pci/drivers")
        for fn in host.functions().values():
            module = drivers[fn.link("driver")].link("module") if fn.link("driver") else None
            if module and module != "vfio_pci":
                with self.subTest(fn.name):
                    self.assertIn(module, host.values.get(f"modalias/{fn.text['modalias']}", "").split())

    @on_hosts
    def test_values_belong_to_functions(self, host):
        aliases = {"modalias/" + fn.text["modalias"] for fn in host.functions().values()}
        for name in host.values:
            if name.startswith("modalias/"):
                self.assertIn(name, aliases)
            if name.startswith("nic/"):
                fn = host.functions()[name.split("/")[1]]
                self.assertEqual(fn.number("class") >> 16, 2)
                self.assertIn(f"nic/{fn.name}/name", host.values)

    @on_hosts
    def test_one_function_is_the_console(self, host):
        shows = [fn for fn in host.functions().values() if fn.text.get("boot_vga") == "1"]
        self.assertLessEqual(len(shows), 1)
        self.assertTrue(all(fn.number("class") >> 16 == 3 for fn in shows))


class Usb(unittest.TestCase):
    @on_usb
    def test_they_hang_on_a_usb_controller(self, host, block):
        controller = host.functions()[re.findall(ADDRESS, block.path.split("/usb")[0])[-1]]
        self.assertEqual(controller.number("class"), 0x0c0330)
        above = os.path.dirname(block.path)
        # A disk's folders, host0/target0:0:0/..., say nothing (drivers/scsi/hosts.c, scsi_add_host_with_dma()).
        self.assertTrue(above in host.blocks or above.endswith("/input") or re.search(r":\d+\.\d+/host\d+/", block.path),
                        "a folder between is missing")

    @on_usb
    def test_devices_are_named_by_bus_and_port(self, host, block):
        if "busnum" not in block.text:
            return
        bus = block.text["busnum"]
        self.assertRegex(block.name, rf"^(usb{bus}|{bus}-[1-9][0-9]*(\.[1-9][0-9]*)*)$")
        self.assertEqual(block.name.startswith("usb"), block.text["devnum"] == "1")
        self.assertEqual([b.path for b in host.blocks.values() if b.text.get("busnum") == bus and
                          b.text["devnum"] == block.text["devnum"]], [block.path])
        for name in ("idVendor", "idProduct"):
            self.assertRegex(block.text[name], r"^[0-9a-f]{4}$")
        self.assertRegex(block.text["bDeviceClass"], r"^[0-9a-f]{2}$")
        self.assertEqual(block.text["authorized"], "1")

    @on_usb
    def test_interfaces_are_named_by_device_and_number(self, _, block):
        if "bInterfaceNumber" not in block.text:
            return
        device = os.path.basename(os.path.dirname(block.path))
        device = re.sub(r"^usb(\d+)$", r"\1-0", device)
        self.assertEqual(block.name, f"{device}:1.{int(block.text['bInterfaceNumber'], 16)}")
        for name in ("bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol"):
            self.assertRegex(block.text[name], r"^[0-9a-f]{2}$")

    @on_usb
    def test_inputs_carry_the_ids_of_their_device(self, host, block):
        if not block.name.startswith("input"):
            return
        interface, hid = os.path.split(block.path)[0].rsplit("/", 2)[:2]
        device = host.blocks[os.path.dirname(interface)]
        ids = f"{device.text['idVendor']}:{device.text['idProduct']}".upper()
        self.assertRegex(hid, rf"^0003:{ids}\.[0-9A-F]{{4}}$")
        self.assertEqual(host.blocks[interface].text["bInterfaceClass"], "03")
        self.assertRegex(block.text["capabilities/key"], r"^[0-9a-f]+( [0-9a-f]+)*$")
        self.assertTrue(block.text["name"])


class EliteDesk(unittest.TestCase):
    """Two files, one machine."""

    def test_both_are_the_same_machine(self):
        def identity(name):
            functions = load(os.path.join(ROOT, f"tests/hosts/{name}.host")).functions()
            alike = ("vendor", "device", "subsystem_vendor", "subsystem_device", "class", "revision", "reset_method")
            return {n: ([f.text.get(a) for a in alike], f.link("iommu_group"), f.bytes[0x0e], f.capabilities())
                    for n, f in functions.items()}

        self.assertEqual(identity("elitedesk"), identity("elitedesk-seed"))

    def test_slot_1f_is_as_the_split_needs_it(self):
        for name in ("elitedesk", "elitedesk-seed"):
            functions = load(os.path.join(ROOT, f"tests/hosts/{name}.host")).functions()
            slot = {n[-1]: f for n, f in functions.items() if n.startswith("0000:00:1f.")}
            self.assertEqual({k: f.bytes[0x0e] for k, f in slot.items()},
                             {"0": 0x80, "3": 0, "4": 0, "5": 0, "6": 0})
            self.assertEqual({f.link("iommu_group") for f in slot.values()}, {"7"})
            self.assertFalse(any("reset_method" in f.text or EXPRESS in f.capabilities() for f in slot.values()))


class Cases(unittest.TestCase):
    """What is planned on each host, and what is refused there."""

    def test_hosts_have_a_case(self):
        """A profile, and what check and plan say of it; the labs' are those of tests/vm."""
        hosts = [os.path.basename(path).removesuffix(".host") for path in HOSTS]
        for host in hosts:
            if host.startswith("lab-"):
                continue
            with self.subTest(host), open(os.path.join(ROOT, f"tests/hosts/{host}.case"), encoding="utf-8") as f:
                text = f.read()
                for verb in ("check", "plan", "doctor"):
                    self.assertRegex(text, rf"(?m)^\$ handover {verb}\b.* --host {host}\.host$")


if __name__ == "__main__":
    print(f"figure hosts {len(HOSTS)}")
    unittest.main(argv=sys.argv[:1])
