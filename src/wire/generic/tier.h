/* Code that is compiled once for each tier: the walk, and the table of the tier. The file of a
 * tier, <tier>/tier.c, is compiled with the flags of its instruction set. It defines these macros
 *
 *     TIER                    the name of the tier; its kernels are called wire_<kernel>_<name>
 *     TIER_SUPPORTED          the function that says whether this machine can run the tier
 *     TIER_FLOAT32_TO_BASE64  optional: the tier's kernel float32_to_base64, which others lack
 *     TIER_HAS_PEXT           optional: the tier has the instructions _pext_u64 and _pdep_u64
 *     TIER_OWN_TAIL           optional: the tier defines special_tail itself, and json.h does not
 *     TIER_HAS_DIGITS         optional: the tier defines digit_block too, which passes numbers
 *
 * and functions that look at the bytes of a frame from p on. A byte is special if it is '"', '\\',
 * below 0x20 or above 0x7F. The first three look at 64 bytes.
 *
 *     static inline uint64_t special_block(const uint8_t *p)           bit i: p[i] is special
 *     static inline uint64_t equal_block(const uint8_t *p, char byte)  bit i: p[i] is `byte`
 *     static inline uint64_t digit_block(const uint8_t *p)             bit i: p[i] is a digit
 *     static inline bool special_in_run(const uint8_t *p)              any of p[0 .. WALK_RUN)
 *
 * and then includes this file. All functions here are static, so that code for one instruction set
 * never calls code for another.
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
#include "members.h"
#include "sink.h"
#include "paths.h"
#include "nested.h"
#include "walk.h"

const wire_tier TIER_TABLE = {
    .name = TIER_TEXT(TIER),
    .supported = TIER_SUPPORTED,
    .walk = walk,
    .members = walk_members,
    .element = walk_element,
    .parts = walk_parts,
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
