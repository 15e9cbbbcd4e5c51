"""Sessions side by side: the openai SDK's own event loop against decode_stream, over real connections.

    python -m benchmarks.concurrency cpu        # CPU time a session
    python -m benchmarks.concurrency capacity   # concurrent sessions one core holds at real-time pace
    python -m benchmarks.concurrency threads    # decoders in threads; for free-threaded Python

The client runs on one core, the server, in a process of its own, on another: it writes WebSocket frames made
beforehand, so that it is never what is measured. Every way of reading hands on the same: the type of each message, the
samples of each delta as an int16 array, the text of each transcript delta; checked equal before anything is timed.

Needs the packages openai, websockets, aiohttp and picows.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import gc
import hashlib
import heapq
import json
import multiprocessing
import os
import resource
import statistics
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from functools import cache
from typing import Any

import numpy as np

import realtime_pcm as rp
from realtime_pcm import sample

FRAMES = sample.lines()
TYPES = [json.loads(frame)["type"] for frame in FRAMES]
AUDIO = "response.output_audio.delta"
TRANSCRIPT = "response.output_audio_transcript.delta"
LATE = 0.020


def due_times() -> list[float]:
    """When each frame is sent, in seconds from the start: audio in the time it plays, the rest with what follows it."""
    due, played = [], 0.0
    for frame, type_ in zip(FRAMES, TYPES):
        due.append(played)
        if type_ == AUDIO:
            played += len(base64.b64decode(json.loads(frame)["delta"])) / 48_000
    return due


DUE = due_times()


# --- the server


def on_the_wire(payload: bytes) -> bytes:
    """A text frame of a server (RFC 6455), whole."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


class Replay(asyncio.Protocol):
    """Answers the handshake, waits for one message {"start": T}, and sends frame i at T + DUE[i] of the system's clock.

    {"start": 0} sends all at once. `lateness` is the server's own.
    """

    wire = [on_the_wire(frame) for frame in FRAMES]
    whole = b"".join(wire)
    close = b"\x88\x02\x03\xe8"

    def __init__(self, schedule: Schedule, lateness: list[float]) -> None:
        self.schedule = schedule
        self.lateness = lateness
        self.received = b""
        self.open = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.open and b"\r\n\r\n" in self.received:
            head, _, self.received = self.received.partition(b"\r\n\r\n")
            lines = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
            key = next(line[19:] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key: "))
            assert b"upgrade" in lines
            digest = hashlib.sha1(key.strip() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
            answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            self.transport.write(answer + b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n")
            self.open = True
        # What clients send here is short, and masked.
        while self.open and len(self.received) >= 6 and len(self.received) >= 6 + (self.received[1] & 0x7F):
            opcode, size = self.received[0] & 0x0F, self.received[1] & 0x7F
            mask, text = self.received[2:6], self.received[6 : 6 + size]
            self.received = self.received[6 + size :]
            if opcode == 8:
                self.transport.close()
            elif opcode == 1:
                self.start(json.loads(bytes(byte ^ mask[i % 4] for i, byte in enumerate(text))))

    def start(self, event: dict[str, float]) -> None:
        if event["start"]:
            self.schedule.add(event["start"], self)
        else:
            self.transport.write(self.whole + self.close)

    def send(self, number: int, due: float) -> None:
        self.transport.write(self.wire[number])
        self.lateness.append(time.monotonic() - due)
        if number + 1 == len(self.wire):
            self.transport.write(self.close)


class Schedule:
    """One timer for all sessions."""

    def __init__(self) -> None:
        self.heap: list[tuple[float, int, int, Replay]] = []
        self.wake = asyncio.Event()
        self.count = 0

    def add(self, start: float, replay: Replay, number: int = 0) -> None:
        self.count += 1
        heapq.heappush(self.heap, (start + DUE[number], number, self.count, replay))
        self.wake.set()

    async def run(self) -> None:
        while True:
            wait = self.heap[0][0] - time.monotonic() if self.heap else 3_600.0
            if wait > 0:
                self.wake.clear()
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self.wake.wait(), wait)
                continue
            due, number, count, replay = heapq.heappop(self.heap)
            if replay.transport.is_closing():
                continue
            replay.send(number, due)
            if number + 1 < len(FRAMES):
                heapq.heappush(self.heap, (due + DUE[number + 1] - DUE[number], number + 1, count, replay))
            await asyncio.sleep(0)


def serve(pipe: Any, core: int) -> None:
    """The server's process. Tells its port; then its lateness so far for each message on the pipe."""
    os.sched_setaffinity(0, {core})

    async def run() -> None:
        loop = asyncio.get_running_loop()
        schedule, lateness = Schedule(), list[float]()
        server = await loop.create_server(lambda: Replay(schedule, lateness), "127.0.0.1", 0, backlog=1_024)
        pipe.send(server.sockets[0].getsockname()[1])

        def tell() -> None:
            if pipe.recv() is None:
                return stopped.set()
            pipe.send(list(lateness))
            lateness.clear()

        stopped = asyncio.Event()
        loop.add_reader(pipe.fileno(), tell)
        timer = asyncio.create_task(schedule.run())
        await stopped.wait()
        timer.cancel()
        server.close()

    asyncio.run(run())


# --- the clients: connect to the server and hand on what each message holds


Item = tuple[str, Any]


@cache
def _openai_client(port: int) -> Any:
    import openai

    return openai.AsyncOpenAI(api_key="loopback", base_url=f"http://127.0.0.1:{port}/v1")


async def _openai(port: int) -> Any:
    return await _openai_client(port).realtime.connect(model="m").enter()


async def _websockets(port: int) -> Any:
    from websockets.asyncio.client import connect

    return await connect(f"ws://127.0.0.1:{port}/v1/realtime", max_size=None, compression=None, ping_interval=None)


async def _picows(port: int) -> Any:
    from picows.websockets import connect

    return await connect(f"ws://127.0.0.1:{port}/v1/realtime", max_size=None, compression=None, ping_interval=None)


async def sdk_events(connection: Any) -> AsyncIterator[Item]:
    """The openai SDK's own event loop, as its documents show it."""
    async for event in connection:
        if event.type == "response.output_audio.delta":
            yield event.type, np.frombuffer(base64.b64decode(event.delta), "<i2")
        elif event.type == "response.output_audio_transcript.delta":
            yield event.type, event.delta
        else:
            yield event.type, None


async def our_messages(connection: Any) -> AsyncIterator[Item]:
    async for message in rp.decode_stream(connection):
        if message.type == "response.output_audio.delta":
            yield message.type, message.pcm
        elif message.type == "response.output_audio_transcript.delta":
            yield message.type, message.delta
        else:
            yield message.type, None


async def frames_only(connection: Any) -> AsyncIterator[Item]:
    """The floor: the client's own work, nothing decoded."""
    with contextlib.suppress(Exception):
        while True:
            yield "", await connection.recv_bytes()


WAYS: dict[str, tuple[Callable[[int], Any], Callable[[Any], AsyncIterator[Item]]]] = {
    "openai, its own event loop": (_openai, sdk_events),
    "openai, decode_stream": (_openai, our_messages),
    "websockets, decode_stream": (_websockets, our_messages),
    "picows, decode_stream": (_picows, our_messages),
}
FLOOR = ("openai, frames not decoded", (_openai, frames_only))


async def start(connection: Any, when: float) -> None:
    text = json.dumps({"start": when})
    await (connection.send_raw(text) if hasattr(connection, "send_raw") else connection.send(text))


async def whole_session(port: int, connect: Any, read: Any) -> tuple[float, list[Item]]:
    """CPU seconds from asking for a session to its end, connecting left out, and what it held."""
    connection = await connect(port)
    gc.collect()  # what the session before left
    begun = time.process_time()
    await start(connection, 0)
    items = [item async for item in read(connection)]
    took = time.process_time() - begun
    await connection.close()
    return took, items


def digest(items: list[Item]) -> tuple[list[str], bytes, str]:
    return (
        [type_ for type_, _ in items],
        b"".join(value.tobytes() for type_, value in items if type_ == AUDIO),
        "".join(value for type_, value in items if type_ == TRANSCRIPT),
    )


def check(port: int) -> None:
    results = {name: digest(asyncio.run(whole_session(port, *way))[1]) for name, way in WAYS.items()}
    first = next(iter(results.values()))
    assert first[0] == TYPES and first[1] and first[2]
    for name, result in results.items():
        assert result == first, f"{name} reads something else"


def measure_cpu(port: int, rounds: int) -> None:
    ways = {**WAYS, FLOOR[0]: FLOOR[1]}
    took: dict[str, list[float]] = {name: [] for name in ways}

    async def run() -> None:
        for round_ in range(rounds + 2):
            for name, way in ways.items():
                seconds, _ = await whole_session(port, *way)
                if round_ >= 2:
                    took[name].append(seconds)

    asyncio.run(run())
    print(f"CPU time of the client for one session of {len(FRAMES)} messages, {DUE[-1]:.1f} s of audio ({rounds} rounds)")
    base = statistics.median(took[next(iter(ways))])
    for name, values in took.items():
        median = statistics.median(values)
        spread = (min(values) * 1e3, max(values) * 1e3)
        print(f"  {name:28} {median * 1e3:7.2f} ms  ({spread[0]:.2f} to {spread[1]:.2f})  {base / median:5.1f}x")


# --- capacity


async def at_pace(port: int, connect: Any, read: Any, sessions: int, seconds: float) -> list[float]:
    """How late each event came, in `sessions` sessions at once, from the moment it was due to when it was decoded."""
    connections = []
    for _ in range(sessions):
        connections.append(await connect(port))
    lateness: list[float] = []

    async def one(number: int, connection: Any, begin: float) -> None:
        # Sessions begin at different times within a delta's 250 ms, as callers do.
        begin += (number * 0.6180339887 % 1.0) * 0.25
        await start(connection, begin)
        index = 0
        async for _ in read(connection):
            now = time.monotonic()
            lateness.append(now - begin - DUE[index])
            index += 1
            if now > begin + seconds:
                break

    gc.collect()
    begin = time.monotonic() + 0.2 + sessions * 0.0005
    tasks = [asyncio.create_task(one(number, c, begin)) for number, c in enumerate(connections)]
    await asyncio.gather(*tasks)
    for connection in connections:
        transport = getattr(getattr(connection, "_connection", connection), "transport", None)
        if transport is not None:
            transport.abort()
        else:
            await connection.close()
    return lateness


def holds(port: int, pipe: Any, way: Any, sessions: int, seconds: float) -> bool:
    """99 of 100 events within LATE. Where the server itself was late, the run says nothing and is made again."""
    connect, read = way
    for _ in range(3):
        late = sorted(asyncio.run(at_pace(port, connect, read, sessions, seconds)))
        pipe.send("lateness")
        served = sorted(pipe.recv())
        server_p99 = served[int(len(served) * 0.99)]
        p50, p99, worst = late[len(late) // 2], late[int(len(late) * 0.99)], late[-1]
        print(
            f"    {sessions:5} sessions: {len(late):6} events, late by {p50 * 1e3:7.1f} ms (median) {p99 * 1e3:8.1f} (99%) "
            f"{worst * 1e3:8.1f} (worst); the server by {server_p99 * 1e3:.1f} (99%)",
            flush=True,
        )
        if p99 <= LATE:
            return True
        if server_p99 < LATE / 4:
            return False
    return False


def measure_capacity(port: int, pipe: Any, names: list[str], seconds: float, most: int) -> None:
    print(f"Sessions on one core at real-time pace, {seconds:.0f} s each, 99% of events within {LATE * 1e3:.0f} ms")
    held: dict[str, int] = {}
    for name in names:
        print(f"  {name}", flush=True)
        good, bad = 0, 0
        sessions = 25
        while sessions <= most and not bad:
            if holds(port, pipe, WAYS[name], sessions, seconds):
                good, sessions = sessions, sessions * 2
            else:
                bad = sessions
        while bad and bad - good > max(good // 8, 4):
            middle = (good + bad) // 2
            if holds(port, pipe, WAYS[name], middle, seconds):
                good = middle
            else:
                bad = middle
        held[name] = good
    base = held[names[0]]
    for name, good in held.items():
        print(f"  {name:28} {good:5} sessions  {good / max(base, 1):5.1f}x")


# --- threads


def measure_threads(counts: list[int], seconds: float) -> None:
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    print(
        f"Python {sys.version.split()[0]}, GIL {'on' if gil else 'off'}, {len(os.sched_getaffinity(0))} cores, {rp.simd_tier()}"
    )
    single = 0.0
    for count in counts:
        best = cpu = cores = waits = 0.0
        for _ in range(5):
            passes = [0] * count
            gate = threading.Barrier(count + 1)
            stop = threading.Event()

            def work(number: int, passes: list[int] = passes, gate: Any = gate, stop: Any = stop) -> None:
                gate.wait()
                while not stop.is_set():
                    decoder = rp.Decoder()
                    for frame in FRAMES:
                        decoder.decode(frame)
                    passes[number] += 1

            threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
            for thread in threads:
                thread.start()
            gate.wait()
            begun, cpu_begun = time.perf_counter(), time.process_time()
            waited = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
            time.sleep(seconds)
            stop.set()
            for thread in threads:
                thread.join()
            wall, used = time.perf_counter() - begun, time.process_time() - cpu_begun
            if sum(passes) / wall > best:
                best, cpu, cores = sum(passes) / wall, used / sum(passes), used / wall
                waits = (resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - waited) / sum(passes)
        single = single or best
        print(
            f"  {count} threads: {best:8,.0f} sessions/s  {best * len(FRAMES):10,.0f} messages/s  {best / single:.2f}x  "
            f"({cpu * 1e6:.0f} us of CPU a session, {cores:.2f} cores had, "
            f"{waits:.2f} waits for a lock a session)",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["cpu", "capacity", "threads"])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each run")
    parser.add_argument("--most", type=int, default=1_600, help="sessions to try")
    parser.add_argument("--ways", nargs="*", type=int, default=list(range(len(WAYS))), help=f"of {list(WAYS)}")
    options = parser.parse_args()
    if options.what == "threads":
        return measure_threads([1, 2, 4, 8], min(options.seconds, 1.0))
    cores = sorted(os.sched_getaffinity(0))
    pipe, other = multiprocessing.Pipe()
    # Spawned: the server holds none of the client's memory.
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(other, cores[-1]), daemon=True)
    process.start()
    os.sched_setaffinity(0, {cores[0]})
    try:
        port = pipe.recv()
        check(port)
        pipe.send("lateness")
        pipe.recv()
        if options.what == "cpu":
            measure_cpu(port, options.rounds)
        else:
            measure_capacity(port, pipe, [list(WAYS)[way] for way in options.ways], options.seconds, options.most)
    finally:
        with contextlib.suppress(OSError):
            pipe.send(None)
        process.join(5)
        process.kill()


if __name__ == "__main__":
    main()
