"""Sessions side by side: the openai SDK's own event loop against decode_stream, over real connections.

    python -m benchmarks.concurrency cpu        # CPU time a session that is only received
    python -m benchmarks.concurrency both       # CPU time a session whose caller speaks all the time, 20 ms a message
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
from typing import Any, ClassVar

import numpy as np

import realtime_pcm as rp
from realtime_pcm import sample

from .frames import SEED, speech

FRAMES = sample.lines()
TYPES = [json.loads(frame)["type"] for frame in FRAMES]
AUDIO = "response.output_audio.delta"
TRANSCRIPT = "response.output_audio_transcript.delta"
LATE = 0.020


def due_times() -> list[float]:
    """When each frame is sent, in seconds from the start: audio in the time it plays, the rest with what follows it."""
    due, played = [], 0.0
    for frame, type_ in zip(FRAMES, TYPES, strict=True):
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

    wire: ClassVar = [on_the_wire(frame) for frame in FRAMES]
    whole = b"".join(wire)
    close = b"\x88\x02\x03\xe8"

    def __init__(self, schedule: Schedule, lateness: list[float], heard: list[tuple[int, str]]) -> None:
        self.schedule = schedule
        self.lateness = lateness
        self.heard = heard
        self.audio = hashlib.sha256()
        self.appended = 0
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
        while self.open and (frame := self.next_frame()):
            opcode, text = frame
            if opcode == 8:
                self.transport.close()
            elif opcode == 1:
                event = json.loads(text)
                if "start" in event:
                    self.heard[:] = [(self.appended, self.audio.hexdigest())]
                    self.start(event)
                else:
                    assert event["type"] == "input_audio_buffer.append"
                    self.audio.update(base64.b64decode(event["audio"], validate=True))
                    self.appended += 1

    def next_frame(self) -> tuple[int, bytes] | None:
        """Opcode and payload of the next whole frame of the client, which is masked; None where it has not come yet."""
        if len(self.received) < 8:
            return None
        size, begin = self.received[1] & 0x7F, 2
        assert size < 127, "no message here is longer than 65,535 bytes"
        if size == 126:
            size, begin = int.from_bytes(self.received[2:4], "big"), 4
        end = begin + 4 + size
        if len(self.received) < end:
            return None
        mask, masked = self.received[begin : begin + 4], self.received[begin + 4 : end]
        opcode = self.received[0] & 0x0F
        self.received = self.received[end:]
        key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        return opcode, (int.from_bytes(masked, "big") ^ key).to_bytes(size, "big")

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
    """The server's process. Tells its port; when asked on the pipe, how late it was so far, or what the last caller said."""
    os.sched_setaffinity(0, {core})

    async def run() -> None:
        loop = asyncio.get_running_loop()
        schedule, lateness, heard = Schedule(), list[float](), list[tuple[int, str]]()
        server = await loop.create_server(lambda: Replay(schedule, lateness, heard), "127.0.0.1", 0, backlog=1_024)
        pipe.send(server.sockets[0].getsockname()[1])

        def tell() -> None:
            question = pipe.recv()
            if question is None:
                stopped.set()
            elif question == "heard":
                pipe.send(list(heard))
            else:
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


# --- the caller's own speech, as a microphone gives it: 20 ms at a time, for as long as the session lasts

CHUNK = 480
SPEECH = speech(np.random.default_rng(SEED), int(DUE[-1] / 0.020) * CHUNK)
CHUNKS = [SPEECH[start : start + CHUNK] for start in range(0, len(SPEECH), CHUNK)]
READY = [rp.encode_append(chunk) for chunk in CHUNKS]


async def sdk_append(connection: Any) -> None:
    for chunk in CHUNKS:
        await connection.input_audio_buffer.append(audio=base64.b64encode(chunk.tobytes()).decode())


async def our_append(connection: Any) -> None:
    encoder = rp.AudioEncoder()
    send = connection.send_raw if hasattr(connection, "send_raw") else connection.send
    for chunk in CHUNKS:
        await send(encoder.encode(chunk))


async def ready_append(connection: Any) -> None:
    """The floor: texts made beforehand."""
    for text in READY:
        await connection.send_raw(text)


async def say_nothing(connection: Any) -> None: ...


BOTH: dict[str, tuple[Any, Any, Any]] = {
    "openai, its own loop and append": (_openai, sdk_events, sdk_append),
    "openai, decode_stream and AudioEncoder": (_openai, our_messages, our_append),
    "websockets, decode_stream and AudioEncoder": (_websockets, our_messages, our_append),
    "picows, decode_stream and AudioEncoder": (_picows, our_messages, our_append),
}
BOTH_FLOOR = ("openai, nothing encoded or decoded", (_openai, frames_only, ready_append))


async def start(connection: Any, when: float) -> None:
    text = json.dumps({"start": when})
    await (connection.send_raw(text) if hasattr(connection, "send_raw") else connection.send(text))


async def whole_session(port: int, connect: Any, read: Any, say: Any = say_nothing) -> tuple[float, list[Item]]:
    """CPU seconds from the caller's first word, or the asking for a session, to its end, and what it held; connecting is left
    out."""
    connection = await connect(port)
    gc.collect()  # what the session before left
    begun = time.process_time()
    await say(connection)
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


def check(port: int, pipe: Any, ways: dict[str, Any]) -> None:
    """Every way reads the same, and what it says arrives."""
    first: Any = None
    said = len(CHUNKS), hashlib.sha256(SPEECH.tobytes()).hexdigest()
    for name, way in ways.items():
        result = digest(asyncio.run(whole_session(port, *way))[1])
        first = first or result
        assert result[0] == TYPES and result[1] and result[2] and result == first, f"{name} reads something else"
        if len(way) == 3:
            pipe.send("heard")
            assert pipe.recv() == [said], f"{name} says something else"


def measure_cpu(port: int, rounds: int, ways: dict[str, Any]) -> None:
    took: dict[str, list[float]] = {name: [] for name in ways}

    async def run() -> None:
        for round_ in range(rounds + 2):
            for name, way in ways.items():
                seconds, _ = await whole_session(port, *way)
                if round_ >= 2:
                    took[name].append(seconds)

    asyncio.run(run())
    said = f", {len(CHUNKS)} chunks of 20 ms sent" if any(len(way) == 3 for way in ways.values()) else ""
    print(f"CPU time of the client for one session of {len(FRAMES)} messages, {DUE[-1]:.1f} s of audio{said} ({rounds} rounds)")
    base = min(took[next(iter(ways))])
    for name, values in took.items():
        print(
            f"  {name:44} {min(values) * 1e3:7.2f} ms  (median {statistics.median(values) * 1e3:.2f})  {base / min(values):5.1f}x"
        )


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
    parser.add_argument("what", choices=["cpu", "both", "capacity", "threads"])
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
        ways: dict[str, Any] = {**BOTH} if options.what == "both" else {**WAYS}
        check(port, pipe, ways)
        pipe.send("lateness")
        pipe.recv()
        if options.what != "capacity":
            name, way = BOTH_FLOOR if options.what == "both" else FLOOR
            measure_cpu(port, options.rounds, {**ways, name: way})
        else:
            measure_capacity(port, pipe, [list(WAYS)[way] for way in options.ways], options.seconds, options.most)
    finally:
        with contextlib.suppress(OSError):
            pipe.send(None)
        process.join(5)
        process.kill()


if __name__ == "__main__":
    main()
