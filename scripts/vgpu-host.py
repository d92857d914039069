#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# vgpu-host.py OUT HEADS QEMU...: run QEMU with a virtual GPU, whose device has the id "gpu", and
# execute the requests that the guest writes to its second serial port, one per line:
#
#   watch                   start to record the positions of cursors
#   shot HEAD NAME          save a picture of the output as OUT/NAME.png
#   pattern HEAD W H        compare the output, pixel by pixel, with the pattern of tests/kms
#   cursor HEAD X Y [W H]   compare the hardware cursor and its last position
#   mode HEAD W H           check the size of the picture on the output
#   hotspot HEAD X Y        compare the hotspot of the cursor
#   colours HEAD N          check that the output shows at least N colours
#   pixels HEAD RRGGBB N    check that the output shows at least N pixels of that colour
#   size HEAD W H           change the size of the output; 0 0 takes it away
#   known N                 check that at least N tables were unmapped after the device knew them,
#                           and that no table was unmapped, and the IOMMU not switched off, while
#                           the device knew it
#   say TEXT                append TEXT to $SHARE/report
#   status N                write N to $SHARE/status
#   wake                    wake the machine, once it sleeps
#   quit                    end QEMU
#   panic HEADS NAME        wait until each of HEADS outputs shows a panic screen, save a picture
#                           of each, and end QEMU
#
# The answer is one line: "ok", or "no" and the reason. A guest that prints nothing for a while is
# restarted, unless it has made $SHARE/started.
#
# At its end, QEMU's device knows a number of resources. $SHARE/known has this number, and the
# highest number that it knew at once.

import ctypes
import json
import os
import re
import select
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time

ENCODINGS = {"raw": 0, "desktop size": -223, "extended desktop size": -308, "alpha cursor": -314}
BOOT_SILENCE = 120      # seconds without output after which a boot has failed
BOOTS = 3
PANIC_COLOURS = {(0, 0, 0), (255, 255, 255)}

# The events that QEMU traces: commands of the device, and translations and invalidations of the
# IOMMU. The virtual device looks up the addresses of a resource only once, in the command that
# attaches them. So the IOMMU reports no fault if they are unmapped while the device knows them. The
# order of these events shows it.
EVENTS = ("virtio_gpu_cmd_res_back_attach", "virtio_gpu_cmd_res_back_detach", "virtio_gpu_cmd_res_unref",
          "virtio_set_status", "resettable_phase_hold_exec", "virtqueue_fill", "vtd_iotlb_page_hit",
          "vtd_iotlb_page_update", "vtd_inv_desc_iotlb_pages", "vtd_dmar_enable")
PAGE = 4096


def connect(path):
    """Connect to a socket that QEMU makes when it starts."""
    for _ in range(300):
        try:
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(path)
            return sock
        except OSError:
            sock.close()
            time.sleep(0.1)
    raise SystemExit(f"vgpu-host.py: QEMU has no socket {path}")


class Monitor:
    """QEMU's monitor (QMP)."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.file = connect(path).makefile("rw")
        self.file.readline()
        self.call("qmp_capabilities")

    def call(self, command, **arguments):
        with self.lock:
            json.dump({"execute": command, "arguments": arguments}, self.file)
            self.file.write("\n")
            self.file.flush()
            while True:
                answer = json.loads(self.file.readline())
                if "error" in answer:
                    raise RuntimeError(answer["error"]["desc"])
                if "return" in answer:
                    return answer["return"]


class Witness(threading.Thread):
    """Reads what QEMU traces, from a FIFO."""

    def __init__(self, path):
        super().__init__(daemon=True)
        os.mkfifo(path)
        self.file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.lock = threading.Lock()
        self.rest = b""
        self.cursors = {}       # the last position of each cursor
        self.known = {}         # the pages of each resource: (domain, number)
        self.starts = {}        # the resource of each page at which a table starts
        self.past = set()       # the first page of each table that the device has forgotten
        self.window = None      # the resource whose addresses are being translated
        self.vdev = None        # QEMU's name for the device
        self.most = 0           # the highest number of resources that it knew at once
        self.unmapped = 0
        self.faults = []

    def run(self):
        while True:
            select.select([self.file], [], [], 1)
            if not self.drain():
                time.sleep(0.02)

    def drain(self):
        """Read all traces that QEMU has written. Return whether there were any."""
        found = False
        with self.lock:
            while True:
                try:
                    data = os.read(self.file, 1 << 20)
                except BlockingIOError:
                    return found
                if not data:
                    return found
                found = True
                *lines, self.rest = (self.rest + data).split(b"\n")
                for line in lines:
                    self.event(line.decode(errors="replace"))

    def event(self, line):
        # With -msg timestamp=on, a time precedes the name.
        name, _, words = line.partition(" ")
        name = name.rpartition(":")[2]
        handle = getattr(self, "on_" + name, None)
        if handle:
            handle(words.split())

    def forget_all(self):
        for resource in list(self.known):
            self.forget(resource)

    def forget(self, resource):
        pages = self.known.pop(resource, None)
        if pages:
            self.starts.pop(pages[0], None)
            self.past.add(pages[0])

    def on_virtio_gpu_update_cursor(self, words):
        self.cursors[int(words[1].strip(","))] = words[3].strip(","), words[5].strip(",")

    def on_virtio_gpu_cmd_res_back_attach(self, words):
        self.window = words[1].strip(",")
        self.forget(self.window)

    def on_virtio_gpu_cmd_res_unref(self, words):
        self.forget(words[1].strip(","))

    on_virtio_gpu_cmd_res_back_detach = on_virtio_gpu_cmd_res_unref

    def on_vtd_iotlb_page_hit(self, words):
        if self.window:
            page = words[10], int(words[6], 16) // PAGE
            self.known.setdefault(self.window, []).append(page)

    on_vtd_iotlb_page_update = on_vtd_iotlb_page_hit

    def on_virtqueue_fill(self, _words):
        """The device answers, so it has translated all addresses of the command."""
        if self.window in self.known:
            start = self.known[self.window][0]
            self.starts[start] = self.window
            self.past.discard(start)
            self.most = max(self.most, len(self.known))
        self.window = None

    def on_resettable_phase_hold_exec(self, words):
        """The device is reset with the machine, by the bus, or because its slot is switched off."""
        found = re.fullmatch(r"obj=(\w+)\(virtio-gpu-device\)", words[0])
        if found:
            self.vdev = found[1]
            self.forget_all()

    def on_virtio_set_status(self, words):
        if words[1] == self.vdev and words[3] == "0":
            self.forget_all()

    def on_vtd_inv_desc_iotlb_pages(self, words):
        """The kernel has unmapped a range. It may invalidate more than the range, which has to be
        aligned. But an invalidation starts at the first page of a table only for that table."""
        start = words[3], int(words[5], 16) // PAGE
        if start in self.starts:
            self.faults.append(f"{1 << int(words[7], 16)} pages from {start[1] * PAGE:#x} on were unmapped while the "
                               f"device knew them as resource {self.starts[start]}")
        elif start in self.past:
            self.past.discard(start)
            self.unmapped += 1

    def on_vtd_dmar_enable(self, words):
        """The kernel has switched the IOMMU on or off, so all addresses mean something else."""
        if self.known:
            self.faults.append(f"the IOMMU was switched to {words[1]} while the device knew {len(self.known)} resources")


class Viewer(threading.Thread):
    """A VNC client of one output: it asks for sizes, and sees the cursor."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.sock = connect(path)
        self.cursor = None      # (width, height, pixels)
        self.hotspot = None
        self.handshake()
        self.start()

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.sock.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def handshake(self):
        self.read(12)
        self.sock.sendall(b"RFB 003.008\n")
        self.read(self.read(1)[0])
        self.sock.sendall(b"\1")
        self.read(4)
        self.sock.sendall(b"\1")
        self.size = struct.unpack(">HH", self.read(4))
        self.read(16)
        self.read(struct.unpack(">I", self.read(4))[0])
        self.sock.sendall(struct.pack(f">BxH{len(ENCODINGS)}i", 2, len(ENCODINGS), *ENCODINGS.values()))
        self.ask()

    def ask(self):
        """Ask for one pixel. The server sends sizes and cursors only together with pixels."""
        self.sock.sendall(struct.pack(">BBHHHH", 3, 1, 0, 0, 1, 1))

    def run(self):
        try:
            while True:
                self.message(self.read(1)[0])
        except (EOFError, OSError):
            pass

    def message(self, kind):
        if kind == 0:
            for _ in range(struct.unpack(">xH", self.read(3))[0]):
                self.rectangle(*struct.unpack(">HHHHi", self.read(12)))
            self.ask()
        elif kind == 3:
            self.read(struct.unpack(">3xI", self.read(7))[0])
        elif kind != 2:
            raise EOFError

    def rectangle(self, x, y, width, height, encoding):
        if encoding == ENCODINGS["raw"]:
            self.read(width * height * 4)
        elif encoding == ENCODINGS["extended desktop size"]:
            self.read(self.read(4)[0] * 16)
            self.size = width, height
        elif encoding == ENCODINGS["desktop size"]:
            self.size = width, height
        elif encoding == ENCODINGS["alpha cursor"]:
            self.read(4)
            self.cursor = width, height, self.read(width * height * 4)
            self.hotspot = x, y
        else:
            raise EOFError

    def resize(self, width, height):
        self.sock.sendall(struct.pack(">BxHHBx", 251, width, height, 1) +
                          struct.pack(">IHHHHI", 0, 0, 0, width, height, 0))


def pattern(head, x, y):
    """Return red, green and blue of a pixel that tests/kms draws."""
    return (x * 7 + head * 85) & 255, (y * 5 + head * 31) & 255, (x ^ y) & 255


def pattern_row(head, width, y):
    row = bytearray(3 * width)
    row[0::3] = bytes((x * 7 + head * 85) & 255 for x in range(width))
    row[1::3] = bytes([(y * 5 + head * 31) & 255]) * width
    row[2::3] = bytes((x ^ y) & 255 for x in range(width))
    return bytes(row)


def cursor_pixel(head, x, y, height):
    """Return a pixel of tests/kms's cursor in the order of QEMU: blue, green, red, alpha."""
    red, green, blue = pattern(head + 1, x, y)
    return bytes((blue, green, red, 255)) if y < height // 2 else bytes(4)


class Guest:
    """The guest's requests: a method do_NAME() for each returns None or the reason of a failure."""

    def __init__(self, out, witness, monitor, viewers):
        self.out, self.witness, self.monitor, self.viewers = out, witness, monitor, viewers

    def dump(self, head, name, form):
        path = os.path.join(self.out, name)
        self.monitor.call("screendump", filename=path, device="gpu", head=int(head), format=form)
        return path

    def picture(self, head):
        """Return width and height of the output, and its bytes of red, green and blue."""
        path = self.dump(head, ".shot.ppm", "ppm")
        with open(path, "rb") as file:
            data = file.read()
        os.remove(path)
        header = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
        return int(header[1]), int(header[2]), data[header.end():]

    def colours(self, head):
        """Return the number of pixels of each colour."""
        data, count = self.picture(head)[2], {}
        for pixel in zip(data[0::3], data[1::3], data[2::3]):
            count[pixel] = count.get(pixel, 0) + 1
        return count

    def do_watch(self):
        self.monitor.call("trace-event-set-state", name="virtio_gpu_update_cursor", enable=True)

    def do_shot(self, head, name):
        self.dump(head, name + ".png", "png")

    def do_pattern(self, head, width, height):
        head, width, height = int(head), int(width), int(height)
        seen = self.picture(head)
        if seen[:2] != (width, height):
            return f"output {head} shows {seen[0]}x{seen[1]}, not {width}x{height}"
        for y in range(height):
            row, want = seen[2][3 * width * y:3 * width * (y + 1)], pattern_row(head, width, y)
            if row != want:
                x = next(i for i in range(3 * width) if row[i] != want[i]) // 3
                return (f"output {head}, pixel {x},{y}: {row[3 * x:3 * x + 3].hex()} "
                        f"instead of {want[3 * x:3 * x + 3].hex()}")
        return None

    def do_cursor(self, head, x, y, columns=64, lines=64):
        columns, lines = int(columns), int(lines)
        head, seen = int(head), self.viewers[int(head)].cursor
        if not seen:
            return f"output {head} has no cursor"
        width, height, data = seen
        want = b"".join(cursor_pixel(head, i % width, i // width, lines)
                        if i % width < columns and i // width < lines else bytes(4)
                        for i in range(width * height))
        if data != want:
            at = next(i for i in range(len(want)) if data[i] != want[i]) // 4
            return (f"the cursor of output {head}, pixel {at % width},{at // width}: "
                    f"{data[4 * at:4 * at + 4].hex()} instead of {want[4 * at:4 * at + 4].hex()}")
        self.witness.drain()
        place = self.witness.cursors.get(head)
        return None if place == (x, y) else f"the cursor of output {head} is at {place}, not at {x},{y}"

    def do_known(self, least):
        witness = self.witness
        witness.drain()
        faults, witness.faults = witness.faults, []
        if faults:
            return f"{faults[0]}, and {len(faults) - 1} more"
        if not witness.vdev:
            return "the device was never reset"
        if witness.unmapped < int(least):
            return f"{witness.unmapped} tables were unmapped, and {len(witness.known)} are known"
        return None

    def do_mode(self, head, width, height):
        seen = self.picture(head)[:2]
        if seen == (int(width), int(height)):
            return None
        return f"output {head} shows {seen[0]}x{seen[1]}"

    def do_hotspot(self, head, x, y):
        for _ in range(50):
            seen = self.viewers[int(head)].hotspot
            if seen == (int(x), int(y)):
                return None
            time.sleep(0.1)
        return f"the cursor of output {head} has its hotspot at {seen}"

    def do_colours(self, head, number):
        count = len(self.colours(head))
        return None if count >= int(number) else f"output {head} shows {count} colours"

    def do_pixels(self, head, colour, number):
        count = self.colours(head).get(tuple(bytes.fromhex(colour)), 0)
        return None if count >= int(number) else f"output {head} shows {count} pixels of {colour}"

    def do_size(self, head, width, height):
        self.viewers[int(head)].resize(int(width), int(height))

    def do_say(self, *words):
        with open(os.path.join(os.environ["SHARE"], "report"), "a", encoding="utf-8") as file:
            print(*words, file=file)

    def do_status(self, status):
        with open(os.path.join(os.environ["SHARE"], "status"), "w", encoding="utf-8") as file:
            print(status, file=file)

    def do_wake(self):
        threading.Thread(target=self.wake, daemon=True).start()

    def wake(self):
        for _ in range(1200):
            if self.monitor.call("query-status")["status"] == "suspended":
                self.monitor.call("system_wakeup")
                break
            time.sleep(0.1)

    def do_quit(self):
        self.monitor.call("quit")

    def panic_screen(self, head):
        """Check for white on black only, because DRM's panic screen covers the whole output."""
        count = self.colours(head)
        white, total = count.get((255, 255, 255), 0), sum(count.values())
        return set(count) == PANIC_COLOURS and total // 1000 < white < total // 2

    def panic_screens(self, heads):
        return [self.panic_screen(head) for head in range(heads)]

    def do_panic(self, heads, name):
        heads = int(heads)
        if any(self.panic_screens(heads)):
            return "that looks like a panic screen before the panic"
        threading.Thread(target=self.watch_panic, args=(heads, name), daemon=True).start()
        return None

    def watch_panic(self, heads, name):
        for _ in range(60):
            time.sleep(1)
            if all(self.panic_screens(heads)):
                break
        for head in range(heads):
            self.do_shot(head, f"{name}-{head}")
        with open(os.path.join(self.out, name + ".seen"), "w", encoding="utf-8") as file:
            print(*("yes" if seen else "no" for seen in self.panic_screens(heads)), file=file)
        self.monitor.call("quit")

    def answer(self, line):
        words = line.split()
        try:
            why = getattr(self, "do_" + words[0])(*words[1:])
        except Exception as error:      # the answer tells the guest of each error
            why = f"{type(error).__name__}: {error}"
        return f"no {why}" if why else "ok"

    def serve(self, serial):
        try:
            for line in serial.makefile("r", encoding="utf-8", errors="replace"):
                if line.strip():
                    serial.sendall((self.answer(line.strip()) + "\n").encode())
        except OSError:         # QEMU has ended
            pass


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def watch_boot(qemu, started):
    """End QEMU if the boot stops. With a thread for each processor, some boots stop because QEMU
    misses that the kernel patches its code."""
    size, since = -1, 0
    while qemu.poll() is None and not os.path.exists(started):
        log = os.fstat(1)
        if log.st_size != size or not stat.S_ISREG(log.st_mode):
            size, since = log.st_size, time.monotonic()
        elif time.monotonic() - since > BOOT_SILENCE:
            qemu.kill()
        time.sleep(1)


def boot(out, heads, command, started):
    with tempfile.TemporaryDirectory() as tmp:
        path = lambda name: os.path.join(tmp, name)
        more = ["-chardev", f"socket,id=ask,path={path('ask')},server=on,wait=off", "-serial", "chardev:ask",
                "-qmp", f"unix:{path('qmp')},server=on,wait=off"]
        for head in range(heads):
            more += ["-vnc", f"unix:{path(f'vnc{head}')},id=vnc{head},display=gpu,head={head}"]
        more += ["-D", path("trace")]
        for event in EVENTS:
            more += ["-trace", event]
        witness = Witness(path("trace"))
        witness.start()
        with subprocess.Popen(command + more, preexec_fn=die_with_parent) as qemu:
            threading.Thread(target=watch_boot, args=(qemu, started), daemon=True).start()
            monitor = Monitor(path("qmp"))
            viewers = [Viewer(path(f"vnc{head}")) for head in range(heads)]
            guest = Guest(out, witness, monitor, viewers)
            threading.Thread(target=guest.serve, args=(connect(path("ask")),), daemon=True).start()
            status = qemu.wait()
            witness.drain()
            with open(os.path.join(os.environ["SHARE"], "known"), "w", encoding="utf-8") as file:
                print(len(witness.known), witness.most, file=file)
            return status


def main():
    out, heads, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    started = os.path.join(os.environ["SHARE"], "started")
    os.makedirs(out, exist_ok=True)
    if os.path.exists(started):
        os.unlink(started)
    for _ in range(BOOTS):
        status = boot(out, heads, command, started)
        if status != -signal.SIGKILL or os.path.exists(started):
            break
        print("vgpu-host.py: the guest said nothing more, and is started anew", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
