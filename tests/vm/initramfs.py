#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make the two parts of a guest's initramfs, without root and without cpio.

  initramfs.py base KVER MODULES OUT   tools, init and modules of one kernel;
                                       MODULES is the folder that holds KVER
  initramfs.py overlay OUT [FILE DEST ...]
                                       what one run carries

The kernel unpacks both, one after the other, from one file. The base is kept:
OUT.from lists every file it was made of, and it is made again only when one
of them is no longer the same. Exit 77: a tool is missing on this machine.
"""

import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
PATH = '/usr/sbin:/usr/bin:/sbin:/bin'
PCI_IDS = '/usr/share/misc/pci.ids'

# Tool: the Debian package that has it. busybox's date, ls, readlink and stat
# know too little, hence the real ones.
TOOLS = {
    'bash': 'bash', 'kmod': 'kmod', 'ip': 'iproute2', 'bridge': 'iproute2', 'ethtool': 'ethtool',
    'lspci': 'pciutils', 'setpci': 'pciutils', 'strace': 'strace', 'flock': 'util-linux',
    **dict.fromkeys('ls readlink cat date sleep timeout stat stty'.split(), 'coreutils'),
}
KMOD_NAMES = 'modprobe insmod rmmod lsmod modinfo depmod'.split()

# Newer kmods load these by name, so ldd does not show them.
DLOPENED = ['liblzma.so.5', 'libzstd.so.1']

# With what they depend on. A name that a kernel lacks (built in, or not there
# yet, or no longer) is no error.
MODULES = '''
vfio vfio_iommu_type1 vfio_pci vfio_virqfd iommufd
e1000 e1000e igb igbvf virtio_net bridge bonding 8021q tun dummy veth vrf macvlan
xhci_pci xhci_hcd ehci_pci uhci_hcd usbhid hid_generic evdev usb_storage
snd_hda_intel snd_hda_codec_generic
ahci sd_mod nvme virtio_pci virtio_blk ext4 crc32c_generic crc32c_intel overlay
i2c_i801 i2c_dev lpc_ich iTCO_wdt bochs kvm_intel kvm_amd
'''.split()


class Cpio:
    """The newc format. Parents are made as needed, a name comes once."""

    # As on Debian: the kernel, libkmod and scripts use either spelling.
    MERGED = {'bin', 'sbin', 'lib', 'lib64'}

    def __init__(self, out):
        self.out = out
        self.seen = set()
        self.pos = 0

    def _put(self, data):
        self.out.write(data)
        self.pos += len(data)

    def _pad(self, to):
        self._put(b'\0' * (-self.pos % to))

    def _entry(self, name, mode, data, dev):
        # inode, mode, uid, gid, links, mtime, size, device, special device, name, checksum
        fields = (len(self.seen), mode, 0, 0, 1, 0, len(data), 0, 0, *dev, len(name) + 1, 0)
        self._put(b'070701' + b''.join(b'%08x' % f for f in fields) + name.encode() + b'\0')
        self._pad(4)
        self._put(data)
        self._pad(4)

    def add(self, name, mode, data=b'', dev=(0, 0)):
        name = os.path.normpath(name).lstrip('/')
        if name.split('/')[0] in self.MERGED and not stat.S_ISLNK(mode):
            name = 'usr/' + name
        if name in self.seen:
            return
        if os.path.dirname(name):
            self.add_dir(os.path.dirname(name))
        self.seen.add(name)
        self._entry(name, mode, data, dev)

    def add_dir(self, name):
        self.add(name, stat.S_IFDIR | 0o755)

    def add_link(self, name, target):
        self.add(name, stat.S_IFLNK | 0o777, target.encode())

    def add_text(self, name, text, mode=0o644):
        self.add(name, stat.S_IFREG | mode, text.encode())

    def end(self):
        self._entry('TRAILER!!!', 0, b'', (0, 0))
        self._pad(512)


class Image:
    """A cpio made of files of this machine, which it remembers."""

    def __init__(self, out):
        self.cpio = Cpio(out)
        self.sources = {}

    def note(self, path):
        self.sources[path] = fingerprint(path)

    def own(self, name, dest=None):
        """A file beside this one, perhaps only as something to remember."""
        self.note(name)
        if dest:
            with open(f'{HERE}/{name}', 'rb') as f:
                self.cpio.add(dest, stat.S_IFREG | 0o755, f.read())

    def file(self, path, dest=None, mode=None):
        """One file as it is, and what it is linked against."""
        self.note(path)
        with open(path, 'rb') as f:
            data = f.read()
        mode = mode or stat.S_IMODE(os.stat(path).st_mode)
        self.cpio.add(dest or path, stat.S_IFREG | mode, data)
        if data.startswith(b'\x7fELF') and not data[16] == 1:    # 1: an object file, such as a module
            for lib in libraries(path):
                self.note(lib)
                with open(lib, 'rb') as f:
                    self.cpio.add(lib, stat.S_IFREG | 0o755, f.read())

    def tree(self, path, dest):
        if not os.path.isdir(path):
            self.file(path, dest)
            return
        self.cpio.add_dir(dest)
        for name in sorted(os.listdir(path)):
            self.tree(f'{path}/{name}', f'{dest}/{name}')


def fingerprint(path):
    """Relative names are our own files: two checkouts that are alike share an image."""
    try:
        if os.path.isabs(path):
            st = os.stat(path)
            return f'{st.st_size} {st.st_mtime_ns}'
        with open(f'{HERE}/{path}', 'rb') as f:
            return hashlib.sha256(f.read()).hexdigest()
    except OSError:
        return 'absent'


def libraries(path):
    out = subprocess.run(['ldd', path], capture_output=True, text=True, check=False).stdout
    return re.findall(r'(/\S+) \(0x', out)


def is_current(out):
    try:
        with open(out + '.from', encoding='utf-8') as f:
            lines = f.read().splitlines()
    except OSError:
        return False
    return os.path.exists(out) and all(
        fingerprint(path) == seen for path, seen in (line.split('\t') for line in lines))


def modules(folder):
    """The wanted modules and what they need, as paths below the folder."""
    needs, path_of = {}, {}
    with open(f'{folder}/modules.dep', encoding='utf-8') as f:
        for line in f:
            path, deps = line.split(':', 1)
            needs[path] = deps.split()
            path_of[os.path.basename(path).split('.ko')[0].replace('-', '_')] = path
    wanted = {path_of[name] for name in MODULES if name in path_of}
    return sorted(wanted.union(*(needs[path] for path in wanted)))


def find_tools():
    found = {name: shutil.which(name, path=PATH) for name in [*TOOLS, 'busybox']}
    missing = [f"{name} (package {TOOLS.get(name, 'busybox-static')})"
               for name, path in found.items() if not path]
    if found['busybox'] and libraries(found['busybox']):
        missing.append('a static busybox (package busybox-static)')
    if not os.path.exists(PCI_IDS):
        missing.append(f'{PCI_IDS} (package pci.ids)')
    if missing:
        print('missing: ' + ', '.join(missing), file=sys.stderr)
        sys.exit(77)
    return found


def add_skeleton(image):
    cpio = image.cpio
    for name in 'bin sbin lib lib64'.split():
        cpio.add_link(name, 'usr/' + name)
    for name in 'proc sys dev tmp run root lab mnt var/lib etc/modprobe.d'.split():
        cpio.add_dir(name)
    cpio.add_link('var/run', '/run')
    cpio.add_link('var/lock', '/run/lock')
    for name, dev in (('console', (5, 1)), ('null', (1, 3))):
        cpio.add('dev/' + name, stat.S_IFCHR | 0o600, b'', dev)
    cpio.add_text('etc/passwd', 'root:x:0:0:root:/root:/bin/bash\n')
    cpio.add_text('etc/group', 'root:x:0:\n')


def add_tools(image, tools):
    for name, path in tools.items():
        image.file(path, f'usr/bin/{name}', 0o755)
    for name in KMOD_NAMES:
        image.cpio.add_link(f'usr/sbin/{name}', '../bin/kmod')
    image.cpio.add_link('usr/bin/sh', 'bash')
    # ldd shows where this machine keeps its libraries.
    for folder in {os.path.dirname(lib) for lib in libraries(tools['kmod'])}:
        for name in DLOPENED:
            if os.path.exists(f'{folder}/{name}'):
                image.file(f'{folder}/{name}')
    applets = subprocess.run([tools['busybox'], '--list'], capture_output=True, text=True, check=True)
    for name in applets.stdout.split():
        if f'usr/sbin/{name}' not in image.cpio.seen:
            image.cpio.add_link(f'usr/bin/{name}', 'busybox')


def make_base(kver, root, out):
    """The caller holds the cache's lock: no two write OUT.new at once."""
    if is_current(out):
        return
    folder = f'{root}/{kver}'
    tools = find_tools()
    with open(out + '.new', 'wb') as f:
        image = Image(f)
        image.own(os.path.basename(__file__))
        add_skeleton(image)
        add_tools(image, tools)
        image.own('init', 'init')
        image.file(PCI_IDS)
        for path in modules(folder):
            image.file(f'{folder}/{path}', f'lib/modules/{kver}/{path}')
        for name in sorted(os.listdir(folder)):
            if name.startswith('modules.'):
                image.file(f'{folder}/{name}', f'lib/modules/{kver}/{name}')
        image.cpio.end()
    # The list last: without it the image does not count.
    if os.path.exists(out + '.from'):
        os.unlink(out + '.from')
    os.rename(out + '.new', out)
    with open(out + '.from.new', 'w', encoding='utf-8') as f:
        f.writelines(f'{path}\t{seen}\n' for path, seen in image.sources.items())
    os.rename(out + '.from.new', out + '.from')


def make_overlay(out, names):
    with open(out, 'wb') as f:
        image = Image(f)
        for path, dest in zip(names[::2], names[1::2]):
            image.tree(path, dest)
        image.cpio.end()


def main(args):
    if args[:1] == ['base'] and len(args) == 4:
        make_base(*args[1:])
    elif args[:1] == ['overlay'] and len(args) > 1:
        make_overlay(args[1], args[2:])
    else:
        sys.exit(__doc__)


if __name__ == '__main__':
    main(sys.argv[1:])
