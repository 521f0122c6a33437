"""A headless Chromium, spoken to over its debugging pipe: no driver, no port, no further package."""

import base64
import fcntl
import io
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from matplotlib.image import imread

# Software rendering and silence: the browser makes no request of its own.
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
    "--remote-debugging-pipe",
)
# The browser expects its pipe on descriptors 3 and 4; a shell cannot move numbers above 9 there.
LAUNCHER = "import os, sys; os.dup2({read}, 3); os.dup2({write}, 4); os.execv(sys.argv[1], sys.argv[1:])"
PATIENCE = 60.0  # seconds for one answer of a loaded machine


class Chromium:
    """One browser process; commands and events are JSON texts that end with a zero byte, on descriptors 3 and 4."""

    def __init__(self, program, profile):
        ends = [*os.pipe(), *os.pipe()]
        read, self.commands, self.answers, write = (fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in ends)
        for end in ends:
            os.close(end)
        launcher = LAUNCHER.format(read=read, write=write)
        self.process = subprocess.Popen(
            [sys.executable, "-c", launcher, program, *FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(read, write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read)
        os.close(write)
        self.pending, self.events, self.numbers = b"", [], itertools.count(1)

    def call(self, method, session=None, **params):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            while b"\0" in self.pending:
                text, _, self.pending = self.pending.partition(b"\0")
                answer = json.loads(text)
                if answer.get("id") == number:
                    assert "error" not in answer, f"{method}: {answer['error']}"
                    return answer["result"]
                self.events.append(answer)
            if select.select([self.answers], [], [], 1.0)[0]:
                self.pending += os.read(self.answers, 1 << 20)
        raise TimeoutError(f"Chromium did not answer {method}")

    def close(self):
        self.call("Browser.close")
        self.process.wait(timeout=PATIENCE)
        os.close(self.commands)
        os.close(self.answers)


class Tab:
    """One page of the browser, and what happened in it."""

    def __init__(self, browser, path, fragment="", width=1200, height=1800):  # tall: no plane is out of sight
        self.browser = browser
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)  # keys reach it even before the window does
        self.call("Page.bringToFront")
        self.call("Page.navigate", url=path.as_uri() + fragment)
        deadline = time.monotonic() + PATIENCE
        while self.evaluate("document.getElementById('viewer')?.dataset.state ?? 'none'") != "ready":
            assert time.monotonic() < deadline, self.evaluate("document.body.innerText")
            time.sleep(0.05)
        self.settle()

    def call(self, method, **params):
        return self.browser.call(method, session=self.session, **params)

    def evaluate(self, expression):
        options = {"awaitPromise": True, "returnByValue": True}
        return self.call("Runtime.evaluate", expression=expression, **options)["result"].get("value")

    def settle(self):
        """Until what was asked for is drawn."""
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    def soon(self, condition):
        """Whether a condition comes true: a loaded machine may deliver an input a few frames late."""
        deadline = time.monotonic() + PATIENCE / 6
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.05)
        return condition()

    def text(self, name):
        return self.evaluate(f"document.getElementById({json.dumps(name)}).textContent")

    def box(self, name):
        """Left, top, width and height of an element in CSS pixels of the page."""
        return self.evaluate(
            f"(() => {{ const b = document.getElementById({json.dumps(name)}).getBoundingClientRect();"
            " return [b.left + scrollX, b.top + scrollY, b.width, b.height]; })()"
        )

    def pixels(self, name):
        """An element as it is on the screen, (rows, columns, 3), 0 to 255."""
        left, top, width, height = self.box(name)
        clip = {"x": left, "y": top, "width": width, "height": height, "scale": 1}
        data = self.call("Page.captureScreenshot", format="png", clip=clip)["data"]
        return np.rint(255 * imread(io.BytesIO(base64.b64decode(data)), format="png")[..., :3])

    def point(self, name, across, down):
        """A place inside an element, brought into view: viewport coordinates of the fractions across and down."""
        self.evaluate(f"document.getElementById({json.dumps(name)}).scrollIntoView({{block: 'center'}})")
        left, top, width, height = self.box(name)
        x, y = self.evaluate("[scrollX, scrollY]")
        return left - x + across * width, top - y + down * height

    def mouse(self, kind, x, y, **options):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **options)
        self.settle()

    def click(self, name, across, down):
        x, y = self.point(name, across, down)
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", buttons=1, clickCount=1)

    def key(self, key):
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)
        self.settle()

    def happened(self, method):
        mine = (e for e in self.browser.events if e.get("sessionId") == self.session)
        return [event["params"] for event in mine if event["method"] == method]

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    browser = Chromium(program, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def open_tab(chromium):
    """Opens a page; the test fails if the page asked for anything, broke its policy or raised an error."""
    tabs = []

    def opened(path, fragment="", **size):
        tabs.append(Tab(chromium, path, fragment, **size))
        return tabs[-1]

    yield opened
    for tab in tabs:
        asked = [event["request"]["url"] for event in tab.happened("Network.requestWillBeSent")]
        assert all(url.startswith(("file:", "data:")) for url in asked), asked
        assert sum(url.startswith("file:") for url in asked) == 1
        assert not tab.happened("Runtime.exceptionThrown")
        assert not tab.happened("Log.entryAdded")
        tab.close()
