/* Finds the frame of a line of a recording among the other members of an object. No Python. */
#ifndef REALTIME_PCM_LINES_H
#define REALTIME_PCM_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_MEMBERS \
    16 /* most members besides the frame, if a line is split without being parsed */

typedef struct line_span {
    const uint8_t *start, *end;
} line_span;

/* The keys of the members, each in its quotes. before: those up to and including the frame's own.
 * behind: those after the frame. */
typedef struct line_keys {
    line_span before[LINE_MEMBERS + 1], behind[LINE_MEMBERS];
    size_t before_count, behind_count;
} line_keys;

/* Splits the line [start, end), a JSON object with these members in this order. found: first the
 * value of the frame, then those of the other members in their order; it has room for before_count
 * + behind_count spans. false: the line has other members, or another value is not a plain scalar.
 * The frame's value is not looked at: if it is JSON, so is the whole line, and the text of a JSON
 * object can be read in only one way. */
bool line_split(const uint8_t *start, const uint8_t *end, const line_keys *keys, line_span *found);

/* Writes the text of a JSON string, quotes included in [start, end), whose escapes are `\"`, `\\`
 * and `\/`. `out` has room for end - start bytes. Returns how many bytes were written; SIZE_MAX for
 * a string with other escapes, and for anything else. Bytes beyond ASCII stay as they are: whoever
 * reads the text validates them. */
size_t line_unquote(const uint8_t *start, const uint8_t *end, uint8_t *out);

/* Reads a JSON number whose double is found by one exact operation: at most 15 digits, and a power
 * of ten up to 22. false: any other text. */
bool line_number(const uint8_t *start, const uint8_t *end, double *number);

/* Reads a date and a time of day in quotes, "2026-05-01T10:00:00.123+02:00", as seconds since 1970,
 * as Python's datetime does, which drops what comes after microseconds. No zone means UTC. false:
 * any other text. */
bool line_moment(const uint8_t *start, const uint8_t *end, double *seconds);

/* The time that a value means: a number times `scale`, or a moment, each less `origin`. false: any
 * other text, and a scale of NaN. */
bool line_time(const uint8_t *start, const uint8_t *end, double scale, double origin, double *time);

#endif
