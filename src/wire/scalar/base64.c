/* base64 decoding, scalar tier: portable C, either byte order. */
#include "kernels.h"

/* The alphabet (RFC 4648, section 4) for one of a group's four places: a symbol's six bits, shifted
 * to that place in the group's 24, and a one to count it. Bytes outside the alphabet are 0, so the
 * sum of four entries counts FOUR only if all four are symbols. */
#define ONE (1u << 24)
#define FOUR (1u << 26)
#define S(symbol, value) [symbol] = ONE | (uint32_t)(value)
#define PLACE(bits) \
    { \
        S('A', 0 << bits),  S('B', 1 << bits),  S('C', 2 << bits),  S('D', 3 << bits), \
        S('E', 4 << bits),  S('F', 5 << bits),  S('G', 6 << bits),  S('H', 7 << bits), \
        S('I', 8 << bits),  S('J', 9 << bits),  S('K', 10 << bits), S('L', 11 << bits), \
        S('M', 12 << bits), S('N', 13 << bits), S('O', 14 << bits), S('P', 15 << bits), \
        S('Q', 16 << bits), S('R', 17 << bits), S('S', 18 << bits), S('T', 19 << bits), \
        S('U', 20 << bits), S('V', 21 << bits), S('W', 22 << bits), S('X', 23 << bits), \
        S('Y', 24 << bits), S('Z', 25 << bits), S('a', 26 << bits), S('b', 27 << bits), \
        S('c', 28 << bits), S('d', 29 << bits), S('e', 30 << bits), S('f', 31 << bits), \
        S('g', 32 << bits), S('h', 33 << bits), S('i', 34 << bits), S('j', 35 << bits), \
        S('k', 36 << bits), S('l', 37 << bits), S('m', 38 << bits), S('n', 39 << bits), \
        S('o', 40 << bits), S('p', 41 << bits), S('q', 42 << bits), S('r', 43 << bits), \
        S('s', 44 << bits), S('t', 45 << bits), S('u', 46 << bits), S('v', 47 << bits), \
        S('w', 48 << bits), S('x', 49 << bits), S('y', 50 << bits), S('z', 51 << bits), \
        S('0', 52 << bits), S('1', 53 << bits), S('2', 54 << bits), S('3', 55 << bits), \
        S('4', 56 << bits), S('5', 57 << bits), S('6', 58 << bits), S('7', 59 << bits), \
        S('8', 60 << bits), S('9', 61 << bits), S('+', 62 << bits), S('/', 63 << bits), \
    }

static const uint32_t places[4][256] = {PLACE(18), PLACE(12), PLACE(6), PLACE(0)};

size_t wire_base64_scalar(const uint8_t *src, size_t length, uint8_t *out) {
    size_t at = 0;
    /* One group per iteration: reads src[at .. at + 4), which ends at or before `length`, and
     * writes the three bytes of the same group. */
    for (; length - at >= 4; at += 4, out += 3) {
        uint32_t group = places[0][src[at]] + places[1][src[at + 1]] + places[2][src[at + 2]] +
                         places[3][src[at + 3]];
        if (!(group & FOUR)) break;
        out[0] = (uint8_t)(group >> 16);
        out[1] = (uint8_t)(group >> 8);
        out[2] = (uint8_t)group;
    }
    return at;
}
