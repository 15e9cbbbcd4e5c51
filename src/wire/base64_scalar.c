/* base64 decoding, scalar tier: portable C, either byte order. Flags: none. */
#include "kernels.h"

#define VALID 0x40u

/* The alphabet of RFC 4648, section 4: a symbol's six bits, and VALID. Bytes outside it are 0, so that the AND of
 * four entries has VALID exactly where all four are symbols. */
static const uint8_t symbols[256] = {
#define S(symbol, value) [symbol] = VALID | (value)
    S('A', 0), S('B', 1), S('C', 2), S('D', 3), S('E', 4), S('F', 5), S('G', 6), S('H', 7), S('I', 8), S('J', 9),
    S('K', 10), S('L', 11), S('M', 12), S('N', 13), S('O', 14), S('P', 15), S('Q', 16), S('R', 17), S('S', 18),
    S('T', 19), S('U', 20), S('V', 21), S('W', 22), S('X', 23), S('Y', 24), S('Z', 25),
    S('a', 26), S('b', 27), S('c', 28), S('d', 29), S('e', 30), S('f', 31), S('g', 32), S('h', 33), S('i', 34),
    S('j', 35), S('k', 36), S('l', 37), S('m', 38), S('n', 39), S('o', 40), S('p', 41), S('q', 42), S('r', 43),
    S('s', 44), S('t', 45), S('u', 46), S('v', 47), S('w', 48), S('x', 49), S('y', 50), S('z', 51),
    S('0', 52), S('1', 53), S('2', 54), S('3', 55), S('4', 56), S('5', 57), S('6', 58), S('7', 59), S('8', 60),
    S('9', 61), S('+', 62), S('/', 63),
#undef S
};

size_t wire_base64_scalar(const uint8_t *src, size_t length, uint8_t *out) {
    size_t at = 0;
    /* One group a turn: reads src[at .. at + 4), which ends at or before `length`, and writes the three bytes of the
     * same group. */
    for (; length - at >= 4; at += 4, out += 3) {
        uint32_t a = symbols[src[at]], b = symbols[src[at + 1]], c = symbols[src[at + 2]], d = symbols[src[at + 3]];
        if (!(a & b & c & d & VALID))
            break;
        /* Shifts drop VALID where it would reach into a neighbour's bits. */
        out[0] = (uint8_t)(a << 2 | (b >> 4 & 3u));
        out[1] = (uint8_t)(b << 4 | (c >> 2 & 15u));
        out[2] = (uint8_t)(c << 6 | (d & 63u));
    }
    return at;
}
