#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The profiles that `init` drafts: init_test.py BINARY ROOT

For each VM of each host of tests/hosts: the draft passes check as it stands, and its plan has no error of its own; what
the VM's own hostpci lines do without it may have. With what waits for a decision decided, nothing is left but the word
of the host's policy; and the host.yaml that it shows can be planned likewise.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

BINARY, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
failed = 0


def fail(name, what):
    global failed
    failed += 1
    print(f"FAILED {name}: {what}")


def handover(*words):
    return subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, timeout=60)


def errors(path, host):
    """Of the plan of this file, those that stand in it."""
    plan = json.loads(handover("plan", path, "--host", host, "--json").stdout)
    return [f for f in plan["findings"] if f["severity"] == "error" and f["file"] == str(path)]


def but_policy(found):
    return [f["code"] + ": " + f["what"] for f in found if "under [allow] in /etc/handover" not in (f["remedy"] or "")]


def decided(text):
    """Every step that only waits is done, and what it needs is accepted."""
    lines, waits, uncommented = [], False, 0
    for line in text.split("\n#\n")[0].split("\n"):
        if re.match(r"  # \S+ (waits for a decision|cannot be handed over)", line):
            waits = "waits" in line
        step = re.match(r"  # (- bind: .*|  return: .*)", line)
        if re.match(r"# (accept|pre-start):", line):
            line = line[2:]
        elif step and waits:
            line = "  " + step.group(1)
            uncommented += "bind" in line
        lines.append(line)
    return "\n".join(lines) if uncommented else None


def boot_of(text):
    tail = text.split("once more.\n")
    if len(tail) < 2:
        return None
    return "".join(line[2:] + "\n" for line in tail[1].split("\n") if re.match(r"# (?!  - .*\[[a-z-]+\]$)(?!It needs)", line))


def look_at(folder, host, vmid):
    name = f"{host.stem} {vmid}"
    draft = handover("init", vmid, "--host", host, "--json")
    if draft.returncode not in (0, 5, 6):
        return fail(name, f"init: {draft.returncode} {draft.stderr}")
    answer = json.loads(draft.stdout)
    path = folder / f"{vmid}.yaml"
    path.write_text(answer["profile"])
    check = handover("check", path)
    if check.returncode:
        fail(name, f"check: {check.stderr}")
    for error in errors(path, host):
        fail(name, f"plan as it stands: {error}")
    text = decided(answer["profile"])
    if text:
        path.write_text(text)
        for error in but_policy(errors(path, host)):
            fail(name, f"plan when decided: {error}")
    boot = boot_of(answer["profile"])
    if boot:
        path = folder / "host.yaml"
        path.write_text(boot)
        for error in but_policy(errors(path, host)):
            fail(name, f"its host.yaml: {error}")
    return answer["handed_over"], answer["open"], bool(text), bool(boot)


def split_host(folder):
    """The EliteDesk once boot has split slot 1f: its bridge is alone in group 7, and would not be if it were found anew."""
    parts = re.split(r"^(?=P: )", (ROOT / "tests/hosts/elitedesk.host").read_text(), flags=re.M)
    for i, part in enumerate(parts):
        function = re.match(r"P: /devices/pci0000:00/0000:00:1f\.([3-6])\n", part)
        if function:
            parts[i] = part.replace("iommu_groups/7\n", f"iommu_groups/2{function.group(1)}\n")
    host = folder / "split.host"
    host.write_text("".join(parts))
    return host


def look_at_split(folder):
    """What init has said to do after the reboot."""
    host = split_host(folder)
    look_at(folder, host, 100)
    text = decided(json.loads(handover("init", 100, "--host", host, "--json").stdout)["profile"])
    for line in ("  - bind: lpc\n", "  - bind: audio\n    return: cycle\n"):
        if line not in text:
            fail("split", f"no '{line}' in {text}")


def main():
    seen = []
    with tempfile.TemporaryDirectory() as folder:
        for host in sorted((ROOT / "tests/hosts").glob("*.host")):
            for vmid in re.findall(r"^F: etc/pve/qemu-server/(\d+)\.conf$", host.read_text(errors="replace"), re.M):
                if "hostpci" in host.read_text(errors="replace"):
                    seen.append(look_at(pathlib.Path(folder), host, vmid))
        look_at_split(pathlib.Path(folder))
    seen = [one for one in seen if one]
    print(f"figure init-drafts {len(seen)}")
    print(f"figure init-decided {sum(one[2] for one in seen)}")
    print(f"figure init-boots {sum(one[3] for one in seen)}")
    if len(seen) < 15 or not any(one[0] for one in seen) or not any(one[2] for one in seen) or not any(one[3] for one in seen):
        fail("all", "too little was looked at")
    sys.exit(failed > 0)


main()
