#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmlinux.py VMLINUZ OUT: take the kernel out of its compressed image.

QEMU starts it directly then; unpacking it in an emulated guest takes seconds.
Fails if it does not find it, and the caller uses VMLINUZ as it is.
"""

import lzma
import os
import shutil
import subprocess
import sys
import zlib


def unzstd(data):
    if not shutil.which('zstd'):
        return b''
    # What follows the compressed part is an error to zstd, after its output.
    return subprocess.run(['zstd', '-dc'], input=data, capture_output=True, check=False).stdout


FORMATS = [
    (b'\xfd7zXZ\0', lambda data: lzma.LZMADecompressor().decompress(data)),
    (b'\x28\xb5\x2f\xfd', unzstd),
    (b'\x1f\x8b\x08', lambda data: zlib.decompressobj(31).decompress(data)),
]


def kernel_in(image):
    for magic, unpack in FORMATS:
        at = image.find(magic)
        while at >= 0:
            try:
                data = unpack(image[at:])
            except (lzma.LZMAError, zlib.error):
                data = b''
            if data.startswith(b'\x7fELF'):
                return data
            at = image.find(magic, at + 1)
    return None


def main(vmlinuz, out):
    with open(vmlinuz, 'rb') as f:
        data = kernel_in(f.read())
    if data is None:
        sys.exit(f'{vmlinuz}: no kernel found in it')
    with open(out + '.new', 'wb') as f:
        f.write(data)
    os.rename(out + '.new', out)


if __name__ == '__main__':
    main(*sys.argv[1:])
