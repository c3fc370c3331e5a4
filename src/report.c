#include "report.h"

#include "clock.h"
#include "log.h"

#include <stddef.h>
#include <stdio.h>

#define REPORT_QUIET_NS (60 * NS_PER_S)

static const struct reason {
    size_t offset; /* of the counter */
    bool in_stream;
    const char *text;
} reasons[] = {
    {offsetof(struct receiver_counters, bad_size), false,
     "packets or headers dropped: of a size that no guest sends"},
    {offsetof(struct receiver_counters, bad_format), false,
     "packets or headers dropped: a rate, width or channel count that no guest has"},
    {offsetof(struct receiver_counters, foreign), false,
     "headers dropped: not Scream's; is the shared memory another device's?"},
    {offsetof(struct receiver_counters, broadcasts), false,
     "packets dropped: broadcast, not sent to this host's address"},
    {offsetof(struct receiver_counters, other_source), false,
     "packets dropped: from another sender than the one that plays"},
    {offsetof(struct receiver_counters, kernel_drops), false,
     "packets dropped by the kernel: more came than this program got to take"},
    {offsetof(struct receiver_counters, refused), false,
     "packets refused by the kernel: such as no guest sends, or from senders that are not to be "
     "heard "
     "(--allow, or a crowd of them)"},
    {offsetof(struct receiver_counters, late_chunks), false,
     "chunks lost: the guest overwrote them before this program got to run"},
    {offsetof(struct receiver_counters, left_chunks), false,
     "chunks lost: their stream ended or jumped, or the file was cut short, before they were read"},
    {offsetof(struct stream_counters, overrun_bytes), true,
     "bytes dropped: the output stood still"},
    {offsetof(struct stream_counters, passed_bytes), true,
     "bytes passed over: another format came before they were heard"},
    {offsetof(struct stream_counters, underruns), true,
     "times the guest's sound came too late and was interrupted; a higher -t holds more in store"},
    {offsetof(struct stream_counters, skips), true,
     "times sound had piled up and was skipped, to get back to the target latency"},
    {offsetof(struct stream_counters, losses), true,
     "times some of the guest's sound never came: packets were lost on the way"},
};
#define REASONS (sizeof reasons / sizeof reasons[0])
_Static_assert(REASONS <= REPORT_REASONS, "room for each reason");

void report_init(struct report *r, const struct receiver_counters *receiver,
                 const struct stream_counters *stream)
{
    *r = (struct report){.receiver = receiver, .stream = stream};
}

static uint64_t value_of(const struct report *r, const struct reason *reason)
{
    const char *base = reason->in_stream ? (const char *)r->stream : (const char *)r->receiver;
    return count_read((const counter *)(const void *)(base + reason->offset));
}

void report_drops(struct report *r, int64_t now)
{
    if (now < r->quiet_until)
        return;
    for (size_t i = 0; i < REASONS; i++) {
        const uint64_t value = value_of(r, &reasons[i]);
        if (value == r->told[i])
            continue;
        log_warning("%llu %s", (unsigned long long)(value - r->told[i]), reasons[i].text);
        r->told[i] = value;
        r->quiet_until = now + REPORT_QUIET_NS;
    }
}

void report_bound(struct report *r, int64_t bound)
{
    const int64_t least = (int64_t)count_read(&r->stream->least_us) * NS_PER_US;
    if (r->told_bound || least <= bound)
        return;
    r->told_bound = true;
    log_warning("-l %.0f: is not enough: the guest's bursts, the output's period and its delay "
                "take %.0f ms, which is held to instead",
                (double)bound / NS_PER_MS, (double)least / NS_PER_MS);
}

void report_playing(const struct report *r)
{
    const struct stream_counters *s = r->stream;
    log_debug("latency %.1f ms, %.1f of it behind us; %llu underruns, %llu pauses, %llu skips; "
              "%llu frames dropped, before a start or by a skip",
              (double)count_read(&s->latency_us) / 1e3, (double)count_read(&s->delay_us) / 1e3,
              (unsigned long long)count_read(&s->underruns),
              (unsigned long long)count_read(&s->pauses), (unsigned long long)count_read(&s->skips),
              (unsigned long long)count_read(&s->skipped_frames));
}
