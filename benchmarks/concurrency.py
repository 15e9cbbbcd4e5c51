"""Calls side by side: the usual ways to hold one and ours, each over real connections.

    python -m benchmarks.concurrency cpu        # CPU time of a call that is only received
    python -m benchmarks.concurrency both       # CPU time of a call whose caller speaks all the time, 20 ms a message
    python -m benchmarks.concurrency capacity   # calls at real-time pace that one core holds
    python -m benchmarks.concurrency threads    # decoders in threads; for free-threaded Python

The client runs on one core, the server (`load.py`) in a process of its own on another. Every way of reading hands on the
same: the type of each message, the samples of each delta as an int16 array, the text of each transcript delta; checked equal
before anything is timed. Each figure of `capacity` comes with how late the server itself was.

Needs the packages openai, websockets, aiohttp, picows, orjson and pybase64.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import gc
import hashlib
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
import orjson
import picows.websockets
import pybase64

import realtime_pcm as rp
from realtime_pcm.client import connect as call_connect

from .frames import SEED, speech
from .load import AUDIO, DUE, FRAMES, TYPES, more_files, serve

TRANSCRIPT = "response.output_audio_transcript.delta"
LATE = 0.020


# --- the clients: connect to the server and hand on what each message holds


Item = tuple[str, Any]

# The cheapest settings: an unbounded queue, so that picows and websockets never pause the network, and no pings.
UNBOUNDED: dict[str, Any] = {"max_size": None, "max_queue": None, "ping_interval": None}


@cache
def _openai_client(port: int) -> Any:
    import openai

    return openai.AsyncOpenAI(api_key="loopback", base_url=f"http://127.0.0.1:{port}/v1")


async def _openai(port: int) -> Any:
    return await _openai_client(port).realtime.connect(model="m").enter()


async def _websockets(port: int) -> Any:
    from websockets.asyncio.client import connect

    return await connect(f"ws://127.0.0.1:{port}/v1/realtime", compression=None, **UNBOUNDED)


async def _picows(port: int) -> Any:
    from picows.websockets import connect

    return await connect(f"ws://127.0.0.1:{port}/v1/realtime", compression=None, **UNBOUNDED)


class OurCall:
    """A call of realtime_pcm.client that is closed as the others are."""

    def __init__(self, port: int) -> None:
        self.context = call_connect(f"ws://127.0.0.1:{port}/v1/realtime")

    async def open(self) -> OurCall:
        self.call = await self.context.__aenter__()
        self.send = self.call.send
        return self

    async def close(self) -> None:
        await self.context.__aexit__(None, None, None)


async def _client(port: int) -> Any:
    return await OurCall(port).open()


async def call_messages(connection: OurCall) -> AsyncIterator[Item]:
    async for message in connection.call:
        if message.type == "response.output_audio.delta":
            yield message.type, message.pcm
        elif message.type == "response.output_audio_transcript.delta":
            yield message.type, message.delta
        else:
            yield message.type, None


async def orjson_events(connection: Any) -> AsyncIterator[Item]:
    """By hand: orjson, pybase64 (canonical, as ours is) and NumPy, on frames that are not made str first."""
    from websockets.exceptions import ConnectionClosedOK

    with contextlib.suppress(ConnectionClosedOK, picows.websockets.ConnectionClosedOK):
        while True:
            event = orjson.loads(await connection.recv(decode=False))
            if event["type"] == "response.output_audio.delta":
                yield event["type"], np.frombuffer(pybase64.b64decode(event["delta"], validate=True, canonical=True), "<i2")
            elif event["type"] == "response.output_audio_transcript.delta":
                yield event["type"], event["delta"]
            else:
                yield event["type"], None


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
    """The floor: the connection's own work, nothing decoded."""
    with contextlib.suppress(picows.websockets.ConnectionClosedOK):
        while True:
            yield "", await connection.recv(decode=False)


WAYS: dict[str, tuple[Callable[[int], Any], Callable[[Any], AsyncIterator[Item]]]] = {
    "openai, its own event loop": (_openai, sdk_events),
    "openai, decode_stream": (_openai, our_messages),
    "websockets, orjson + pybase64": (_websockets, orjson_events),
    "websockets, decode_stream": (_websockets, our_messages),
    "picows, orjson + pybase64": (_picows, orjson_events),
    "picows, decode_stream": (_picows, our_messages),
    "realtime_pcm.client": (_client, call_messages),
}
FLOOR = ("picows, frames not decoded", (_picows, frames_only))


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


async def call_append(connection: OurCall) -> None:
    for chunk in CHUNKS:
        await connection.call.send_audio(chunk)


async def orjson_append(connection: Any) -> None:
    for chunk in CHUNKS:
        event = {"type": "input_audio_buffer.append", "audio": pybase64.b64encode(chunk.data).decode()}
        await connection.send(orjson.dumps(event).decode())


async def ready_append(connection: Any) -> None:
    """The floor: texts made beforehand."""
    for text in READY:
        await connection.send(text)


async def say_nothing(connection: Any) -> None: ...


BOTH: dict[str, tuple[Any, Any, Any]] = {
    "openai, its own loop and append": (_openai, sdk_events, sdk_append),
    "openai, decode_stream and AudioEncoder": (_openai, our_messages, our_append),
    "websockets, orjson + pybase64": (_websockets, orjson_events, orjson_append),
    "websockets, decode_stream and AudioEncoder": (_websockets, our_messages, our_append),
    "picows, orjson + pybase64": (_picows, orjson_events, orjson_append),
    "picows, decode_stream and AudioEncoder": (_picows, our_messages, our_append),
    "realtime_pcm.client": (_client, call_messages, call_append),
}
BOTH_FLOOR = ("picows, nothing encoded or decoded", (_picows, frames_only, ready_append))


async def start(connection: Any, when: float) -> None:
    text = json.dumps({"type": "start", "start": when})
    await (connection.send_raw(text) if hasattr(connection, "send_raw") else connection.send(text))


async def whole_session(port: int, way: Any, keep: list[Item] | None = None) -> float:
    """CPU seconds from the caller's first word to the end of the session. Left out: to connect, and to ask for the session, which
    no provider wants. Each item is dropped before the next one is read, unless `keep` gets them."""
    connect, read, say = way if len(way) == 3 else (*way, say_nothing)
    connection = await connect(port)
    gc.collect()  # what the session before left
    begun = time.process_time()
    await say(connection)
    took = time.process_time() - begun
    await start(connection, 0)
    begun = time.process_time()
    async for item in read(connection):
        if keep is not None:
            keep.append(item)
    took += time.process_time() - begun
    await connection.close()
    return took


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
        items: list[Item] = []
        asyncio.run(whole_session(port, way, items))
        result = digest(items)
        first = first or result
        assert result[0] == TYPES and result[1] and result[2] and result == first, f"{name} reads something else"
        if len(way) == 3:
            pipe.send("heard")
            assert pipe.recv() == [said], f"{name} says something else"


def measure_cpu(port: int, rounds: int, ways: dict[str, Any]) -> dict[str, float]:
    took: dict[str, list[float]] = {name: [] for name in ways}

    async def run() -> None:
        for round_ in range(rounds + 2):
            if round_ == 2:
                # From now on gc.collect() passes over what is there: to walk all modules before each session would leave nothing
                # in the processor's caches, which a process with calls has warm.
                gc.collect()
                gc.freeze()
            for name, way in ways.items():
                seconds = await whole_session(port, way)
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
    return {name: min(values) * 1e3 for name, values in took.items()}


# --- capacity


async def at_pace(port: int, pipe: Any, connect: Any, read: Any, sessions: int, seconds: float) -> tuple[list[float], float]:
    """How late each event came, in `sessions` sessions at once, from the moment it was due to when it was decoded, and the CPU
    time that all of it took."""
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
            if index:  # the first one comes with the handshake
                lateness.append(now - begin - DUE[index])
            index += 1
            if now > begin + seconds:
                break

    gc.collect()
    pipe.send("lateness")  # of the handshakes
    pipe.recv()
    cpu = time.process_time()
    begin = time.monotonic() + 0.2 + sessions * 0.0005
    tasks = [asyncio.create_task(one(number, c, begin)) for number, c in enumerate(connections)]
    await asyncio.gather(*tasks)
    cpu = time.process_time() - cpu
    for connection in connections:
        transport = getattr(getattr(connection, "_connection", connection), "transport", None)
        if transport is not None:
            transport.abort()
        else:
            await connection.close()
    return lateness, cpu


def holds(port: int, pipe: Any, way: Any, sessions: int, seconds: float) -> bool:
    """99 of 100 events within LATE. If the server itself was late, the run says nothing and is made again."""
    connect, read = way
    for _ in range(3):
        late, cpu = asyncio.run(at_pace(port, pipe, connect, read, sessions, seconds))
        late.sort()
        pipe.send("lateness")
        served, server_cpu = pipe.recv()
        served.sort()
        server_p99 = served[int(len(served) * 0.99)]
        p50, p99, worst = late[len(late) // 2], late[int(len(late) * 0.99)], late[-1]
        print(
            f"    {sessions:5} sessions: {len(late):6} events, late by {p50 * 1e3:7.1f} ms (median) {p99 * 1e3:8.1f} (99%) "
            f"{worst * 1e3:8.1f} (worst), {cpu / seconds:.0%} of a core; the server by {server_p99 * 1e3:.1f} (99%), "
            f"{server_cpu / seconds:.0%} of its core",
            flush=True,
        )
        if p99 <= LATE:
            return True
        if server_p99 < LATE / 4:
            return False
    return False


def measure_capacity(port: int, pipe: Any, names: list[str], seconds: float, most: int) -> dict[str, float]:
    print(f"Sessions on one core at real-time pace, {seconds:.0f} s each, 99% of events within {LATE * 1e3:.0f} ms")
    held: dict[str, int] = {}
    for name in names:
        print(f"  {name}", flush=True)
        good, bad = 0, 0
        sessions = 100
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
    return {name: float(good) for name, good in held.items()}


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
    parser.add_argument("--most", type=int, default=9_600, help="sessions to try")
    parser.add_argument("--json", action="store_true", help="the figures once more as one line of JSON: milliseconds, or calls")
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
    more_files()
    try:
        port = pipe.recv()
        ways: dict[str, Any] = {**BOTH} if options.what == "both" else {**WAYS}
        check(port, pipe, ways)
        pipe.send("lateness")
        pipe.recv()
        if options.what != "capacity":
            name, way = BOTH_FLOOR if options.what == "both" else FLOOR
            found = measure_cpu(port, options.rounds, {**ways, name: way})
        else:
            found = measure_capacity(port, pipe, [list(WAYS)[way] for way in options.ways], options.seconds, options.most)
        if options.json:
            print(json.dumps(found))
    finally:
        with contextlib.suppress(OSError):
            pipe.send(None)
        process.join(5)
        process.kill()


if __name__ == "__main__":
    main()
