"""Seconds of the processor that the page's engine takes in a browser."""

import base64
import gzip
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from glyflib.glyffuser import Glyffuser
from glyflib.interactive.drawing import packed_model
from glyflib.interactive.engine_code import engine_source
from glyflib.student import Student, sample_few

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CALLS = 4  # of a student for a glyph
# Random texts of nine tokens and none, as long as captions are on average.
SETTING = """
const parts = {};
const bytesOf = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
const text = (count) => ({ numbers: Float32Array.from({ length: 256 * count },
  (_, i) => Math.sin(i)), count });
const [cond, empty] = [text(9), text(1)];
const noise = torchNoise(0, 1024), both = Float64Array.from([...noise, ...noise]);
const texts = { texts: [cond, empty], which: [0, 1] };
const tasks = {
  "one guided call": () => unetForward(parts.glyffuser, both, 500, texts),
  "a student's glyph": () =>
    [...drawSteps(parts.student, noise, cond, empty, { calls: 4 })],
};
"""
TASKS = ("one guided call", "a student's glyph")


@contextmanager
def open_engine(kernel: str = "wasm") -> Iterator[Callable[[str], float]]:
    """A page with the engine, the shipped glyffuser and an untaught student.

    Args:
        kernel: "wasm", or "plain" for JavaScript alone.

    Yields:
        A function of one of `TASKS` that does it once, and returns the seconds of the
        processor that the page's thread took.

    Raises:
        FileNotFoundError: If there is no Chromium.
    """
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise FileNotFoundError(f"no browser on PATH: install one of {BROWSERS}")
    glyffuser = Glyffuser.load()
    parts = {
        "glyffuser": packed_model(glyffuser),
        "student": packed_model(Student.of(glyffuser)),
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.add_script_tag(content=engine_source() + SETTING)
        wanted = "kernelBytes" if kernel == "wasm" else "null"
        assert page.evaluate(f"startEngine({wanted})") == kernel
        for name, part in parts.items():
            text = base64.b64encode(gzip.decompress(part)).decode()
            code = "([name, text]) => { parts[name] = readPart(bytesOf(text)); }"
            page.evaluate(code, [name, text])
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})

        def spent() -> float:
            metrics = session.send("Performance.getMetrics")["metrics"]
            return {one["name"]: one["value"] for one in metrics}["TaskDuration"]

        def seconds(task: str) -> float:
            before = spent()
            page.evaluate("(task) => { tasks[task](); }", task)
            return spent() - before

        yield seconds
        browser.close()


def torch_tasks() -> dict[str, Callable[[], object]]:
    """The same tasks in torch."""
    glyffuser = Glyffuser.load()
    student = Student.of(glyffuser)
    tokens, mask = torch.randn(2, 9, 256), torch.arange(9) < torch.tensor([[9], [1]])
    both = torch.randn(2, 1, 32, 32)
    one, t = both[:1].double(), torch.tensor([500, 500])
    cond = glyffuser.encoder.encode("to gallop; a galloping horse")
    predict_x0 = student.predict_x0_for(cond)

    @torch.inference_mode()
    def call() -> None:
        glyffuser.unet(both, t, tokens, mask)

    def glyph() -> None:
        for _ in sample_few(predict_x0, one, student.alpha_bar, calls=CALLS):
            pass

    return dict(zip(TASKS, (call, glyph), strict=True))
