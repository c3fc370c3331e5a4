#include "send_log.h"

#include "../src/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

int send_log_open(struct send_log *log, const char *path, bool bursts)
{
    *log = (struct send_log){.bursts = bursts};
    if (!path)
        return 0;
    log->file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    if (!log->file) {
        const int err = errno;
        send_complain("--log: %s: %s; it must be a file that you may write", path, strerror(err));
        return -err;
    }
    setvbuf(log->file, NULL, _IOLBF, BUFSIZ);
    return 0;
}

__attribute__((format(printf, 2, 3))) static void put(const struct send_log *log, const char *fmt,
                                                      ...)
{
    va_list args;
    if (!log->file)
        return;
    va_start(args, fmt);
    vfprintf(log->file, fmt, args);
    va_end(args);
}

void send_log_segment(const struct send_log *log, int64_t t0, const struct pcm_format *f,
                      const char *signal, double ppm, double speed)
{
    char fast[32] = "";
    if (speed < 1 || speed > 1)
        snprintf(fast, sizeof fast, " speed=%.9g", speed);
    put(log,
        "segment t0=%" PRId64 " rate=%u width=%u channels=%u mask=0x%04x signal=%s frame0=0 "
        "ppm=%.9g%s\n",
        t0, f->rate, f->width, f->channels, f->mask, signal, ppm, fast);
}

void send_log_burst(const struct send_log *log, int64_t t, uint64_t first, uint64_t frames)
{
    if (log->bursts)
        put(log, "burst t=%" PRId64 " first=%" PRIu64 " frames=%" PRIu64 "\n", t, first, frames);
}

void send_log_loss(const struct send_log *log, int64_t t, uint64_t first, uint64_t frames)
{
    put(log, "loss t=%" PRId64 " first=%" PRIu64 " frames=%" PRIu64 "\n", t, first, frames);
}

void send_log_stall(const struct send_log *log, int64_t t, int64_t length)
{
    put(log, "stall t=%" PRId64 " ms=%g\n", t, (double)length / NS_PER_MS);
}

void send_log_pause(const struct send_log *log, int64_t t, int64_t length)
{
    put(log, "pause t=%" PRId64 " ms=%.9g\n", t, (double)length / NS_PER_MS);
}

void send_log_end(const struct send_log *log, int64_t t, uint64_t frames)
{
    put(log, "end t=%" PRId64 " frames=%" PRIu64 "\n", t, frames);
}

int send_log_close(struct send_log *log)
{
    if (!log->file)
        return 0;
    const bool failed = fflush(log->file) != 0 || ferror(log->file);
    if (log->file != stdout)
        fclose(log->file);
    log->file = NULL;
    if (!failed)
        return 0;
    send_complain("--log: the log could not be written; it is not complete");
    return -EIO;
}

void send_complain(const char *fmt, ...)
{
    char line[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    fprintf(stderr, "scream-send: %s\n", line);
}
