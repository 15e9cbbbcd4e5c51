/* All tiers on one frame: every walk, with and without a sink, and every payload conversion. */
#ifndef REALTIME_PCM_TESTS_AGREEMENT_H
#define REALTIME_PCM_TESTS_AGREEMENT_H

#include "wire.h"

/* Calls abort, after a line on stderr, where two tiers differ or a result is impossible. Otherwise the status. */
wire_status agree_on(const uint8_t *data, size_t length);

/* How many members the outline of an accepted frame has. Calls abort where two tiers differ. */
uint32_t outlined_members(const uint8_t *data, size_t length);

#endif
