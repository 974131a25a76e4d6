"""A browser without a window: the Chromium of Qt WebEngine, which is a package of PyPI."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Read when Qt starts: no screen, no graphics card, and Chromium's sandbox refuses to run as root.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_QUICK_BACKEND", "software")
os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")
os.environ.setdefault("QTWEBENGINE_CHROMIUM_FLAGS", "--disable-gpu --log-level=3")

from PySide6.QtCore import QEventLoop, Qt, QTimer, QUrl
from PySide6.QtWebEngineCore import QWebEnginePage
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QApplication
from shiboken6 import delete

HEIGHT = 900  # of the window, in pixels
MILLISECONDS = 20_000  # until a wait gives up
Level = QWebEnginePage.JavaScriptConsoleMessageLevel


class Page(QWebEnginePage):
    """A page that notes its errors."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[str] = []

    def javaScriptConsoleMessage(  # noqa: N802 - the name is Qt's
        self, level: Level, message: str, line: int, source: str
    ) -> None:
        """Note a warning or an error of the console."""
        if level != Level.InfoMessageLevel:
            self.errors.append(f"{source}:{line}: {message}")


class Browser:
    """Opens files and looks at them."""

    def __init__(self) -> None:
        self._application = QApplication.instance() or QApplication([])
        self._page = Page()
        self._view = QWebEngineView()
        self._view.setPage(self._page)
        self._view.show()

    @property
    def errors(self) -> list[str]:
        """Warnings and errors of the console since `open`."""
        return list(self._page.errors)

    def open(self, path: Path, *, width: int = 1280) -> None:
        """Open a file in a window of this width, in pixels."""
        self._page.errors.clear()
        self._view.resize(width, HEIGHT)
        self._page.load(QUrl.fromLocalFile(str(path)))
        (loaded,) = self._wait(self._loaded)
        assert loaded, path

    def resize(self, width: int) -> None:
        """Give the window another width, in pixels."""
        self._view.resize(width, HEIGHT)
        self.wait_until(f"innerWidth === {width}")

    def run(self, script: str) -> Any:
        """Return the value of an expression of JavaScript."""
        script = f"JSON.stringify({script} ?? null)"
        (text,) = self._wait(lambda done: self._page.runJavaScript(script, 0, done))
        return json.loads(text)

    def wait_until(self, condition: str) -> None:
        """Wait until an expression of JavaScript is true."""
        for _ in range(200):
            if self.run(f"Boolean({condition})"):
                return
            self._wait(lambda done: QTimer.singleShot(50, done))
        raise AssertionError(f"never true: {condition}")

    def picture(self, path: Path) -> None:
        """Save what the window shows, for a person to look at."""
        self._view.grab().save(str(path))

    def close(self) -> None:
        """Free the page before the profile that it belongs to, as Qt wants."""
        delete(self._view)
        delete(self._page)

    def _loaded(self, done: Callable[[bool], None]) -> None:
        self._page.loadFinished.connect(done, Qt.ConnectionType.SingleShotConnection)

    def _wait(self, start: Callable[[Callable[..., None]], Any]) -> list[Any]:
        """Start something; return the arguments with which it calls back."""
        loop = QEventLoop()
        answers: list[list[Any]] = []

        def done(*arguments: Any) -> None:
            answers.append(list(arguments))
            loop.quit()

        start(done)
        QTimer.singleShot(MILLISECONDS, loop, loop.quit)
        if not answers:
            loop.exec()
        assert answers, "the browser does not answer"
        return answers[0]
