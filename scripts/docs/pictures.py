#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Take pictures of the pages at the widths of a desktop and of a phone.

pictures.py HTML OUT: HTML is the directory with the pages. Fails if a page is wider than
the window, and names the elements that stick out.
"""
import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile

WIDTHS = (1280, 390)
HIGHEST = 16000

# Returns the width and height of the page, and the innermost elements that stick out of the window
# and of each parent that scrolls.
STICKS_OUT = """(() => {
	const width = document.documentElement.clientWidth;
	const scrolls = e => e && e !== document.body &&
		(getComputedStyle(e).overflowX !== "visible" || scrolls(e.parentElement));
	const out = [...document.querySelectorAll("body *")].filter(e =>
		!e.children.length && e.getBoundingClientRect().right > width + 1 && !scrolls(e));
	const root = document.documentElement;
	return JSON.stringify([root.scrollWidth, root.scrollHeight,
			       out.map(e => e.textContent.trim().slice(0, 60))]);
})()"""


class Browser:
    """Chromium, driven through its pipe."""

    def __init__(self, profile):
        # Chromium reads from descriptor 3 and writes to descriptor 4.
        ours, theirs = os.pipe(), os.pipe()
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                   "--remote-debugging-pipe", f"--user-data-dir={profile}"]
        # The pipes have descriptors above 4, so the redirections do not overwrite one of them.
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec 3<&{ours[0]} 4>&{theirs[1]}; exec "$@"', "bash", *command],
            pass_fds=(ours[0], theirs[1]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(ours[0])
        os.close(theirs[1])
        self.out, self.into = os.fdopen(ours[1], "wb", buffering=0), theirs[0]
        self.number, self.left, self.session = 0, b"", None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    def message(self):
        """Read the next message."""
        while b"\0" not in self.left:
            data = os.read(self.into, 1 << 20)
            if not data:
                sys.exit("chromium has ended")
            self.left += data
        text, _, self.left = self.left.partition(b"\0")
        return json.loads(text)

    def call(self, method, until=None, **params):
        """Send a command, and wait for the result and an event."""
        self.number += 1
        request = {"id": self.number, "method": method, "params": params}
        if self.session:
            request["sessionId"] = self.session
        self.out.write(json.dumps(request).encode() + b"\0")
        result = None
        while result is None or until:
            said = self.message()
            if said.get("id") == self.number:
                if "error" in said:
                    sys.exit(f"{method}: {said['error']['message']}")
                result = said["result"]
            elif said.get("method") == until:
                until = None
        return result

    def picture(self, page, width, out):
        """Take a picture of a page. Return the elements that stick out of the window."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
                  mobile=False)
        self.call("Page.navigate", until="Page.loadEventFired", url=page.resolve().as_uri())
        value = self.call("Runtime.evaluate", expression=STICKS_OUT)["result"]["value"]
        wide, high, problems = json.loads(value)
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                         clip={"x": 0, "y": 0, "width": max(wide, width),
                               "height": min(high, HIGHEST), "scale": 1})
        out.write_bytes(base64.b64decode(shot["data"]))
        return problems or ([f"it is {wide} wide"] if wide > width else [])


def main():
    """Take pictures of all pages at all widths."""
    pages, out = sorted(pathlib.Path(sys.argv[1]).glob("*.html")), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    failed = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(profile)
        for page in pages:
            for width in WIDTHS:
                problems = browser.picture(page, width, out / f"{page.stem}-{width}.png")
                failed += bool(problems)
                for text in problems[:5]:
                    print(f"FAILED: {page.name}, {width} px: {text}")
        browser.process.terminate()
        browser.process.wait()
    print(f"{len(pages) * len(WIDTHS) - failed} passed, {failed} failed")
    return 1 if failed or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
