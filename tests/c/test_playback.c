/* The ring and the ledger of playback: against a plain model, and with a reader, a writer and an interrupter at once.
 *
 *     test_playback [operations of the model] [seconds of the threads]
 */
#include "atomics.h"
#include "harness.h"
#include "playback.h"
#include "system.h"

#include <string.h>

static uint64_t below(uint64_t *state, uint64_t bound) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (*state * 0x2545F4914F6CDD1Du >> 32) % bound;
}

/* ---- The ring against a model: what was read is kept sample by sample ------------------------------------ */

#define LONGEST_OUTPUT 4096

typedef struct output {
    uint64_t after[LONGEST_OUTPUT]; /* the position after the sample that left, or 0 for silence */
    size_t count, gaps;
} output;

/* The position up to which samples had left `latency` samples ago, never before `floor`. */
static uint64_t heard_by_model(const output *out, uint64_t latency, uint64_t floor) {
    uint64_t heard = floor;
    for (size_t i = 0; i + latency < out->count; i++)
        if (out->after[i] > heard) heard = out->after[i];
    return heard;
}

static void ring_against_model(uint64_t operations) {
    uint64_t state = 24000, wrapped = 0, cuts = 0;
    for (uint64_t done = 0; done < operations;) {
        uint64_t capacity = 1 + below(&state, 40);
        playback_ring *ring = playback_ring_new(capacity, sizeof(uint64_t));
        CHECK(ring != NULL, "no memory");
        output *out = calloc(1, sizeof *out);
        uint64_t head = 0, tail = 0, floor = 0, underruns = 0;
        bool open = false, in_underrun = false;
        while (out->count < LONGEST_OUTPUT - 64 && out->gaps < 48) {
            done++;
            uint64_t what = below(&state, 10);
            if (what < 4) {
                uint64_t samples[64], count = below(&state, 50), room = capacity - (tail - head);
                for (uint64_t i = 0; i < count; i++) samples[i] = tail + i;
                CHECK(playback_ring_room(ring) == room, "room %llu", (unsigned long long)room);
                uint64_t taken = playback_ring_write(ring, samples, count);
                CHECK(taken == (count < room ? count : room), "took %llu",
                      (unsigned long long)taken);
                wrapped += taken > 0 && tail % capacity + taken > capacity;
                tail += taken;
                open |= taken > 0;
            } else if (what < 8) {
                uint64_t samples[64], count = below(&state, 50),
                                      audio = tail - head < count ? tail - head : count;
                memset(samples, 0xEE, sizeof samples);
                CHECK(playback_ring_enter(ring), "nobody reads");
                CHECK(!playback_ring_enter(ring), "one reads");
                uint64_t got = playback_ring_read(ring, samples, count);
                playback_ring_leave(ring);
                CHECK(got == audio, "%llu for %llu", (unsigned long long)got,
                      (unsigned long long)audio);
                for (uint64_t i = 0; i < count; i++) {
                    CHECK(samples[i] == (i < audio ? head + i : 0), "sample %llu",
                          (unsigned long long)i);
                    out->after[out->count++] = i < audio ? head + i + 1 : 0;
                }
                CHECK(samples[count] == 0xEEEEEEEEEEEEEEEEu, "wrote past the end");
                head += audio;
                if (audio > 0) in_underrun = false;
                if (audio < count) {
                    out->gaps++;
                    underruns += open && !in_underrun;
                    in_underrun = open;
                }
            } else if (what < 9) {
                playback_ring_close_item(ring);
                open = false;
            } else {
                uint64_t latency = below(&state, 3) ? below(&state, 100) : 0;
                uint64_t heard = playback_ring_cut(ring, latency);
                uint64_t expected = heard_by_model(out, latency, floor);
                CHECK(heard == expected, "heard %llu, not %llu", (unsigned long long)heard,
                      (unsigned long long)expected);
                floor = head = tail;
                open = false;
                cuts++;
            }
            CHECK(playback_ring_queued(ring) == tail - head, "queued");
            CHECK(playback_ring_head(ring) == head && playback_ring_written(ring) == tail,
                  "positions");
            CHECK(playback_ring_underruns(ring) == underruns, "under-runs %llu",
                  (unsigned long long)underruns);
        }
        free(out);
        playback_ring_free(ring);
    }
    CHECK(wrapped > operations / 1000 && cuts > operations / 1000, "the model did not get around");
}

static void many_gaps(void) {
    /* More gaps than the ring remembers: what is heard is then less than the truth, never more, and not before the floor. */
    playback_ring *ring = playback_ring_new(1000, 1);
    unsigned char sample = 1, out[2];
    for (int i = 0; i < 200; i++) {
        playback_ring_write(ring, &sample, 1);
        CHECK(playback_ring_enter(ring) && playback_ring_read(ring, out, 2) == 1, "one of two");
        playback_ring_leave(ring);
    }
    uint64_t heard = playback_ring_cut(ring, 300);
    CHECK(heard <= 50 && heard < 200, "heard %llu of 50", (unsigned long long)heard);
    CHECK(playback_ring_cut(ring, 1000000) == 200, "not before the last cut");
    playback_ring_free(ring);
}

/* ---- The ledger against a model: one entry a position ------------------------------------------------------ */

#define ITEMS 24
#define MOST_POSITIONS 3000

static void ledger_against_model(uint64_t operations) {
    static uint32_t item_of[MOST_POSITIONS];
    static uint64_t place_of[MOST_POSITIONS]; /* after the sample */
    uint64_t state = 8000, completed = 0;
    for (uint64_t done = 0; done < operations;) {
        playback_ledger *ledger = playback_ledger_new(ITEMS, 64);
        uint64_t position = 0, received[ITEMS] = {0}, index[ITEMS] = {0};
        uint32_t item_rate[ITEMS], rate[ITEMS], began = 0;
        bool ended[ITEMS] = {false}, short_of_end[ITEMS] = {false};
        for (int turn = 0; turn < 60; turn++) {
            done++;
            if (began < ITEMS && below(&state, 3) == 0) {
                CHECK(playback_ledger_begin(ledger, 0) == began, "item %u", began);
                item_rate[began] = 1 + (uint32_t)below(&state, 4);
                rate[began++] = 1 + (uint32_t)below(&state, 4);
            }
            if (began == 0) continue;
            uint32_t item = (uint32_t)below(&state, began);
            uint64_t count = below(&state, 40);
            if (ended[item] && below(&state, 4) > 0) continue;
            if (below(&state, 8) == 0) {
                playback_ledger_end(ledger, item);
                ended[item] = true;
                continue;
            }
            if (below(&state, 10) == 0) index[item] += 7; /* a delta that never came */
            received[item] = (index[item] + count) * item_rate[item] / rate[item];
            playback_ledger_receive(ledger, item, received[item]);
            if (below(&state, 10) == 0) {
                playback_ledger_refuse(ledger, item);
                short_of_end[item] = true;
                index[item] += count;
                continue;
            }
            position += below(&state, 2); /* positions need not touch */
            CHECK(playback_ledger_has_room(ledger, 0), "room for a run");
            playback_place place = {0, index[item], item_rate[item], rate[item]};
            playback_ledger_append(ledger, item, position, count, &place);
            for (uint64_t i = 0; i < count; i++) {
                item_of[position + i] = item + 1;
                place_of[position + i] = (index[item] + i + 1) * item_rate[item] / rate[item];
            }
            position += count;
            index[item] += count;
            if (count > 0)
                short_of_end[item] = ended[item] = false; /* more of it came after its end */
        }
        uint64_t heard = below(&state, position + 1);
        uint64_t place[ITEMS] = {0}, rest[ITEMS] = {0}, queued[ITEMS] = {0};
        for (uint64_t at = 0; at < position; at++) {
            if (item_of[at] == 0) continue;
            uint32_t item = item_of[at] - 1;
            queued[item]++;
            rest[item] += at >= heard;
            if (at < heard && place_of[at] > place[item]) place[item] = place_of[at];
            item_of[at] = 0;
        }
        playback_ledger_settle(ledger, heard);
        for (uint32_t item = 0; item < ITEMS; item++) {
            playback_report report;
            CHECK(playback_ledger_report(ledger, item, &report) == (item < began), "item %u", item);
            if (item >= began) continue;
            bool complete =
                ended[item] && !short_of_end[item] && queued[item] > 0 && rest[item] == 0;
            uint64_t samples =
                complete || place[item] > received[item] ? received[item] : place[item];
            CHECK(report.received == received[item] && report.order == item, "received");
            CHECK(report.samples == samples, "%llu samples, not %llu",
                  (unsigned long long)report.samples, (unsigned long long)samples);
            CHECK(report.complete == complete, "complete");
            completed += complete;
        }
        playback_ledger_clear(ledger);
        playback_report report;
        CHECK(!playback_ledger_report(ledger, 0, &report) && !playback_ledger_is_open(ledger),
              "cleared");
        playback_ledger_free(ledger);
    }
    CHECK(completed > 0, "no item was ever heard whole");
}

static void full_ledger(void) {
    playback_ledger *ledger = playback_ledger_new(2, 2);
    playback_place place = {0, 0, 1, 1};
    playback_report report;
    CHECK(playback_ledger_begin(ledger, 0) == 0 && playback_ledger_begin(ledger, 0) == 1,
          "two items");
    playback_ledger_append(ledger, 0, 0, 10, &place);
    playback_ledger_append(ledger, 1, 10, 10, &place);
    CHECK(!playback_ledger_has_room(ledger, 9), "the oldest run is still to be read");
    CHECK(playback_ledger_begin(ledger, 9) == PLAYBACK_NO_ITEM, "both items are still to be read");
    CHECK(playback_ledger_has_room(ledger, 10), "the oldest run was read");
    place.index = 10;
    playback_ledger_receive(ledger, 0, 20);
    playback_ledger_append(ledger, 0, 20, 10, &place);
    CHECK(playback_ledger_begin(ledger, 20) == 1, "item 1 was read");
    playback_ledger_settle(ledger, 25);
    CHECK(playback_ledger_report(ledger, 0, &report) && report.samples == 15 && !report.complete,
          "item 0");
    CHECK(playback_ledger_report(ledger, 1, &report) && report.samples == 0, "a fresh item 1");
    playback_ledger_free(ledger);

    /* A product of more than 64 bits. */
    ledger = playback_ledger_new(1, 1);
    uint32_t item = playback_ledger_begin(ledger, 0);
    place = (playback_place){5, (uint64_t)1 << 40, 4000000000u, 3999999999u};
    playback_ledger_receive(ledger, item, UINT64_MAX);
    playback_ledger_append(ledger, item, 0, 3, &place);
    playback_ledger_settle(ledger, 3);
    CHECK(playback_ledger_report(ledger, item, &report) &&
              report.samples == ((uint64_t)1 << 40) + 3 + 274 + 5,
          "%llu", (unsigned long long)report.samples);
    playback_ledger_free(ledger);
    CHECK(playback_ring_new(UINT64_MAX / 2, 8) == NULL, "no such memory");
}

/* ---- Reader, writer and interrupter ---------------------------------------------------------------------- */

#define CAPACITY 1000
#define MOST_CUTS 4000000
#define MOST_ITEMS 512

typedef struct cut {
    uint64_t floor, heard;
} cut;

/* The reader was given the sample before `from`, then the one at `to`. */
typedef struct skip {
    uint64_t from, to;
} skip;

typedef struct stage {
    playback_ring *ring;
    playback_ledger *ledger;
    lock *writing;
    atomic_word over;  /* 1: the threads end */
    atomic_word floor; /* of the last cut that returned */
    cut *cuts;         /* the interrupter's; cuts[n] ends generation n */
    size_t cut_count;
    struct {
        uint64_t first, count;
        uint32_t number;
        bool ended;
    } items[MOST_ITEMS];
    size_t item_count;
    uint64_t refused, truncated, completed, unheard;
    uint64_t audio, read_up_to; /* the reader's */
    skip *skips;
    size_t skip_count;
} stage;

static void write_samples(void *given) {
    stage *on = given;
    uint64_t state = 1;
    uint64_t samples[300];
    while (!load_acquire(&on->over)) {
        take_lock(on->writing);
        uint64_t position = playback_ring_written(on->ring), count = 1 + below(&state, 300);
        for (uint64_t i = 0; i < count; i++) samples[i] = position + i;
        size_t last = on->item_count;
        if (last == 0 || on->items[last - 1].ended) {
            if (last < MOST_ITEMS) {
                on->items[on->item_count].number = playback_ledger_begin(on->ledger, 0);
                on->items[on->item_count].first = position;
                on->items[on->item_count].count = 0;
                on->items[on->item_count++].ended = false;
            }
        }
        if (on->item_count > last || (last > 0 && !on->items[last - 1].ended)) {
            size_t at = on->item_count - 1;
            uint32_t number = on->items[at].number;
            CHECK(number != PLAYBACK_NO_ITEM, "an item");
            playback_place place = {0, on->items[at].count, 1, 1};
            uint64_t taken = playback_put(on->ring, on->ledger, number, samples, count, &place);
            on->items[at].count += taken;
            on->refused += count - taken;
            playback_ledger_receive(on->ledger, number,
                                    on->items[at].count); /* the rest comes again */
            if (below(&state, 6) == 0 && taken == count) {
                playback_end(on->ring, on->ledger, number);
                on->items[at].ended = true;
            }
        }
        release_lock(on->writing);
        if (below(&state, 4) == 0) sleep_nanoseconds(below(&state, 20000));
    }
}

static void interrupt(void *given) {
    stage *on = given;
    uint64_t state = 2;
    while (!load_acquire(&on->over) && on->cut_count < MOST_CUTS) {
        sleep_nanoseconds(below(&state, 100000));
        take_lock(on->writing);
        uint64_t heard = playback_ring_cut(on->ring, 0);
        uint64_t floor = playback_ring_written(on->ring);
        store_release(&on->floor, floor);
        on->cuts[on->cut_count++] = (cut){floor, heard};
        playback_ledger_settle(on->ledger, heard);
        for (size_t i = 0; i < on->item_count; i++) {
            playback_report report;
            uint64_t expected = heard > on->items[i].first ? heard - on->items[i].first : 0;
            if (expected > on->items[i].count) expected = on->items[i].count;
            CHECK(playback_ledger_report(on->ledger, on->items[i].number, &report),
                  "the item is there");
            CHECK(report.samples == expected, "item %zu: %llu, not %llu", i,
                  (unsigned long long)report.samples, (unsigned long long)expected);
            CHECK(report.complete == (on->items[i].ended && expected == on->items[i].count),
                  "complete");
            on->completed += report.complete;
            on->unheard += report.samples == 0;
            on->truncated += !report.complete && report.samples > 0;
        }
        on->item_count = 0;
        playback_ledger_clear(on->ledger);
        release_lock(on->writing);
    }
}

/* Every sample is its own position: what is lost, doubled, out of order or torn is seen at once. */
static void read_samples(void *given) {
    stage *on = given;
    uint64_t state = 3, next = 0, samples[256];
    while (!load_acquire(&on->over)) {
        uint64_t count = 1 + below(&state, 256);
        uint64_t floor = load_acquire(&on->floor);
        CHECK(playback_ring_enter(on->ring), "no other reader");
        uint64_t audio = playback_ring_read(on->ring, samples, count);
        playback_ring_leave(on->ring);
        for (uint64_t i = 0; i < count; i++)
            CHECK(samples[i] == (i < audio ? samples[0] + i : 0), "sample %llu of %llu",
                  (unsigned long long)i, (unsigned long long)audio);
        if (audio > 0) {
            CHECK(samples[0] >= floor, "heard after an interruption: %llu before %llu",
                  (unsigned long long)samples[0], (unsigned long long)floor);
            CHECK(samples[0] >= next, "doubled");
            if (samples[0] != next) {
                CHECK(on->skip_count < MOST_CUTS, "room");
                on->skips[on->skip_count++] = (skip){next, samples[0]};
            }
            next = samples[0] + audio;
            on->audio += audio;
        }
        if (below(&state, 3) == 0) sleep_nanoseconds(below(&state, 30000));
    }
    on->read_up_to = next;
}

static void threads(double seconds) {
    stage on = {0};
    on.ring = playback_ring_new(CAPACITY, sizeof(uint64_t));
    on.ledger = playback_ledger_new(MOST_ITEMS, 1024);
    on.cuts = malloc(MOST_CUTS * sizeof *on.cuts);
    on.skips = malloc(MOST_CUTS * sizeof *on.skips);
    CHECK(on.ring && on.ledger && on.cuts && on.skips, "no memory");
    on.writing = new_lock();
    thread *writer = start_thread(write_samples, &on);
    thread *interrupter = start_thread(interrupt, &on);
    thread *reader = start_thread(read_samples, &on);
    sleep_nanoseconds((uint64_t)(seconds * 1e9));
    store_release(&on.over, 1);
    join_thread(writer);
    join_thread(interrupter);
    join_thread(reader);
    free_lock(on.writing);

    /* What the cuts say was heard is what the reader was given, and only a cut makes the reader skip. */
    uint64_t audio = 0, floor = 0;
    size_t skips = 0;
    for (size_t i = 0; i < on.cut_count; i++) {
        CHECK(on.cuts[i].heard >= floor && on.cuts[i].heard <= on.cuts[i].floor, "cut %zu", i);
        audio += on.cuts[i].heard - floor;
        floor = on.cuts[i].floor;
        if (skips < on.skip_count && on.skips[skips].to == floor) {
            uint64_t from = on.skips[skips++].from;
            size_t first = i; /* the last cut of which something was heard */
            while (first > 0 && on.cuts[first].heard == on.cuts[first - 1].floor) first--;
            CHECK(from == on.cuts[first].heard, "given up to %llu, the cut says %llu",
                  (unsigned long long)from, (unsigned long long)on.cuts[first].heard);
        }
    }
    CHECK(skips == on.skip_count, "the reader skipped without a cut");
    if (on.read_up_to > floor) audio += on.read_up_to - floor;
    CHECK(audio == on.audio, "%llu samples heard, %llu read", (unsigned long long)audio,
          (unsigned long long)on.audio);
    CHECK(on.cut_count > 10 && on.audio > 10 * CAPACITY, "the threads did nothing: %zu cuts",
          on.cut_count);
    printf("threads: %.1f s, %llu samples read, %llu refused, %zu interruptions; items: %llu "
           "truncated, %llu complete, %llu "
           "unheard\n",
           seconds, (unsigned long long)on.audio, (unsigned long long)on.refused, on.cut_count,
           (unsigned long long)on.truncated, (unsigned long long)on.completed,
           (unsigned long long)on.unheard);
    playback_ring_free(on.ring);
    playback_ledger_free(on.ledger);
    free(on.cuts);
    free(on.skips);
}

int main(int count, char **given) {
    uint64_t operations = count > 1 ? strtoull(given[1], NULL, 10) : 300000;
    ring_against_model(operations);
    many_gaps();
    ledger_against_model(operations);
    full_ledger();
    printf("model: %llu operations of the ring, as many of the ledger\n",
           (unsigned long long)operations);
    threads(count > 2 ? strtod(given[2], NULL) : 3);
    return 0;
}
