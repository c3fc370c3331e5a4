#include "send_source.h"

#include "send_log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Reads may begin and end within a frame: with 5 and 7 channels they do. */
static int64_t read_signal(struct send_source *s, uint8_t *buf, size_t bytes)
{
    const uint32_t frame_bytes = pcm_frame_bytes(&s->format);
    size_t done = 0;
    while (done < bytes) {
        const uint64_t frame = s->at / frame_bytes;
        const uint32_t into = (uint32_t)(s->at % frame_bytes);
        const size_t left = bytes - done;
        size_t n;
        if (into == 0 && left >= frame_bytes) {
            n = left - left % frame_bytes;
            signal_render(s->signal, &s->format, frame, (uint32_t)(n / frame_bytes), buf + done);
        } else {
            uint8_t whole[PCM_MAX_FRAME_BYTES];
            signal_render(s->signal, &s->format, frame, 1, whole);
            n = frame_bytes - into < left ? frame_bytes - into : left;
            memcpy(buf + done, whole + into, n);
        }
        done += n;
        s->at += n;
    }
    return (int64_t)done;
}

static int64_t read_wav(struct send_source *s, uint8_t *buf, size_t bytes)
{
    size_t done = 0;
    while (done < bytes) {
        const uint64_t at = s->repeat ? s->at % s->wav.bytes : s->at;
        const int64_t n = send_wav_read(&s->wav, at, buf + done, bytes - done);
        if (n < 0)
            return n;
        if (n == 0)
            break; /* the end, or a file that was cut while we read */
        done += (size_t)n;
        s->at += (uint64_t)n;
    }
    return (int64_t)done;
}

static int64_t read_stdin(struct send_source *s, uint8_t *buf, size_t bytes)
{
    size_t done = 0;
    while (done < bytes) {
        const int err = send_wait_readable(s->wait, s->fd);
        if (err < 0)
            return err;
        const ssize_t n = read(s->fd, buf + done, bytes - done);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return -errno;
        if (n == 0)
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    s->at += done;
    return (int64_t)done;
}

void send_source_start(struct send_source *s, const struct pcm_format *f, enum signal_kind signal)
{
    s->format = *f;
    s->signal = signal;
    s->name = signal_name(signal);
    s->at = 0;
}

int send_source_open(struct send_source *s, const struct send_options *o,
                     const struct send_wait *wait)
{
    const char *why;
    *s = (struct send_source){.read = read_signal, .repeat = o->repeat, .wait = wait, .wav.fd = -1};
    send_source_start(s, &o->format, o->signal);
    if (o->from_stdin) {
        s->read = read_stdin;
        s->name = "stdin";
        s->fd = STDIN_FILENO;
    }
    if (!o->wav)
        return 0;
    s->read = read_wav;
    s->name = "wav";
    const int err = send_wav_open(&s->wav, o->wav, &why);
    if (err < 0)
        send_complain("--wav: %s: %s", o->wav, why);
    else
        s->format = s->wav.format;
    return err;
}

void send_source_close(struct send_source *s)
{
    send_wav_close(&s->wav);
}
