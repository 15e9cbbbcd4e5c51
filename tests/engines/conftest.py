"""Recordings for the engines, and the engines themselves, on workers of this machine.

`nox -s engines` has them, and sets REALTIME_PCM_REQUIRE_ENGINES: a missing one is then an error. Elsewhere its tests are skipped.
"""

from __future__ import annotations

import gzip
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from realtime_pcm import sample
from support.engines import REQUIRED, needed

FRAMES = sample.lines()
TURN = b"".join(frame + b"\n" for frame in FRAMES)


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """A folder of recordings: a long one, one that is compressed, one with bad lines, one that is cut, one that is none."""
    folder = tmp_path / "calls"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.jsonl").write_bytes(TURN * 12)
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(TURN * 2, mtime=0))
    (folder / "c.bin").write_bytes(b"RIFFxxxx")
    (folder / "deep" / "a.jsonl").write_bytes(b"bad\n" + TURN + b"{}\n\xff\xfe\n" + TURN)
    (folder / "deep" / "cut.jsonl.gz").write_bytes(gzip.compress(TURN, mtime=0)[:-500])
    return folder


class _Ranges(SimpleHTTPRequestHandler):
    """Files of a folder, and parts of them, as object stores serve them."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        asked = self.headers.get("Range")
        if asked is None or not path.is_file():
            return super().do_GET()
        data = path.read_bytes()
        first, last = asked.removeprefix("bytes=").split("-")
        start, end = int(first), min(int(last or len(data) - 1), len(data) - 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{end}/{len(data)}")
        self.send_header("Content-Length", str(end - start + 1))
        self.end_headers()
        self.wfile.write(data[start : end + 1])
        return None


@pytest.fixture
def served(calls: Path) -> Iterator[str]:
    """The URL of the folder of recordings on an HTTP server of this process."""
    needed("fsspec")
    needed("aiohttp")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Ranges, directory=str(calls))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="session")
def ray() -> Iterator[Any]:
    """Ray with two workers. A worker that dies is an answer of the operating system, and the task runs again."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
    ray = needed("ray")
    needed("ray.data")
    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=400_000_000, log_to_driver=False)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars, context.retried_map_errors, context.max_map_retries = False, True, 3
    yield ray
    ray.shutdown()


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """Spark with two workers, which runs a task up to four times, as a cluster does."""
    if not REQUIRED and shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    sql = needed("pyspark.sql")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = sql.SparkSession.builder.master("local[2,4]").appName("tests")
    for name, value in (("ui.enabled", "false"), ("driver.bindAddress", "127.0.0.1"), ("driver.host", "127.0.0.1")):
        builder = builder.config(f"spark.{name}", value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()
