"""A headless browser that tests click through: Chromium, by the DevTools protocol over pipes."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--mute-audio",
    "--disable-background-networking", "--no-first-run", "--disable-extensions",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
NAMED = {" ": ("Space", 32), "ArrowRight": ("ArrowRight", 39), "ArrowLeft": ("ArrowLeft", 37),
         "Enter": ("Enter", 13), "Tab": ("Tab", 9), "Escape": ("Escape", 27)}  # fmt: skip


def program() -> str | None:
    """Where the browser is, if there is one."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


class Browser:
    """One page of a browser; `with Browser(path) as page` opens a file, or an address, and waits
    until it is there.

    What the page asks for is in `requests`, what it complains of in `errors`.
    """

    def __init__(self, page: Path | str, width: int = 1280, height: int = 900, dark: bool = False):
        self._page = page if isinstance(page, str) else page.resolve().as_uri()
        self._size, self._dark = (width, height), dark
        self.loads = 1
        self.requests: list[str] = []
        self.errors: list[str] = []

    def __enter__(self) -> Self:
        self._profile = tempfile.mkdtemp()
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        # the browser reads from descriptor 3 and writes to 4
        words = [program(), *FLAGS, f"--user-data-dir={self._profile}", "about:blank"]
        shell = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "bash", *map(str, words)],
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._in, self._out = os.fdopen(ours_in, "rb"), os.fdopen(ours_out, "wb")
        self._number, self._rest, self._session = 0, b"", None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")
        self.resize(*self._size)
        self.dark(self._dark)
        self.ask("Page.navigate", url=self._page)
        self.wait("document.readyState === 'complete'")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._in.close()
        self._out.close()
        shutil.rmtree(self._profile, ignore_errors=True)

    def ask(self, method: str, **params: Any) -> Any:
        """Send one message, and return its answer."""
        self._number += 1
        call = {"id": self._number, "method": method, "params": params}
        call |= {"sessionId": self._session} if self._session else {}
        self._out.write(json.dumps(call).encode() + b"\0")
        self._out.flush()
        while (answer := self._read()).get("id") != self._number:
            self._note(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._in.fileno(), 1 << 20)
            if not more:
                raise RuntimeError("the browser has ended")
            self._rest += more
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)

    def _note(self, event: dict[str, Any]) -> None:
        values = event.get("params", {})
        if event.get("method") == "Network.requestWillBeSent":
            self.requests.append(values["request"]["url"][:100])
        if event.get("method") == "Runtime.exceptionThrown":
            self.errors.append(str(values["exceptionDetails"]))
        if event.get("method") == "Log.entryAdded" and values["entry"]["level"] == "error":
            self.errors.append(values["entry"]["text"])

    def get(self, expression: str) -> Any:
        """Return what an expression comes to in the page."""
        options = {"returnByValue": True, "awaitPromise": True, "userGesture": True}
        found = self.ask("Runtime.evaluate", expression=expression, **options)
        if "exceptionDetails" in found:
            raise RuntimeError(f"{expression}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def wait(self, expression: str, seconds: float = 20) -> None:
        """Wait until an expression is true in the page."""
        self.get(
            "new Promise((done, fail) => { const until = Date.now() + "
            f"{1000 * seconds}; const look = () => ({expression}) ? done() : Date.now() > until ? "
            f"fail('never: ' + {json.dumps(expression)}) : setTimeout(look, 20); look(); }})"
        )

    def reload(self) -> None:
        """Open the page anew."""
        self.loads += 1
        self.get("window.old = true")
        self.ask("Page.reload")
        self.wait("document.readyState === 'complete' && !window.old")

    def press(self, *keys: str) -> None:
        """Press keys on the keyboard, one after the other."""
        for key in keys:
            code, number = NAMED.get(key) or (f"Key{key.upper()}", ord(key.upper()))
            event = {"key": key, "code": code, "windowsVirtualKeyCode": number}
            text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
            self.ask("Input.dispatchKeyEvent", type="keyDown", **event, **text)
            self.ask("Input.dispatchKeyEvent", type="keyUp", **event)

    def click(self, selector: str, across: float = 0.5) -> None:
        """Click on an element with the mouse, some way across it."""
        place = self.get(
            f"(() => {{ const one = document.querySelector({json.dumps(selector)}); "
            "one.scrollIntoView({block: 'center'}); const box = one.getBoundingClientRect(); "
            f"return [box.left + box.width * {across}, box.top + box.height / 2]; }})()"
        )
        event = {"x": place[0], "y": place[1], "button": "left", "clickCount": 1}
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, **event)

    def dark(self, wanted: bool) -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if wanted else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def resize(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.ask("Emulation.setDeviceMetricsOverride", **metrics)

    def screenshot(self, path: Path) -> None:
        found = self.ask("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(found["data"]))
