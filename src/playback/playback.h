/* Playback: a ring of samples between one writer and one reader, and a ledger of what the samples
 * are. No Python.
 *
 * This header is the whole boundary.
 *
 * A position counts samples: the first one that is ever written has position 0. A sample is one
 * instant on all channels.
 *
 * The writer's side (write, cut, and everything of the ledger) is for one call at a time: the
 * caller makes sure of that. The reader's side (enter, read, leave) is for another thread, and it
 * neither waits nor allocates. The two share only the ring's atomic words.
 */
#ifndef REALTIME_PCM_PLAYBACK_H
#define REALTIME_PCM_PLAYBACK_H

#include <stdbool.h>
#include <stdint.h>

#define PLAYBACK_NO_ITEM UINT32_MAX

/* ---- The ring -----------------------------------------------------------------------------------
 *
 * Samples from `head` to `tail` are queued. A read claims its samples first, by moving `head` with
 * one atomic exchange, and copies them afterwards; a cut moves `head` to `tail` with the same
 * exchange. So either the read comes first, and its samples count as heard, or the cut comes first,
 * and the read gets none of them. Positions only grow, so that a read that began before a cut
 * cannot take the place it remembers for a new one. */

typedef struct playback_ring playback_ring;

/* A ring for `capacity` samples of `sample_bytes` each; NULL if there is no memory for it. Neither
 * may be 0. */
playback_ring *playback_ring_new(uint64_t capacity, uint32_t sample_bytes);
void playback_ring_free(playback_ring *ring);

/* Writer: the position of the next sample that is written. */
uint64_t playback_ring_written(const playback_ring *ring);
/* Writer: how many samples a write would take now. Only a write makes the room smaller. */
uint64_t playback_ring_room(const playback_ring *ring);
/* Writer: queues as many of `count` samples as there is room for, and returns how many. An item is
 * open from here on. */
uint64_t playback_ring_write(playback_ring *ring, const void *samples, uint64_t count);
/* Writer: closes the item. A reader that finds nothing left counts no underrun. */
void playback_ring_close_item(playback_ring *ring);
/* Writer: drops what is queued. Returns the position up to which samples were heard, if the device
 * still has the last `latency` samples of its output; silence that was read in between is part of
 * that output. The position is never before that of the last cut. A read that begins after the
 * return gives none of the samples before the cut. */
uint64_t playback_ring_cut(playback_ring *ring, uint64_t latency);

/* Reader: false if another thread is reading. Its read goes on, and this one must not read. */
bool playback_ring_enter(playback_ring *ring);
/* Reader, after enter: fills `out` with `count` samples. Returns how many are audio; silence (zero
 * bytes) follows them. */
uint64_t playback_ring_read(playback_ring *ring, void *out, uint64_t count);
/* Reader: the end of a read. */
void playback_ring_leave(playback_ring *ring);

/* Any thread: samples queued and not read. */
uint64_t playback_ring_queued(const playback_ring *ring);
/* Any thread: the position of the next sample that is read. */
uint64_t playback_ring_head(const playback_ring *ring);
/* Any thread: how often audio ran out inside an item. One gap counts once, however many reads it
 * lasts. */
uint64_t playback_ring_underruns(const playback_ring *ring);
/* Any thread: a number that the caller keeps in the ring, 0 at first. */
void playback_ring_set_note(playback_ring *ring, uint64_t note);
uint64_t playback_ring_note(const playback_ring *ring);
/* For the child of a fork, in which the reader's thread no longer exists: ends a read that was
 * under way. */
void playback_ring_after_fork(playback_ring *ring);

/* ---- The ledger ---------------------------------------------------------------------------------
 *
 * An item is what a truncation can name: one content part of one item of the conversation. A run is
 * a stretch of positions that holds samples of one item, one after another. The ledger knows for
 * each position the item and the place in it, in the item's own samples, which may have another
 * rate than those that are played. */

typedef struct playback_ledger playback_ledger;

/* How positions become places: the sample that is `index` samples after `origin` was reached has
 * the place origin + index * item_rate / rate, rounded down. */
typedef struct playback_place {
    uint64_t origin;          /* in samples of the item */
    uint64_t index;           /* in samples of the positions */
    uint32_t item_rate, rate; /* neither may be 0 */
} playback_place;

typedef struct playback_report {
    uint64_t order;    /* items that began earlier have a smaller one */
    uint64_t received; /* samples of the item that came, whether or not there was room for them */
    uint64_t samples;  /* the place up to which it was heard; never past `received` */
    bool complete;     /* it has ended, and its last sample was heard */
} playback_report;

playback_ledger *playback_ledger_new(uint32_t most_items, uint32_t most_runs);
void playback_ledger_free(playback_ledger *ledger);

/* Returns a number below most_items for a new item. If all are taken, forgets the oldest item that
 * has no sample at or after position `read`, and takes its number; PLAYBACK_NO_ITEM if there is
 * none. */
uint32_t playback_ledger_begin(playback_ledger *ledger, uint64_t read);
/* The item's samples before `end` have been received. */
void playback_ledger_receive(playback_ledger *ledger, uint32_t item, uint64_t end);
/* Whether an append will succeed. If the table of runs is full, counts the oldest run before
 * position `read` as heard and removes it; false if there is none. */
bool playback_ledger_has_room(playback_ledger *ledger, uint64_t read);
/* Enters `count` samples of the item at `position`, which is not before the end of the last run.
 * Only after has_room. */
void playback_ledger_append(playback_ledger *ledger, uint32_t item, uint64_t position,
                            uint64_t count, const playback_place *place);
/* The item's last samples found no room. */
void playback_ledger_refuse(playback_ledger *ledger, uint32_t item);
/* The item has ended, unless an append follows. */
void playback_ledger_end(playback_ledger *ledger, uint32_t item);
/* Whether an item has samples and has not ended. */
bool playback_ledger_is_open(const playback_ledger *ledger);
/* Counts samples before `heard` as heard, and those at or after it as not heard. Reports come next,
 * then clear. */
void playback_ledger_settle(playback_ledger *ledger, uint64_t heard);
/* false: no item has this number. */
bool playback_ledger_report(const playback_ledger *ledger, uint32_t item, playback_report *report);
/* Forgets all items. */
void playback_ledger_clear(playback_ledger *ledger);

/* ---- Both ------------------------------------------------------------------------------------ */

/* Queues samples of an item and enters them in the ledger: as many as there is room for, which it
 * returns. */
uint64_t playback_put(playback_ring *ring, playback_ledger *ledger, uint32_t item,
                      const void *samples, uint64_t count, const playback_place *place);
/* Ends the item in both. */
void playback_end(playback_ring *ring, playback_ledger *ledger, uint32_t item);

#endif
