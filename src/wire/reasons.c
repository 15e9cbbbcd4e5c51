/* The text that a user reads for each status. */
#include "wire.h"

const char *wire_reason(wire_status status) {
    switch (status) {
    case WIRE_OK: return "ok";
    case WIRE_NEED_SINK: return "a sink is needed";
#define WIRE_AS_CASE(name, reason) \
    case name: return reason;
        WIRE_FAULTS(WIRE_AS_CASE)
#undef WIRE_AS_CASE
    }
    return "unknown status";
}
