/* What the C tests share: the tiers to test, memory that tells when it is overrun, a seeded generator. */
#ifndef REALTIME_PCM_TESTS_HARNESS_H
#define REALTIME_PCM_TESTS_HARNESS_H

#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

/* The tiers this machine supports, the best first, scalar last; NULL at the end. Prints which run and which are not
 * here. Exits with failure where REALTIME_PCM_REQUIRE_TIERS (names with commas between them) has one that is not. */
const wire_tier *const *tiers_here(void);
/* The scalar tier. */
const wire_tier *scalar_tier(void);

/* One failure is enough: says where and what, and ends the run. */
#define CHECK(condition, ...) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition); \
            fprintf(stderr, __VA_ARGS__); \
            fputc('\n', stderr); \
            exit(1); \
        } \
    } while (0)

/* malloc of exactly `size` bytes, or the end of the run. A size of 0 is a pointer that may not be read. */
void *exactly(size_t size);

/* Memory between two pages that fault: first[0 .. size). */
typedef struct fenced {
    uint8_t *first, *end;
    size_t size;
} fenced;
fenced fence(size_t at_least);

/* xorshift64*: the same numbers on every machine. */
uint32_t random_below(uint32_t bound);

#endif
