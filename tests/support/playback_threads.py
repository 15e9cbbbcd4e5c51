"""A reader, a writer and an interrupter as real threads, on one PlaybackBuffer.

Every sample that the player accepts has the next number, its two channels being the halves of that, so that the reader sees at
once what is lost, doubled or out of order. Afterwards each interruption is compared with what the reader was given, item by
item and to the sample.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from bisect import bisect_right
from typing import Any

import numpy as np

import realtime_pcm as rp
from realtime_pcm.playback import Interruption, PlaybackBuffer, PlayedItem, Truncation, UnheardItem
from support.session_frames import delta, done, response

RATE = 24_000
CAPACITY = 6_000
LONGEST_READ = 1_024


class Stage:
    def __init__(self, seconds: float) -> None:
        self.player = PlaybackBuffer(RATE, channels=2, seconds=CAPACITY / RATE)
        self.until = time.monotonic() + seconds
        self.raised: list[BaseException] = []
        # The writer's: where each item begins in the numbers, and how much of it was accepted.
        self.firsts: list[int] = []
        self.ids: list[str] = []
        self.accepted: list[int] = []
        # The interrupter's, in order; `interrupted` is seen by the reader.
        self.said: list[Interruption] = []
        self.interrupted: list[str] = []
        # The reader's: (interrupted items when the read began, first number, samples).
        self.reads: list[tuple[int, int, int]] = []

    def over(self) -> bool:
        return bool(self.raised) or time.monotonic() > self.until

    def run(self) -> None:
        threads = [threading.Thread(target=self.guarded, args=(work,)) for work in (self.write, self.read, self.interrupt)]
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            sys.setswitchinterval(interval)
        if self.raised:
            raise self.raised[0]
        self.said.append(self.player.interrupt())

    def guarded(self, work: Any) -> None:
        try:
            work()
        except BaseException as error:
            self.raised.append(error)

    def write(self) -> None:
        chance = random.Random(1)
        decoder = rp.Decoder(audio_format=rp.AudioFormat("pcm16", RATE, channels=2))
        number = item = 0
        while not self.over():
            item += 1
            ids: dict[str, Any] = {"response_id": f"r{item}", "item_id": f"i{item}", "content_index": 0}
            self.player.write(decoder.decode(response("response.created", f"r{item}")))
            self.firsts.append(number)
            self.ids.append(f"i{item}")
            self.accepted.append(0)
            for _ in range(chance.randrange(1, 12)):
                count = chance.choice([1, 24, 480, 2_000])
                # What a read is copying takes room as well.
                while self.player.queued > CAPACITY - count - LONGEST_READ:
                    if self.over():
                        return
                    time.sleep(0.0002)
                samples = np.arange(number, number + count, dtype="<u4")
                accepted = self.player.write(decoder.decode(delta(samples.tobytes(), **ids)))
                number += accepted
                self.accepted[-1] += accepted
                if accepted not in (0, count):
                    raise AssertionError(f"{accepted} of {count} accepted, and there was room")
                if accepted == 0 and chance.random() < 0.7:
                    break  # the server has understood
            self.player.write(decoder.decode(done(**ids)))
            if chance.random() < 0.5:
                self.player.write(decoder.decode(response("response.done", f"r{item}")))
            if chance.random() < 0.1:
                time.sleep(chance.random() * 0.002)

    def interrupt(self) -> None:
        chance = random.Random(2)
        while not self.over():
            time.sleep(chance.random() * 0.004)
            said = self.player.interrupt()
            self.said.append(said)
            items: tuple[Truncation | UnheardItem | PlayedItem, ...] = (*said.truncations, *said.unheard, *said.played)
            self.interrupted += [str(item.item_id) for item in items]

    def read(self) -> None:
        chance = random.Random(3)
        expected = 0
        while not self.over():
            before = len(self.interrupted)
            out = np.full((chance.choice([1, 120, 480, LONGEST_READ]), 2), 77, np.int16)
            count = self.player.read(out)
            if count:
                numbers = out[:count].reshape(-1).view(np.uint32)
                first = int(numbers[0])
                if first < expected or not np.array_equal(numbers, np.arange(first, first + count)):
                    raise AssertionError(f"expected sample {expected} or a later one: {first}, and {count} in all")
                self.reads.append((before, first, count))
                expected = first + count
            if out[count:].any():
                raise AssertionError("what is no audio is no silence")
            if chance.random() < 0.3:
                time.sleep(chance.random() * 0.001)

    def compare(self) -> dict[str, int]:
        """AssertionError where an interruption said something else than what the reader was given."""
        heard = dict.fromkeys(self.ids, 0)
        place = {item: number for number, item in enumerate(self.interrupted)}
        for before, first, count in self.reads:
            at = bisect_right(self.firsts, first) - 1
            while count:
                # Items of which nothing was accepted begin where the next one does.
                took = min(count, self.firsts[at] + self.accepted[at] - first)
                if took > 0:
                    heard[self.ids[at]] += took
                    assert place.get(self.ids[at], before) >= before, f"{self.ids[at]} was heard after its interruption"
                    first += took  # noqa: PLW2901 - used up, item by item
                    count -= took  # noqa: PLW2901
                at += 1
        accepted = dict(zip(self.ids, self.accepted, strict=True))
        seen: set[str] = set()
        totals = {"interruptions": len(self.said), "truncated": 0, "unheard": 0, "played": 0, "samples": 0}
        for said in self.said:
            assert said.unidentified == ()
            for kind, items in (("truncated", said.truncations), ("unheard", said.unheard), ("played", said.played)):
                for item in items:
                    assert item.item_id is not None and item.item_id not in seen, f"{item.item_id} came twice"
                    seen.add(item.item_id)
                    assert item.samples == heard[item.item_id], f"{item}: {heard[item.item_id]} samples were heard"
                    if kind == "played":
                        assert item.samples == accepted[item.item_id]
                    totals[kind] += 1
        # What nobody spoke of was never accepted.
        assert all(accepted[item] == 0 for item in self.ids if item not in seen)
        # What was accepted and not heard was interrupted, and is in the reports with all the rest.
        totals["samples"] = sum(count for _, _, count in self.reads)
        totals["late"] = self.player.late
        totals["underruns"] = self.player.underruns
        assert self.player.refused == self.player.duplicates == self.player.forgotten == 0
        return totals


def run(seconds: float) -> dict[str, int]:
    stage = Stage(seconds)
    stage.run()
    return stage.compare()
