/* The ring: positions that only grow, one atomic exchange for a read or a cut. */
#include "playback.h"
#include "atomics.h"

#include <stdlib.h>
#include <string.h>

/* How many gaps of silence a cut looks back over. */
#define GAPS 64

/* No read is copying samples. */
#define IDLE UINT64_MAX

/* Silence that was read before the sample at `position`. */
typedef struct gap {
    atomic_word position, length;
} gap;

struct playback_ring {
    uint64_t capacity;
    uint32_t sample_bytes;
    unsigned char *samples; /* the sample of a position is at position % capacity */

    /* The writer's. */
    uint64_t floor;   /* the position of the last cut */
    atomic_word tail; /* the next position to write, times 2, plus 1 if an item is open */
    char apart[64]; /* keeps what the writer stores and what the reader stores on two cache lines */

    /* Both. */
    atomic_word head; /* the next position to read */

    /* The reader's. */
    atomic_word copying; /* position of the first sample that a read is copying, or IDLE */
    atomic_word reading; /* 1: a thread is between enter and leave */
    atomic_word underruns;
    atomic_word note;
    atomic_word gap_count; /* of all gaps so far; gap number n is gaps[n % GAPS] */
    gap gaps[GAPS];
    bool in_underrun;
};

static uint64_t position_of(uint64_t tail) {
    return tail >> 1;
}
static bool is_open(uint64_t tail) {
    return tail & 1;
}

playback_ring *playback_ring_new(uint64_t capacity, uint32_t sample_bytes) {
    if (capacity > SIZE_MAX / sample_bytes) return NULL;
    playback_ring *ring = calloc(1, sizeof *ring);
    if (ring == NULL) return NULL;
    ring->samples = malloc((size_t)capacity * sample_bytes);
    if (ring->samples == NULL) {
        free(ring);
        return NULL;
    }
    ring->capacity = capacity;
    ring->sample_bytes = sample_bytes;
    store_relaxed(&ring->copying, IDLE);
    return ring;
}

void playback_ring_free(playback_ring *ring) {
    if (ring == NULL) return;
    free(ring->samples);
    free(ring);
}

/* ---- The writer's side ----------------------------------------------------------------------- */

uint64_t playback_ring_written(const playback_ring *ring) {
    return position_of(load_relaxed(&ring->tail));
}

uint64_t playback_ring_room(const playback_ring *ring) {
    /* The order matters: a read stores `copying` before it moves `head`. Whoever sees the moved
     * head therefore sees that store or a later one, and a later one says that the copy has been
     * made. */
    uint64_t head = load_acquire(&ring->head);
    uint64_t copying = load_acquire(&ring->copying);
    uint64_t used_from = copying < head ? copying : head;
    return ring->capacity - (playback_ring_written(ring) - used_from);
}

/* The bytes of `count` samples from `position` on, in two pieces if they wrap around. */
typedef struct pieces {
    unsigned char *first, *second;
    size_t first_bytes, second_bytes;
} pieces;

static pieces pieces_at(const playback_ring *ring, uint64_t position, uint64_t count) {
    uint64_t place = position % ring->capacity;
    uint64_t before_end = ring->capacity - place;
    uint64_t first = count < before_end ? count : before_end;
    return (pieces){
        ring->samples + (size_t)place * ring->sample_bytes,
        ring->samples,
        (size_t)first * ring->sample_bytes,
        (size_t)(count - first) * ring->sample_bytes,
    };
}

uint64_t playback_ring_write(playback_ring *ring, const void *samples, uint64_t count) {
    uint64_t room = playback_ring_room(ring);
    if (count > room) count = room;
    if (count == 0) return 0;
    uint64_t written = playback_ring_written(ring);
    pieces to = pieces_at(ring, written, count);
    memcpy(to.first, samples, to.first_bytes);
    memcpy(to.second, (const unsigned char *)samples + to.first_bytes, to.second_bytes);
    store_release(&ring->tail, (written + count) << 1 | 1);
    return count;
}

void playback_ring_close_item(playback_ring *ring) {
    store_release(&ring->tail, playback_ring_written(ring) << 1);
}

/* The position of the sample that left the device when the reader had taken those before `head`. */
static uint64_t heard_before(const playback_ring *ring, uint64_t head, uint64_t latency) {
    uint64_t position = head;
    uint64_t count = load_acquire(&ring->gap_count);
    for (uint64_t number = count; number-- > 0 && position > ring->floor && latency > 0;) {
        const gap *found = &ring->gaps[number % GAPS];
        uint64_t at = load_acquire(&found->position);
        uint64_t length = load_acquire(&found->length);
        /* The reader reuses the oldest entry for the next gap: entries from this one on may be
         * new. */
        if (load_acquire(&ring->gap_count) - number >= GAPS) break;
        if (at > position) continue; /* silence that was read after the cut */
        if (at < ring->floor) break; /* gaps before the last cut were reported */
        uint64_t audio = position - at;
        if (audio >= latency) break;
        position = at;
        latency -= audio;
        latency -= length < latency ? length : latency;
    }
    uint64_t since_floor = position - ring->floor;
    return position - (latency < since_floor ? latency : since_floor);
}

uint64_t playback_ring_cut(playback_ring *ring, uint64_t latency) {
    uint64_t written = playback_ring_written(ring);
    /* Closes the item before it drops the queue: a read in between counts no underrun. */
    store_release(&ring->tail, written << 1);
    uint64_t head = load_acquire(&ring->head);
    while (!exchange_if(&ring->head, &head, written)) {}
    uint64_t heard = heard_before(ring, head, latency);
    ring->floor = written;
    return heard;
}

void playback_ring_after_fork(playback_ring *ring) {
    store_release(&ring->copying, IDLE);
    store_release(&ring->reading, 0);
}

/* ---- The reader's side ----------------------------------------------------------------------- */

bool playback_ring_enter(playback_ring *ring) {
    uint64_t nobody = 0;
    return exchange_if(&ring->reading, &nobody, 1);
}

void playback_ring_leave(playback_ring *ring) {
    store_release(&ring->reading, 0);
}

/* Notes that `length` samples of silence come before the sample at `position`. */
static void note_silence(playback_ring *ring, uint64_t position, uint64_t length) {
    uint64_t count = load_relaxed(&ring->gap_count);
    if (count > 0) {
        gap *last = &ring->gaps[(count - 1) % GAPS];
        if (load_relaxed(&last->position) == position) {
            store_release(&last->length, load_relaxed(&last->length) + length);
            return;
        }
    }
    gap *next = &ring->gaps[count % GAPS];
    store_release(&next->position, position);
    store_release(&next->length, length);
    store_release(&ring->gap_count, count + 1);
}

uint64_t playback_ring_read(playback_ring *ring, void *out, uint64_t count) {
    uint64_t head = load_acquire(&ring->head);
    uint64_t tail, audio;
    /* A second iteration needs a cut in between, so the reader makes progress unless cuts never
     * end. */
    do {
        store_relaxed(&ring->copying, head);
        tail = load_acquire(&ring->tail);
        audio = position_of(tail) - head;
        if (audio > count) audio = count;
    } while (audio > 0 && !exchange_if(&ring->head, &head, head + audio));

    if (audio > 0) {
        pieces from = pieces_at(ring, head, audio);
        memcpy(out, from.first, from.first_bytes);
        memcpy((unsigned char *)out + from.first_bytes, from.second, from.second_bytes);
        ring->in_underrun = false;
    }
    store_release(&ring->copying, IDLE);

    if (audio < count) {
        memset((unsigned char *)out + (size_t)audio * ring->sample_bytes, 0,
               (size_t)(count - audio) * ring->sample_bytes);
        note_silence(ring, head + audio, count - audio);
        if (!is_open(tail))
            ring->in_underrun = false;
        else if (!ring->in_underrun) {
            ring->in_underrun = true;
            store_relaxed(&ring->underruns, load_relaxed(&ring->underruns) + 1);
        }
    }
    return audio;
}

/* ---- Any thread ------------------------------------------------------------------------------ */

uint64_t playback_ring_queued(const playback_ring *ring) {
    /* In this order the tail is never before the head. */
    uint64_t head = load_acquire(&ring->head);
    return position_of(load_acquire(&ring->tail)) - head;
}

uint64_t playback_ring_head(const playback_ring *ring) {
    return load_acquire(&ring->head);
}
uint64_t playback_ring_underruns(const playback_ring *ring) {
    return load_relaxed(&ring->underruns);
}
void playback_ring_set_note(playback_ring *ring, uint64_t note) {
    store_relaxed(&ring->note, note);
}
uint64_t playback_ring_note(const playback_ring *ring) {
    return load_relaxed(&ring->note);
}
