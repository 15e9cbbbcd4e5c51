/* Copies base64 in which every slash is escaped, as some encoders write it. Included by tier.h,
 * after json.h. */

/* Copies the 64 bytes of a block, except byte i if bit i of `drop` is set. May write to all of to[0
 * .. 64). Returns the place after the last byte copied. */
static inline uint8_t *copy_without(const uint8_t *block, uint64_t drop, uint8_t *to) {
#ifdef TIER_HAS_PEXT
    /* Compacts eight bytes at a time in a register. No branch depends on the data, so none is
     * mispredicted. */
    for (unsigned i = 0; i < 64; i += 8) {
        uint64_t kept = ~drop >> i & 0xFF;
        uint64_t word =
            _pext_u64(wire_load64(block + i), _pdep_u64(kept, UINT64_C(0x0101010101010101)) * 0xFF);
        memcpy(to, &word, 8);
        to += portable_count_bits_64(kept);
    }
    return to;
#else
    unsigned from = 0;
    for (; drop; drop &= drop - 1) {
        unsigned next = (unsigned)portable_lowest_bit_64(drop);
        for (; from < next; from++) *to++ = block[from];
        from = next + 1;
    }
    for (; from < 64; from++) *to++ = block[from];
    return to;
#endif
}

/* wire_tier.slashed, see wire.h. */
static size_t walk_slashed(const uint8_t **at, const uint8_t *end, uint8_t *out, size_t room) {
    const uint8_t *p = *at;
    uint8_t *to = out;
    uint64_t behind = 0; /* 1: the byte before p is the backslash of an escape, and was read */
    while (end - p >= 64 && (size_t)(to - out) + 64 <= room) {
        uint64_t special = special_block(p);
        if ((special | behind) == 0) {
            memcpy(to, p, 64);
            to += 64;
        } else {
            uint64_t backslashes = equal_block(p, '\\'), escaped = backslashes << 1 | behind;
            if (special != backslashes || escaped & ~equal_block(p, '/')) break;
            to = copy_without(p, backslashes, to);
            behind = backslashes >> 63;
        }
        p += 64;
    }
    p -= behind;
    /* The remaining bytes, up to the first that is neither unescaped ASCII nor an escaped slash. */
    if (end - p < 64 + 1 || (size_t)(to - out) + 64 <= room) {
        for (; p < end && (size_t)(to - out) < room; *to++ = *p++) {
            if (*p > 0x7F || *p == '"') break;
            if (*p == '\\') {
                if (p[1] != '/') break;
                p++;
            }
        }
    }
    *at = p;
    return (size_t)(to - out);
}
