#include "harness.h"

#include "system.h"

#include <stdbool.h>
#include <string.h>

#define MOST_TIERS 8

static bool is_required(const char *name) {
    const char *list = getenv("REALTIME_PCM_REQUIRE_TIERS");
    size_t length = strlen(name);
    while (list != NULL && *list != '\0') {
        size_t entry = strcspn(list, ",");
        if (entry == length && memcmp(list, name, length) == 0) return true;
        list += entry + (list[entry] == ',');
    }
    return false;
}

/* Names that no build on this architecture has are not here either. */
static void require_known(void) {
    const char *list = getenv("REALTIME_PCM_REQUIRE_TIERS");
    while (list != NULL && *list != '\0') {
        size_t entry = strcspn(list, ",");
        bool known = entry == 0;
        for (const wire_tier *const *tier = wire_tiers; *tier != NULL; tier++)
            known |= strlen((*tier)->name) == entry && memcmp((*tier)->name, list, entry) == 0;
        CHECK(known, "tier %.*s is not compiled in", (int)entry, list);
        list += entry + (list[entry] == ',');
    }
}

const wire_tier *const *tiers_here(void) {
    static const wire_tier *here[MOST_TIERS + 1];
    size_t count = 0;
    if (here[0] != NULL) return here;
    require_known();
    for (const wire_tier *const *tier = wire_tiers; *tier != NULL; tier++) {
        bool supported = (*tier)->supported();
        printf("tier %s: %s\n", (*tier)->name, supported ? "runs" : "not here");
        CHECK(supported || !is_required((*tier)->name), "tier %s is required and not here",
              (*tier)->name);
        CHECK(count < MOST_TIERS, "more tiers than the tests have room for");
        if (supported) here[count++] = *tier;
    }
    fflush(stdout);
    return here;
}

const wire_tier *scalar_tier(void) {
    const wire_tier *const *tier = wire_tiers;
    while (tier[1] != NULL) tier++;
    CHECK(strcmp((*tier)->name, "scalar") == 0, "the last tier is %s", (*tier)->name);
    return *tier;
}

void *exactly(size_t size) {
    void *memory = malloc(size);
    CHECK(memory != NULL || size == 0, "no memory");
    return memory;
}

fenced fence(size_t at_least) {
    size_t page = page_size();
    size_t size = (at_least + page - 1) / page * page;
    uint8_t *memory = closed_pages(size + 2 * page);
    CHECK(memory != NULL, "no pages");
    CHECK(open_pages(memory + page, size), "pages stay closed");
    return (fenced){memory + page, memory + page + size, size};
}

uint32_t random_below(uint32_t bound) {
    static uint64_t state = 0x9E3779B97F4A7C15u;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 0x2545F4914F6CDD1Du >> 32) * bound >> 32);
}
