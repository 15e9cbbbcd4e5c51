// The C++ peer: simdjson On-Demand finds the fields, simdutf decodes the payload into malloc'ed memory.
//
// It is given every advantage a C++ client can arrange: the frames lie in padded buffers already, one parser serves all
// frames, and the ids stay views into the parser's buffer, which the next frame overwrites (every other peer's ids are the
// caller's to keep). The timing loop is here, so that no call from Python is charged to it.

#include <algorithm>
#include <chrono>
#include <ctime>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "simdjson.h"
#include "simdutf.h"

namespace {

using simdjson::ondemand::parser;

struct Message {
    std::string_view type, event_id, response_id, item_id, delta;
    int16_t *pcm = nullptr;
    size_t samples = 0;
};

struct Session {
    parser json;
    std::vector<simdjson::padded_string> frames;
    Message message;
};

// Fills the message; false where the frame is not one. The previous message's samples are released only after the new ones
// exist, as in a Python loop whose variable still holds the last message.
bool decode(Session &session, const simdjson::padded_string &frame) {
    Message message;
    simdjson::ondemand::document document;
    simdjson::ondemand::object root;
    if (session.json.iterate(frame).get(document) || document.get_object().get(root)) return false;
    for (auto field : root) {
        std::string_view key;
        if (field.escaped_key().get(key)) return false;
        std::string_view *place = key == "type"          ? &message.type
                                  : key == "event_id"    ? &message.event_id
                                  : key == "response_id" ? &message.response_id
                                  : key == "item_id"     ? &message.item_id
                                  : key == "delta"       ? &message.delta
                                                         : nullptr;
        if (place && field.value().get_string().get(*place)) return false;
    }
    if (!document.at_end()) return false;
    if (message.type == "response.output_audio.delta" || message.type == "response.audio.delta") {
        size_t room =
            simdutf::maximal_binary_length_from_base64(message.delta.data(), message.delta.size());
        char *bytes = static_cast<char *>(std::malloc(room ? room : 1));
        auto result = simdutf::base64_to_binary(message.delta.data(), message.delta.size(), bytes,
                                                simdutf::base64_default, simdutf::strict);
        if (result.error) {
            std::free(bytes);
            return false;
        }
        message.pcm = reinterpret_cast<int16_t *>(bytes);
        message.samples = result.count / sizeof(int16_t);
    }
    std::free(session.message.pcm);
    session.message = message;
    return true;
}

// The thread's CPU time, as the loops in Python are timed.
int64_t now() {
#ifdef CLOCK_THREAD_CPUTIME_ID
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
#else
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
#endif
}

} // namespace

extern "C" {

// What the parts decided to run on: the instruction set of simdjson (chosen when compiled) and of simdutf (now).
const char *peer_implementation() {
    static std::string name;
    name = simdjson::builtin_implementation()->name();
    name += " + ";
    name += simdutf::get_active_implementation()->name();
    return name.c_str();
}

int peer_use_simdutf(const char *name) {
    auto *implementation = simdutf::get_available_implementations()[name];
    if (!implementation || !implementation->supported_by_runtime_system()) return 0;
    simdutf::get_active_implementation() = implementation;
    return 1;
}

void *peer_open(const char *const *frames, const size_t *lengths, size_t count) {
    auto *session = new Session;
    for (size_t i = 0; i < count; i++) session->frames.emplace_back(frames[i], lengths[i]);
    return session;
}

void peer_close(void *handle) {
    auto *session = static_cast<Session *>(handle);
    std::free(session->message.pcm);
    delete session;
}

// Decodes the whole list `passes` times; nanoseconds, or -1 where a frame was refused.
int64_t peer_time(void *handle, size_t passes) {
    auto *session = static_cast<Session *>(handle);
    int64_t start = now();
    for (size_t pass = 0; pass < passes; pass++)
        for (const auto &frame : session->frames)
            if (!decode(*session, frame)) return -1;
    return now() - start;
}

// Each frame of the list once, in its order: nanoseconds of each. By the wall clock, which is read faster than the thread's; what
// two readings cost is taken off. With `received`, each is copied right before, as if it had just come from a socket.
int peer_each(void *handle, int received, int64_t *times) {
    auto *session = static_cast<Session *>(handle);
    auto wall = [] {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(
                   std::chrono::steady_clock::now().time_since_epoch())
            .count();
    };
    int64_t cost = INT64_MAX;
    for (int i = 0; i < 1000; i++) {
        int64_t start = wall();
        cost = std::min<int64_t>(cost, wall() - start);
    }
    for (const auto &frame : session->frames) {
        simdjson::padded_string copy;
        if (received) copy = simdjson::padded_string(frame.data(), frame.size());
        int64_t start = wall();
        if (!decode(*session, received ? copy : frame)) return 0;
        *times++ = wall() - start - cost;
    }
    return 1;
}

// Decodes so many frames, the list in turn, and keeps the samples of `count` before it frees them all; nanoseconds, or -1.
int64_t peer_keep(void *handle, size_t count, size_t frames) {
    auto *session = static_cast<Session *>(handle);
    std::vector<int16_t *> kept;
    kept.reserve(count);
    int64_t start = now();
    for (size_t i = 0; i < frames; i++) {
        if (!decode(*session, session->frames[i % session->frames.size()])) return -1;
        kept.push_back(session->message.pcm);
        session->message.pcm = nullptr;
        if (kept.size() == count) {
            for (int16_t *pcm : kept) std::free(pcm);
            kept.clear();
        }
    }
    int64_t spent = now() - start;
    for (int16_t *pcm : kept) std::free(pcm);
    return spent;
}

// The last message decoded: five strings as pointer and length pairs, then the samples.
void peer_last(void *handle, const char **text, size_t *lengths, const int16_t **pcm,
               size_t *samples) {
    const Message &message = static_cast<Session *>(handle)->message;
    const std::string_view views[] = {message.type, message.event_id, message.response_id,
                                      message.item_id, message.delta};
    for (size_t i = 0; i < 5; i++) {
        text[i] = views[i].data();
        lengths[i] = views[i].size();
    }
    *pcm = message.pcm;
    *samples = message.samples;
}
}
