# SPDX-License-Identifier: MIT
"""The HTML report in a real browser: phone and desktop, light and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.reports.write import write_reports
from grader.tests.browser import Browser, browser_command
from grader.tests.reports import hostile, recorded

COMMAND = browser_command()
pytestmark = pytest.mark.skipif(COMMAND is None, reason="there is no Chromium here")

# Every box of text whose colours differ too little, by WCAG's formula; what is wider
# than the window though nothing around it scrolls.
LOOK = """(() => {
  document.querySelectorAll("details").forEach(d => d.open = true);
  const numbers = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => (v /= 255) <= 0.03928
      ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const back = element => {
    for (let e = element; e; e = e.parentElement) {
      const found = numbers(getComputedStyle(e).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const pale = new Set();
  let texts = 0;
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!own || e.closest("pre.vga")) continue;
    const style = getComputedStyle(e);
    const ink = numbers(e.closest("svg") ? style.fill : style.color);
    const [a, b] = [light(ink), light(back(e))].sort((p, q) => q - p);
    texts += 1;
    if ((a + 0.05) / (b + 0.05) < 4.5) pale.add(`${e.tagName}.${e.className} ${ink}`);
  }
  return {
    texts, pale: [...pale], width: document.documentElement.scrollWidth,
    inner: innerWidth, height: document.documentElement.scrollHeight,
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
  };
})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert COMMAND is not None
    with Browser(COMMAND, tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("make", [recorded, hostile])
def test_a_page_fits_can_be_read_and_asks_for_nothing(
    browser: Browser,
    make: Callable[[Path], Path],
    width: int,
    scheme: str,
    tmp_path: Path,
) -> None:
    file = write_reports(make(tmp_path))
    browser.look(file, width=width, scheme=scheme)
    seen = browser.value(LOOK)
    assert seen["width"] <= seen["inner"] == width
    assert seen["dark"] == (scheme == "dark")
    assert seen["texts"] > 50 and seen["pale"] == []
    events = [(event["method"], event["params"]) for event in browser.events]
    assert not [
        e for e in events if e[0].startswith(("Log.entry", "Runtime.exception"))
    ]
    asked = [e["request"]["url"] for name, e in events if name.endswith("WillBeSent")]
    assert asked == [file.as_uri()]
