"""The server of the benchmark `concurrency`: it plays a recorded session to each client, at the time each frame is due.

It runs in a process of its own on another core. No event loop and no WebSocket library: one thread waits for the next due frame
or the next bytes of a client, and writes frames that were made beforehand, so that a frame costs a few microseconds. It tells
how late it was itself.
"""

from __future__ import annotations

import base64
import hashlib
import heapq
import json
import os
import resource
import select
import socket
import time
from typing import Any

from realtime_pcm import sample

FRAMES = sample.lines()
TYPES = [json.loads(frame)["type"] for frame in FRAMES]
AUDIO = "response.output_audio.delta"
BURST = 64  # frames written before the sockets are looked at again


def due_times() -> list[float]:
    """When each frame is sent, in seconds from the start: audio in the time it plays, the rest with what follows it."""
    due, played = [], 0.0
    for frame, type_ in zip(FRAMES, TYPES, strict=True):
        due.append(played)
        if type_ == AUDIO:
            played += len(base64.b64decode(json.loads(frame)["delta"])) / 48_000
    return due


DUE = due_times()


def on_the_wire(payload: bytes) -> bytes:
    """A text frame of a server (RFC 6455), whole."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


WIRE = [on_the_wire(frame) for frame in FRAMES]
CLOSE = b"\x88\x02\x03\xe8"


class Line:
    """One client. It gets the first frame with the answer to its handshake, and the others once it has sent {"start": T}.

    Frame i comes at T + DUE[i] of the system's clock, or all at once if T is 0.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.received = b""
        self.open = False
        self.over = False  # the client has sent a close frame
        self.unsent = b""
        self.audio = hashlib.sha256()
        self.appended = 0

    def send(self, data: bytes) -> bool:
        """Whether all of it went out; the rest is kept."""
        if not self.unsent:
            try:
                sent = self.connection.send(data)
            except BlockingIOError:
                sent = 0
            if sent == len(data):
                return True
            data = data[sent:]
        self.unsent += data
        return False

    def messages(self, data: bytes) -> list[dict[str, Any]]:
        """What the client says, without its audio, which is hashed."""
        self.received += data
        if not self.open and b"\r\n\r\n" in self.received:
            head, _, self.received = self.received.partition(b"\r\n\r\n")
            key = next(line[19:] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key: "))
            digest = hashlib.sha1(key.strip() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
            answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            self.send(answer + b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n" + WIRE[0])
            self.open = True
        said = []
        while self.open and (frame := self.next_frame()):
            opcode, text = frame
            self.over = self.over or opcode == 8
            if opcode == 1:
                event = json.loads(text)
                if "start" in event:
                    said.append(event)
                else:
                    assert event["type"] == "input_audio_buffer.append"
                    self.audio.update(base64.b64decode(event["audio"], validate=True))
                    self.appended += 1
        return said

    def next_frame(self) -> tuple[int, bytes] | None:
        """Opcode and payload of the next whole frame of the client, which is masked; None if it has not come yet."""
        if len(self.received) < 6:
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


class Generator:
    """All lines, and what is due on them."""

    def __init__(self, pipe: Any) -> None:
        self.pipe = pipe
        self.lines: dict[int, Line] = {}
        self.due: list[tuple[float, int, int, Line]] = []  # when, a number to tell equal times apart, which frame, which line
        self.started = 0
        self.asked = time.process_time()
        self.lateness: list[float] = []
        self.heard: list[tuple[int, str]] = []
        self.poll = select.epoll()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1_024)
        self.listener.setblocking(False)
        self.poll.register(self.listener, select.EPOLLIN)
        self.poll.register(pipe.fileno(), select.EPOLLIN)
        pipe.send(self.listener.getsockname()[1])

    def run(self) -> None:
        while True:
            wait = max(0.0, self.due[0][0] - time.monotonic()) if self.due else -1
            for number, event in self.poll.poll(wait):
                if number == self.listener.fileno():
                    self.accept()
                elif number == self.pipe.fileno():
                    if not self.answer(self.pipe.recv()):
                        return
                elif line := self.lines.get(number):
                    self.serve(number, line, event)
            for _ in range(BURST):
                if not self.due or (late := time.monotonic() - self.due[0][0]) < 0:
                    break
                self.play(late)

    def answer(self, question: str | None) -> bool:
        """Tells on the pipe what the last caller said, or how late it was since the last question. False: it is to end."""
        if question == "heard":
            self.pipe.send(list(self.heard))
        elif question is not None:
            self.pipe.send((list(self.lateness), time.process_time() - self.asked))
            self.lateness.clear()
            self.asked = time.process_time()
        return question is not None

    def accept(self) -> None:
        connection, _ = self.listener.accept()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lines[connection.fileno()] = Line(connection)
        self.poll.register(connection, select.EPOLLIN)

    def serve(self, number: int, line: Line, event: int) -> None:
        if event & select.EPOLLOUT:
            unsent, line.unsent = line.unsent, b""
            self.send(number, line, unsent)
        if event & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
            try:
                data = line.connection.recv(1 << 16)
            except ConnectionError:
                data = b""
            if not data:
                self.lines.pop(number).connection.close()
                return
            for message in line.messages(data):
                self.heard = [(line.appended, line.audio.hexdigest())]
                if message["start"]:
                    self.started += 1
                    heapq.heappush(self.due, (message["start"] + DUE[1], self.started, 1, line))
                else:
                    self.send(number, line, b"".join(WIRE[1:]) + CLOSE)
            if line.over:
                self.lines.pop(number).connection.close()

    def send(self, number: int, line: Line, data: bytes) -> None:
        try:
            done = line.send(data)
        except ConnectionError:
            return  # its end is about to be read
        self.poll.modify(number, select.EPOLLIN | (0 if done else select.EPOLLOUT))

    def play(self, late: float) -> None:
        when, start, frame, line = self.due[0]
        number = line.connection.fileno()
        if number < 0:  # the client has left
            heapq.heappop(self.due)
            return
        last = frame + 1 == len(WIRE)
        data = WIRE[frame] + CLOSE if last else WIRE[frame]
        if line.unsent:
            self.send(number, line, data)
        else:
            try:
                if not line.send(data):
                    self.poll.modify(number, select.EPOLLIN | select.EPOLLOUT)
            except ConnectionError:
                last = True
        self.lateness.append(late)
        if last:
            heapq.heappop(self.due)
        else:
            heapq.heapreplace(self.due, (when + DUE[frame + 1] - DUE[frame], start, frame + 1, line))


def more_files() -> None:
    """As many open sockets as this user may have."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def serve(pipe: Any, core: int) -> None:
    """The process of the generator. It first tells its port on the pipe."""
    os.sched_setaffinity(0, {core})
    more_files()
    Generator(pipe).run()
