/* Many lines at once: rows, streams and Arrow columns, then mutated lines of every kind, which must not run out of their memory. */
#include "arrow.h"
#include "batch.h"
#include "harness.h"

#include <string.h>

static wire_layout audio_layout, text_layout, end_layout, update_layout, unknown_layout;
static batch_plan audio_plan, text_plan, end_plan, update_plan, unknown_plan;
static session_plan audio_session, end_session, update_session;
static wire_type audio_type, text_type, end_type, update_type, unknown_type;
static const wire_type *slots[16];
static wire_catalogue catalogue = {
    .slots = slots, .mask = 15, .unknown = &unknown_type, .strict = true};

static uint8_t field(wire_layout *layout, const char *name) {
    return (uint8_t)wire_layout_add(layout, name, strlen(name));
}

static void declare(wire_type *type, wire_layout *layout, batch_plan *plan, const char *name) {
    *type = (wire_type){.name = name, .length = strlen(name), .layout = layout, .literal = true};
    batch_set_plan(layout, plan);
    if (*name) CHECK(wire_catalogue_add(&catalogue, type), "%s", name);
}

static void make_catalogue(void) {
    wire_pattern_init(&catalogue.tag, "type", 4);
    wire_layout *all[5] = {&audio_layout, &text_layout, &end_layout, &update_layout,
                           &unknown_layout};
    for (int i = 0; i < 5; i++) {
        wire_layout_init(all[i]);
        field(all[i], "event_id");
    }
    audio_plan.kind = BATCH_AUDIO;
    audio_plan.session = &audio_session;
    audio_session.ids.item_id = audio_plan.item_id = field(&audio_layout, "item_id");
    audio_layout.payload_first = field(&audio_layout, "delta");
    audio_layout.payload_count = 1;
    text_plan.kind = BATCH_PLAIN;
    text_plan.item_id = field(&text_layout, "item_id");
    text_plan.output_index = field(&text_layout, "output_index");
    text_plan.texts[0] = field(&text_layout, "delta");
    text_plan.item = field(&text_layout, "item");
    text_plan.part = field(&text_layout, "part");
    text_plan.response = field(&text_layout, "response");
    text_plan.error = field(&text_layout, "error");
    text_plan.nested = 0xFu << text_plan.item;
    end_plan.kind = BATCH_CHANGE;
    end_plan.session = &end_session;
    end_session.role = ROLE_AUDIO_END;
    end_session.ids.item_id = end_plan.item_id = field(&end_layout, "item_id");
    update_plan.kind = BATCH_CHANGE;
    update_plan.session = &update_session;
    update_session.role = ROLE_SESSION_UPDATE;
    update_session.keys = SESSION_KEYS;
    update_session.holder = field(&update_layout, "session");
    update_layout.outlined = update_session.holder;
    update_plan.told = 3;
    update_plan.told_object = update_session.holder;
    end_plan.told = 4;
    end_plan.told_field = end_plan.item_id;
    unknown_plan.kind = BATCH_UNKNOWN;
    declare(&audio_type, &audio_layout, &audio_plan, "a");
    declare(&text_type, &text_layout, &text_plan, "t");
    declare(&end_type, &end_layout, &end_plan, "e");
    declare(&update_type, &update_layout, &update_plan, "s");
    declare(&unknown_type, &unknown_layout, &unknown_plan, "");
}

static batch make_batch(const wire_tier *tier, session *session, bool wrapped, bool quoted,
                        bool as_sent) {
    static const batch_word words[] = {{(const uint8_t *)"\"in\"", 4, false},
                                       {(const uint8_t *)"\"out\"", 5, true}};
    static const char before[2][8] = {"\"time\"", "\"event\""}, behind[1][8] = {"\"way\""};
    batch b;
    memset(&b, 0, sizeof b);
    b.tier = tier;
    b.catalogues[0] = b.catalogues[1] = &catalogue;
    b.session = session;
    b.reader.samples = as_sent ? SAMPLES_AS_SENT : SAMPLES_INT16;
    b.assumed[0] = b.assumed[1] = FORMAT_DEFAULT;
    b.as_sent = as_sent;
    b.wrapped = b.has_keys = wrapped;
    b.quoted = quoted;
    for (int i = 0; i < 2; i++) {
        b.keys.before[i] =
            (line_span){(const uint8_t *)before[i], (const uint8_t *)before[i] + strlen(before[i])};
    }
    b.keys.behind[0] =
        (line_span){(const uint8_t *)behind[0], (const uint8_t *)behind[0] + strlen(behind[0])};
    b.keys.before_count = 2;
    b.keys.behind_count = 1;
    b.time_at = wrapped ? 1 : 0;
    b.direction_at = wrapped ? 2 : 0;
    b.scale = 1;
    b.words = words;
    b.word_count = 2;
    b.max_rows = 5;
    b.max_bytes = 200;
    b.most_empty = random_below(3);
    b.source = (const uint8_t *)"here";
    b.source_length = 4;
    CHECK(batch_begin(&b), "memory");
    return b;
}

/* Reads all of the data, each line of the caller's as a row of its own, and gives back how many rows there were. */
static size_t read_all(batch *b, const uint8_t *data, size_t length) {
    size_t at = 0, line_end = 0, rows = 0;
    for (;;) {
        batch_stop stop = batch_run(b, data, length, true, &at, &line_end);
        CHECK(stop != BATCH_NO_MEMORY && at <= length, "stop %d", stop);
        if (stop == BATCH_NEED_CALLER) {
            CHECK(line_end > at && line_end <= length, "%zu", line_end);
            batch_row(b, b->line + 1, false);
            if (random_below(2)) { /* what an unfinished row has put in is forgotten */
                batch_put_number(b, NUMBER_AUDIO_MS, 7);
                CHECK(batch_put_text(b, TEXT_ROLE, data, length) &&
                          batch_put_pcm(b, "abcd", 4, 1, 1),
                      "memory");
                batch_row(b, b->line + 1, false);
            }
            CHECK(batch_put_text(b, TEXT_ERROR, data + at, line_end - at), "memory");
            CHECK(batch_put_pcm(b, "ab", 2, 0, 1), "memory");
            batch_row_done(b);
            at = line_end;
            b->line++;
            continue;
        }
        rows += b->rows;
        for (size_t i = 0, start = 0; i < b->told_count; start = b->tellings[i++].id_end) {
            const batch_told *told = &b->tellings[i];
            CHECK((told->told == 3 || told->told == 4) && (told->id_end > start) == told->named,
                  "telling %zu", i);
            CHECK(told->id_end <= b->ids_room, "%zu bytes of ids", told->id_end);
        }
        b->told_count = 0;
        b->late_count = b->late_length = 0;
        struct ArrowArray array;
        CHECK(batch_export(b, &array), "memory");
        CHECK(array.n_children == 20, "%lld", (long long)array.n_children);
        /* A column that is moved out of its table lives on by itself. */
        struct ArrowArray column = *array.children[random_below(20)];
        for (int i = 0; i < 20; i++) {
            if (array.children[i]->private_data == column.private_data)
                array.children[i]->release = NULL;
        }
        array.release(&array);
        column.release(&column);
        CHECK(batch_begin(b), "memory");
        if (stop == BATCH_NEED_DATA) return rows;
    }
}

static const char *const LINES[] = {
    "{\"type\":\"a\",\"item_id\":\"i\",\"delta\":\"AAECAwQF\"}",
    "{\"delta\":\"AAEC\",\"item_id\":\"j\",\"type\":\"a\"}",
    "{\"type\":\"a\",\"item_id\":\"i\",\"delta\":\"AAE\\/AwQF\"}",
    "{\"type\":\"t\",\"item_id\":\"th\\u00e9\",\"delta\":\"\\ud83d\\ude00 "
    "hello\",\"output_index\":-12}",
    "{\"type\":\"t\",\"item\":{\"id\":\"x\",\"role\":\"user\",\"content\":[{\"text\":\"o\"},3,{"
    "\"transcript\":\"two\"}]}}",
    "{\"type\":\"t\",\"part\":{\"text\":\"p\"},\"response\":{\"id\":\"r\"},\"error\":{\"message\":"
    "\"m\"}}",
    "{\"type\":\"e\",\"item_id\":\"j\"}",
    "{\"type\":\"s\",\"session\":{\"output_audio_format\":\"g711_ulaw\",\"audio\":{\"input\":{"
    "\"format\":{\"rate\":1.6e4}}}}}",
    "{\"type\":\"u\\u0075\",\"event_id\":\"e\"}",
    "no frame",
    "",
};
enum { LINE_COUNT = sizeof LINES / sizeof *LINES };

static void test_rows(const wire_tier *tier) {
    session s;
    session_init(&s, exactly, free);
    batch b = make_batch(tier, &s, false, false, false);
    char text[2000];
    size_t length = 0;
    b.max_rows = 64;
    b.max_bytes = 1 << 20;
    batch_end(&b);
    CHECK(batch_begin(&b), "memory");
    for (int i = 0; i < LINE_COUNT; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s\n", LINES[i]);
    uint8_t *data = exactly(length);
    memcpy(data, text, length);
    size_t at = 0, line_end = 0;
    CHECK(batch_run(&b, data, length, true, &at, &line_end) == BATCH_NEED_CALLER,
          "the line that is no frame");
    CHECK(memcmp(data + at, "no frame", 8) == 0 && line_end == at + 9 && b.rows == 9 && b.line == 9,
          "%zu rows", b.rows);
    batch_fill(&b);
    const int64_t *ends = b.audio.ends;
    CHECK(ends[9] == 7 && ends[1] == 3 && ends[2] == 4, "%lld samples", (long long)ends[9]);
    CHECK(b.numbers[NUMBER_SAMPLE_OFFSET].values[2] == 3 && b.audio.rate[2] == 24000,
          "the offset of the second delta");
    CHECK(s.streams.count == 2 && s.streams.evicted_bytes == 1,
          "the end has taken the carry, and its item stays");
    CHECK(s.output.encoding == ENCODING_ULAW && s.input.rate == 16000, "the session is followed");
    CHECK(b.numbers[NUMBER_OUTPUT_INDEX].values[3] == -12, "a negative number");
    const text_column *texts = &b.texts[TEXT_TEXT];
    CHECK(texts->ends[5] - texts->ends[4] == 5 &&
              memcmp(texts->data + texts->ends[4], "o two", 5) == 0,
          "the text of the item");
    const text_column *types = &b.texts[TEXT_TYPE];
    CHECK(types->ends[9] - types->ends[8] == 2 &&
              memcmp(types->data + types->ends[8], "uu", 2) == 0,
          "an unknown type");
    batch_end(&b);
    free(data);
    session_clear(&s);
}

/* Two empty lines in a row are passed, the third is the caller's, and the others are passed too, until a line has something. */
static void test_empty_lines(const wire_tier *tier) {
    session s;
    session_init(&s, exactly, free);
    batch b = make_batch(tier, &s, false, false, false);
    b.most_empty = 2;
    const char text[] = "\n \r\n\t\n\n\nno frame\n\n\n\n  ";
    const size_t length = sizeof text - 1;
    uint8_t *data = exactly(length);
    memcpy(data, text, length);
    size_t at = 0, line_end = 0;
    const struct {
        size_t line, at, line_end;
    } expected[] = {{2, 4, 6}, {5, 8, 17}, {8, 19, 20}};
    for (int i = 0; i < 3; i++) {
        CHECK(batch_run(&b, data, length, true, &at, &line_end) == BATCH_NEED_CALLER, "stop %d", i);
        CHECK(b.line == expected[i].line && at == expected[i].at &&
                  line_end == expected[i].line_end,
              "line %zu, %zu to %zu", b.line, at, line_end);
        at = line_end;
        b.line++;
    }
    CHECK(batch_run(&b, data, length, true, &at, &line_end) == BATCH_NEED_DATA && at == length &&
              b.line == 10,
          "%zu", b.line);
    batch_end(&b);
    free(data);
    session_clear(&s);
}

/* What the frames tell of their calls: an id of the object or of the message, and none that is too long. */
static void test_tellings(const wire_tier *tier) {
    char text[4000];
    char longest[SESSION_ID_MAX + 2];
    memset(longest, 'x', sizeof longest);
    int length = snprintf(
        text, sizeof text,
        "{\"type\":\"s\",\"session\":{\"id\":\"s\\u00e9\"}}\n{\"type\":\"e\",\"item_id\":\"i\"}\n"
        "{\"type\":\"s\",\"session\":{\"id\":\"\"}}\n{\"type\":\"e\",\"item_id\":\"%.*s\"}\n"
        "{\"type\":\"e\",\"item_id\":\"%.*s\"}\n",
        SESSION_ID_MAX, longest, SESSION_ID_MAX + 1, longest);
    uint8_t *data = exactly((size_t)length);
    memcpy(data, text, (size_t)length);
    session s;
    session_init(&s, exactly, free);
    batch b = make_batch(tier, &s, false, false, false);
    b.max_bytes = 1 << 20;
    size_t at = 0, line_end = 0;
    batch_run(&b, data, (size_t)length, true, &at, &line_end);
    const size_t ends[] = {3, 4, 4, 4 + SESSION_ID_MAX, 4 + SESSION_ID_MAX};
    const uint8_t told[] = {3, 4, 3, 4, 4};
    CHECK(b.told_count == 5, "%zu tellings", b.told_count);
    for (int i = 0; i < 5; i++) {
        CHECK(b.tellings[i].told == told[i] && b.tellings[i].id_end == ends[i],
              "telling %d ends at %zu", i, b.tellings[i].id_end);
        CHECK(b.tellings[i].named == (i != 2 && i != 4), "telling %d", i);
    }
    CHECK(memcmp(b.ids, "s\xC3\xA9ixxx", 7) == 0, "the ids");
    batch_end(&b);
    free(data);
    session_clear(&s);
}

static void test_times(void) {
    static const struct {
        const char *text;
        double seconds; /* -1: it is read by others */
    } cases[] = {
        {"\"1970-01-01T00:00:00\"", 0},
        {"\"1970-01-01 00:00:01.5Z\"", 1.5},
        {"\"2026-05-01T10:00:00.1234567+00:00\"", 1777629600.123456},
        {"\"2026-05-01T10:00:00+02:00\"", 1777622400},
        {"\"2026-05-01T10:00:00-00:30\"", 1777631400},
        {"\"2024-02-29T23:59:59.999999Z\"", 1709251199.999999},
        {"\"2026-02-29T00:00:00\"", -1},
        {"\"2100-02-29T00:00:00\"", -1},
        {"\"2000-02-29T00:00:00\"", 951782400},
        {"\"1969-12-31T23:59:59\"", -1},
        {"\"2026-13-01T00:00:00\"", -1},
        {"\"2026-05-00T00:00:00\"", -1},
        {"\"2026-05-01T24:00:00\"", -1},
        {"\"2026-05-01T10:00:60\"", -1},
        {"\"2026-05-01T10:00:00.\"", -1},
        {"\"2026-05-01T10:00:00,5\"", -1},
        {"\"2026-05-01T10:00:00z\"", -1},
        {"\"2026-05-01T10:00:00+2:00\"", -1},
        {"\"2026-05-01T10:00:00+24:00\"", -1},
        {"\"2026-05-01T10:00:00\" ", -1},
        {"\"2026-05-01T10:0x:00\"", -1},
        {"12.25", 12.25},
        {"true", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t length = strlen(cases[i].text);
        uint8_t *text = exactly(length);
        memcpy(text, cases[i].text, length);
        double time = -1;
        const bool read = line_time(text, text + length, 1, 0, &time);
        CHECK(read == (cases[i].seconds >= 0) && time == cases[i].seconds, "%s: %.6f",
              cases[i].text, time);
        for (size_t cut = 0; cut < length; cut++) {
            uint8_t *part = exactly(cut);
            memcpy(part, text, cut);
            (void)line_time(part, part + cut, 1, 0, &time);
            free(part);
        }
        free(text);
    }
}

static void test_mutated(const wire_tier *tier, unsigned runs) {
    size_t rows = 0;
    for (unsigned run = 0; run < runs; run++) {
        const bool wrapped = random_below(2), quoted = wrapped && random_below(2),
                   as_sent = random_below(2);
        session s;
        session_init(&s, exactly, free);
        batch b = make_batch(tier, &s, wrapped, quoted, as_sent);
        char text[8000];
        size_t length = 0;
        for (unsigned i = 0; i < 20; i++) {
            const char *line = LINES[random_below(LINE_COUNT)];
            char frame[600];
            size_t size = 0;
            for (const char *p = line; *p; p++) {
                if (quoted && (*p == '"' || *p == '\\')) frame[size++] = '\\';
                frame[size++] = *p;
            }
            const char *mark = quoted ? "\"" : "";
            static const char *const times[] = {
                "0.25", "\"late\"", "1e5", "\"2026-05-01T10:00:00.5Z\"", "-7", "01"};
            if (wrapped) {
                length += (size_t)snprintf(text + length, sizeof text - length,
                                           "{\"time\":%s,\"event\":%s%.*s%s,\"way\":\"%s\"}\n",
                                           times[random_below(6)], mark, (int)size, frame, mark,
                                           random_below(2) ? "OUT" : "in");
            } else {
                length += (size_t)snprintf(text + length, sizeof text - length, "%.*s\r\n",
                                           (int)size, frame);
            }
        }
        for (unsigned i = random_below(6); i-- > 0;)
            text[random_below((uint32_t)length)] = (char)random_below(256);
        length -= random_below(40);
        uint8_t *data = exactly(length);
        memcpy(data, text, length);
        rows += read_all(&b, data, length);
        batch_end(&b);
        free(data);
        session_clear(&s);
    }
    CHECK(rows > runs * 10, "%zu rows", rows);
}

int main(int argc, char **argv) {
    const unsigned runs = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 4000;
    make_catalogue();
    test_times();
    for (const wire_tier *const *tier = tiers_here(); *tier; tier++) {
        test_rows(*tier);
        test_empty_lines(*tier);
        test_tellings(*tier);
        test_mutated(*tier, runs);
    }
    return 0;
}
