/* The ledger: which item is at which position. Only the writer's side uses it, so nothing here is
 * atomic. */
#include "playback.h"

#include <stdlib.h>
#include <string.h>

typedef struct item {
    bool used, open, ended;
    bool short_of_end; /* its last samples found no room */
    uint64_t order;
    uint64_t received;
    uint64_t end;           /* the position after its last sample */
    uint64_t queued, heard; /* counted in samples of the positions */
    uint64_t place;         /* the place up to which it was heard */
} item;

typedef struct run {
    uint32_t item;
    uint64_t position, count;
    playback_place place; /* of its first sample */
} run;

struct playback_ledger {
    uint32_t most_items, most_runs;
    uint32_t taken, open; /* items */
    uint32_t first_run, run_count;
    uint64_t next_order;
    item *items;
    run *runs; /* in the order of their positions, from first_run on, wrapping around */
};

playback_ledger *playback_ledger_new(uint32_t most_items, uint32_t most_runs) {
    playback_ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL) return NULL;
    ledger->items = calloc(most_items, sizeof *ledger->items);
    ledger->runs = calloc(most_runs, sizeof *ledger->runs);
    if (ledger->items == NULL || ledger->runs == NULL) {
        playback_ledger_free(ledger);
        return NULL;
    }
    ledger->most_items = most_items;
    ledger->most_runs = most_runs;
    return ledger;
}

void playback_ledger_free(playback_ledger *ledger) {
    if (ledger == NULL) return;
    free(ledger->items);
    free(ledger->runs);
    free(ledger);
}

static run *run_at(const playback_ledger *ledger, uint32_t index) {
    return &ledger->runs[((uint64_t)ledger->first_run + index) % ledger->most_runs];
}

/* origin + index * item_rate / rate, by parts: the product may need more than 64 bits. */
static uint64_t place_after(const playback_place *place, uint64_t samples) {
    uint64_t index = place->index + samples;
    uint64_t whole = index / place->rate, rest = index % place->rate;
    return place->origin + whole * place->item_rate + rest * place->item_rate / place->rate;
}

static void count_heard(playback_ledger *ledger, const run *heard, uint64_t count) {
    if (heard->item == PLAYBACK_NO_ITEM || count == 0) return;
    item *of = &ledger->items[heard->item];
    uint64_t place = place_after(&heard->place, count);
    of->heard += count;
    if (place > of->place) of->place = place;
}

/* ---- Items ----------------------------------------------------------------------------------- */

static void forget(playback_ledger *ledger, uint32_t number) {
    for (uint32_t index = 0; index < ledger->run_count; index++) {
        run *of = run_at(ledger, index);
        if (of->item == number) of->item = PLAYBACK_NO_ITEM;
    }
    ledger->open -= ledger->items[number].open;
    ledger->items[number].used = false;
    ledger->taken--;
}

uint32_t playback_ledger_begin(playback_ledger *ledger, uint64_t read) {
    uint32_t number = PLAYBACK_NO_ITEM;
    bool full = ledger->taken == ledger->most_items;
    for (uint32_t candidate = 0; candidate < ledger->most_items; candidate++) {
        const item *at = &ledger->items[candidate];
        if (!full && !at->used) {
            number = candidate;
            break;
        }
        if (full && at->end <= read &&
            (number == PLAYBACK_NO_ITEM || at->order < ledger->items[number].order))
            number = candidate;
    }
    if (number == PLAYBACK_NO_ITEM) return number;
    if (full) forget(ledger, number);
    ledger->items[number] = (item){.used = true, .order = ledger->next_order++};
    ledger->taken++;
    return number;
}

void playback_ledger_receive(playback_ledger *ledger, uint32_t item, uint64_t end) {
    if (end > ledger->items[item].received) ledger->items[item].received = end;
}

void playback_ledger_refuse(playback_ledger *ledger, uint32_t item) {
    ledger->items[item].short_of_end = true;
}

void playback_ledger_end(playback_ledger *ledger, uint32_t number) {
    item *ended = &ledger->items[number];
    ledger->open -= ended->open;
    ended->open = false;
    ended->ended = true;
}

bool playback_ledger_is_open(const playback_ledger *ledger) {
    return ledger->open > 0;
}

/* ---- Runs ------------------------------------------------------------------------------------ */

bool playback_ledger_has_room(playback_ledger *ledger, uint64_t read) {
    if (ledger->run_count < ledger->most_runs) return true;
    const run *oldest = run_at(ledger, 0);
    if (oldest->position + oldest->count > read) return false;
    count_heard(ledger, oldest, oldest->count);
    ledger->first_run = (uint32_t)(((uint64_t)ledger->first_run + 1) % ledger->most_runs);
    ledger->run_count--;
    return true;
}

static bool goes_on(const run *last, uint32_t item, uint64_t position,
                    const playback_place *place) {
    return last->item == item && last->position + last->count == position &&
           last->place.origin == place->origin && last->place.index + last->count == place->index &&
           last->place.item_rate == place->item_rate && last->place.rate == place->rate;
}

void playback_ledger_append(playback_ledger *ledger, uint32_t number, uint64_t position,
                            uint64_t count, const playback_place *place) {
    item *to = &ledger->items[number];
    if (count == 0) return;
    if (ledger->run_count > 0 &&
        goes_on(run_at(ledger, ledger->run_count - 1), number, position, place))
        run_at(ledger, ledger->run_count - 1)->count += count;
    else
        *run_at(ledger, ledger->run_count++) = (run){number, position, count, *place};
    to->end = position + count;
    to->queued += count;
    to->short_of_end = false;
    if (!to->open) {
        to->open = true;
        to->ended = false; /* more of it comes after its end */
        ledger->open++;
    }
}

/* ---- What was heard -------------------------------------------------------------------------- */

void playback_ledger_settle(playback_ledger *ledger, uint64_t heard) {
    for (uint32_t index = 0; index < ledger->run_count; index++) {
        const run *of = run_at(ledger, index);
        uint64_t before = heard > of->position ? heard - of->position : 0;
        count_heard(ledger, of, before < of->count ? before : of->count);
    }
    ledger->first_run = ledger->run_count = 0;
}

bool playback_ledger_report(const playback_ledger *ledger, uint32_t number,
                            playback_report *report) {
    const item *of = &ledger->items[number];
    if (!of->used) return false;
    bool complete = of->ended && !of->short_of_end && of->queued > 0 && of->heard == of->queued;
    *report = (playback_report){
        .order = of->order,
        .received = of->received,
        .samples = complete || of->place > of->received ? of->received : of->place,
        .complete = complete,
    };
    return true;
}

void playback_ledger_clear(playback_ledger *ledger) {
    for (uint32_t number = 0; number < ledger->most_items; number++)
        ledger->items[number].used = false;
    ledger->taken = ledger->open = 0;
    ledger->first_run = ledger->run_count = 0;
}

/* ---- Both ------------------------------------------------------------------------------------ */

uint64_t playback_put(playback_ring *ring, playback_ledger *ledger, uint32_t item,
                      const void *samples, uint64_t count, const playback_place *place) {
    if (count == 0) return 0;
    uint64_t position = playback_ring_written(ring), accepted = 0;
    if (playback_ledger_has_room(ledger, playback_ring_head(ring)))
        accepted = playback_ring_write(ring, samples, count);
    playback_ledger_append(ledger, item, position, accepted, place);
    if (accepted < count) playback_ledger_refuse(ledger, item);
    return accepted;
}

void playback_end(playback_ring *ring, playback_ledger *ledger, uint32_t item) {
    playback_ledger_end(ledger, item);
    if (!playback_ledger_is_open(ledger)) playback_ring_close_item(ring);
}
