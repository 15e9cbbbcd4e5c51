/* The base64 alphabet as lookups of 16 entries, for the tiers that shuffle 16 bytes at a time:
 * SSSE3, and AVX2 in two halves. */
#ifndef REALTIME_PCM_BASE64_ROWS_H
#define REALTIME_PCM_BASE64_ROWS_H

/* Both tables are indexed by the row of a code below 128: its bits 6, 5, 4 and 2.
 *
 *     row     codes                   symbols     limit           offset
 *     0..3    0x00..0x1F              none        -               -
 *        4    0x20..0x23 0x28..0x2B   +           code >= '+'     62 - '+'
 *        5    0x24..0x27 0x2C..0x2F   /           code >= '/'     63 - '/'
 *     6, 7    0x30..0x3F              0..9        code <= '9'     52 - '0'
 *     8, 9    0x40..0x4F              A..O        code >= 'A'     0 - 'A'
 *    10,11    0x50..0x5F              P..Z        code <= 'Z'     0 - 'A'
 *    12,13    0x60..0x6F              a..o        code >= 'a'     26 - 'a'
 *    14,15    0x70..0x7F              p..z        code <= 'z'     26 - 'a'
 *
 * Bit 2 tells '+' from '/', and with it no row needs a second limit or a second offset. A limit is
 * checked by one addition: -L for "code >= L", 127 - U for "code <= U", -128 for none leave the
 * sign bit clear exactly for the row's symbols, whatever there is in bits 0, 1 and 3. */
#define FROM(code) (char)-(code)
#define UP_TO(code) (char)(127 - (code))
#define NONE (char)-128
#define LIMITS \
    NONE, NONE, NONE, NONE, FROM('+'), FROM('/'), UP_TO('9'), UP_TO('9'), FROM('A'), FROM('A'), \
        UP_TO('Z'), UP_TO('Z'), FROM('a'), FROM('a'), UP_TO('z'), UP_TO('z')
#define OFFSETS \
    0, 0, 0, 0, 62 - '+', 63 - '/', 52 - '0', 52 - '0', -'A', -'A', -'A', -'A', 26 - 'a', \
        26 - 'a', 26 - 'a', 26 - 'a'

#endif
