/* What is compiled once per tier: the walk, and the tier's table. A tier's file, which has its instruction set's flags, defines
 *
 *     TIER                    the tier's name; its kernels are called wire_<kernel>_<name>
 *     TIER_SUPPORTED          the function that says whether this machine runs it
 *     TIER_FLOAT32_TO_BASE64  a kernel that only some tiers have; optional
 *     TIER_HAS_PEXT           where _pext_u64 is at hand; optional
 *     TIER_OWN_TAIL           where the tier has its own special_tail (json.h); optional
 *
 * and three functions that look at a block of a frame:
 *
 *     static inline uint64_t special_block(const uint8_t *p)          bit i: p[i] is '"', '\\', below 0x20 or above 0x7F; 64 of them
 *     static inline uint64_t equal_block(const uint8_t *p, char byte) bit i: p[i] is `byte`; 64 of them
 *     static inline bool special_in_run(const uint8_t *p)             whether one of p[0 .. WALK_RUN) is special
 *
 * and then includes this file. Everything here is static: functions of one instruction set never call those of another.
 */
#define TIER_JOIN_(a, b) a##b
#define TIER_JOIN(a, b) TIER_JOIN_(a, b)
#define TIER_TEXT_(name) #name
#define TIER_TEXT(name) TIER_TEXT_(name)
#define TIER_KERNEL(kernel) TIER_JOIN(wire_##kernel##_, TIER)
#define TIER_TABLE TIER_JOIN(wire_tier_, TIER)
#ifndef TIER_FLOAT32_TO_BASE64
#define TIER_FLOAT32_TO_BASE64 NULL
#endif

#include "json.h"
#include "slashed.h"
#include "walk.h"

const wire_tier TIER_TABLE = {
    .name = TIER_TEXT(TIER),
    .supported = TIER_SUPPORTED,
    .walk = walk,
    .members = walk_members,
    .element = walk_element,
    .slashed = walk_slashed,
    .base64 = TIER_KERNEL(base64),
    .pcm16_to_float32 = TIER_KERNEL(pcm16_to_float32),
    .ulaw_to_int16 = TIER_KERNEL(ulaw_to_int16),
    .ulaw_to_float32 = TIER_KERNEL(ulaw_to_float32),
    .alaw_to_int16 = TIER_KERNEL(alaw_to_int16),
    .alaw_to_float32 = TIER_KERNEL(alaw_to_float32),
    .base64_encode = TIER_KERNEL(base64_encode),
    .float32_to_pcm16 = TIER_KERNEL(float32_to_pcm16),
    .int16_to_ulaw = TIER_KERNEL(int16_to_ulaw),
    .int16_to_alaw = TIER_KERNEL(int16_to_alaw),
    .float32_to_ulaw = TIER_KERNEL(float32_to_ulaw),
    .float32_to_alaw = TIER_KERNEL(float32_to_alaw),
    .float32_to_base64 = TIER_FLOAT32_TO_BASE64,
};
