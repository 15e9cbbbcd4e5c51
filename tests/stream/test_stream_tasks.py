"""decode_stream over async generators runs them in the task that waits, as `async for` does: timeouts, groups, cancellation.

Each test holds the stream against the generator itself: the same consumer over both, the same end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import anyio
import pytest

import realtime_pcm as rp

FRAME = b'{"type":"response.output_text.delta","delta":"a"}'
MANY = 1000  # frames that a source would give if nothing stopped it, a millisecond apart

Source = AsyncGenerator[bytes, None]
over_both = pytest.mark.parametrize(
    "over",
    [lambda source: source, rp.decode_stream, lambda source: rp.decode_stream(source, errors="skip")],
    ids=["generator", "stream", "skip"],
)


def run(coroutine: Any) -> Any:
    async def bounded() -> Any:
        return await asyncio.wait_for(coroutine, 30)

    return asyncio.run(bounded())


async def consume(iterator: Any) -> tuple[int, BaseException | None]:
    """How many items came, and what the iterator ended with."""
    count = 0
    try:
        async for _ in iterator:
            count += 1
    except Exception as error:
        return count, error
    return count, None


@over_both
def test_a_timeout_around_the_yields_fires(over: Callable[[Source], Any]) -> None:
    async def frames() -> Source:
        async with asyncio.timeout(0.05):
            for _ in range(MANY):
                await asyncio.sleep(0.001)
                yield FRAME

    count, error = run(consume(over(frames())))
    assert type(error) is TimeoutError
    assert count < MANY


@over_both
def test_a_task_group_around_the_yields_reports_at_once(over: Callable[[Source], Any]) -> None:
    async def fail() -> None:
        await asyncio.sleep(0.01)  # by then a few frames have come
        raise LookupError("the other connection is gone")

    async def frames() -> Source:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            for _ in range(MANY):
                await asyncio.sleep(0.001)
                yield FRAME

    count, error = run(consume(over(frames())))
    assert isinstance(error, ExceptionGroup) and type(error.exceptions[0]) is LookupError
    assert count < MANY


@over_both
def test_a_cancel_scope_of_anyio_around_the_yields(over: Callable[[Source], Any]) -> None:
    async def frames() -> Source:
        with anyio.fail_after(0.05):
            for _ in range(MANY):
                await anyio.sleep(0.001)
                yield FRAME

    count, error = anyio.run(consume, over(frames()))
    assert type(error) is TimeoutError
    assert count < MANY


@over_both
def test_a_task_group_of_anyio_around_the_yields(over: Callable[[Source], Any]) -> None:
    """Its scope must be left in the task that entered it, else anyio raises."""

    async def frames() -> Source:
        async with anyio.create_task_group() as group:
            sender, receiver = anyio.create_memory_object_stream[bytes](0)

            async def send() -> None:
                async with sender:
                    for _ in range(3):
                        await sender.send(FRAME)

            group.start_soon(send)
            async with receiver:
                async for frame in receiver:
                    yield frame

    assert anyio.run(consume, over(frames())) == (3, None)


@over_both
def test_the_generator_runs_in_the_task_that_waits(over: Callable[[Source], Any]) -> None:
    tasks = []

    async def frames() -> Source:
        for _ in range(3):
            await asyncio.sleep(0)
            tasks.append(asyncio.current_task())
            yield FRAME

    async def talk() -> None:
        async for _ in over(frames()):
            assert tasks[-1] is asyncio.current_task()

    run(talk())
    assert len(tasks) == 3


@over_both
def test_a_cancelled_wait_cancels_the_generator(over: Callable[[Source], Any]) -> None:
    """The generator ends and its `finally` has run when the wait is over; closing it then is no error, and no frame follows."""
    ended = []

    async def frames() -> Source:
        try:
            yield FRAME
            await asyncio.sleep(3600)
            yield FRAME
        finally:
            ended.append(True)

    async def talk() -> None:
        async with aclosing(frames()) as source:
            iterator = over(source)
            await anext(iterator)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await anext(iterator)
            assert ended == [True]
            with pytest.raises(StopAsyncIteration):
                await anext(iterator)
            await source.aclose()

    run(talk())


@over_both
def test_a_generator_that_catches_the_cancellation_goes_on(over: Callable[[Source], Any]) -> None:
    async def frames() -> Source:
        for number in range(4):
            while True:
                try:
                    await asyncio.sleep(0.02 if number == 1 else 0)
                except asyncio.CancelledError:
                    continue
                break
            yield FRAME

    async def talk() -> tuple[int, BaseException | None]:
        iterator = over(frames())
        await anext(iterator)
        waiting = asyncio.ensure_future(anext(iterator))
        await asyncio.sleep(0)
        waiting.cancel()
        await waiting
        return await consume(iterator)

    assert run(talk()) == (2, None)


@over_both
def test_a_cancelled_wait_on_an_iterator_loses_no_frame(over: Callable[[Any], Any]) -> None:
    """An iterator class is not ended by a cancellation, and neither is the stream over it."""

    class Frames:
        def __init__(self) -> None:
            self.queue: asyncio.Queue[bytes] = asyncio.Queue()

        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> bytes:
            return await self.queue.get()

    async def talk() -> None:
        source = Frames()
        iterator = over(source)
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await anext(iterator)
            source.queue.put_nowait(FRAME)
            await anext(iterator)

    run(talk())


def test_a_stream_over_a_generator_needs_no_event_loop() -> None:
    async def frames() -> Source:
        yield FRAME

    waiting = rp.decode_stream(frames()).__anext__()
    with pytest.raises(StopIteration) as done:
        waiting.send(None)
    assert done.value.value.type == "response.output_text.delta"
