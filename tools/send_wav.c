#include "send_wav.h"

#include "send_format.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAG_PCM        1
#define TAG_EXTENSIBLE 0xfffe
#define FMT_BYTES      16     /* a plain "fmt " chunk */
#define FMT_EXTENSIBLE 40     /* with mask and sub-format */
#define PLAIN_MASK     0x0003 /* what the driver makes of a format without a mask */

/* KSDATAFORMAT_SUBTYPE_PCM after its first two bytes, which are the tag. */
static const uint8_t subtype_tail[14] = {0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80,
                                         0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71};

static uint16_t le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t le32(const uint8_t *p)
{
    return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static int64_t read_at(int fd, uint64_t at, uint8_t *buf, size_t bytes)
{
    size_t got = 0;
    while (got < bytes) {
        const ssize_t n = pread(fd, buf + got, bytes - got, (off_t)(at + got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (int64_t)got;
}

static const char *parse_fmt(const uint8_t *fmt, uint32_t bytes, struct pcm_format *out)
{
    if (bytes < FMT_BYTES)
        return "its format chunk is too short";
    uint16_t tag = le16(fmt), mask = PLAIN_MASK;
    if (tag == TAG_EXTENSIBLE) {
        if (bytes < FMT_EXTENSIBLE)
            return "its extensible format chunk is too short";
        if (memcmp(fmt + 26, subtype_tail, sizeof subtype_tail) != 0)
            return "it holds no integer PCM";
        mask = le16(fmt + 20);
        tag = le16(fmt + 24);
    }
    const uint16_t channels = le16(fmt + 2), align = le16(fmt + 12), width = le16(fmt + 14);
    const uint32_t rate = le32(fmt + 4);
    if (tag != TAG_PCM)
        return "it holds no integer PCM";
    if (!send_format_possible(rate, width, channels))
        return "a guest has 44100, 48000, 88200, 96000, 176400 or 192000 Hz, 16, 24 or 32 bits and "
               "1 to 8 channels";
    if (align != width / 8 * channels)
        return "its frame size is not that of its format";
    *out = (struct pcm_format){
        .rate = rate, .width = (uint8_t)width, .channels = (uint8_t)channels, .mask = mask};
    return NULL;
}

/* From the first chunk to the data; a "fmt " chunk must come before it. */
static const char *find_data(struct send_wav *wav, uint64_t file_bytes)
{
    uint8_t head[8], fmt[FMT_EXTENSIBLE];
    bool known = false;
    uint64_t at = 12;
    while (read_at(wav->fd, at, head, sizeof head) == sizeof head) {
        const uint32_t bytes = le32(head + 4);
        at += sizeof head;
        if (memcmp(head, "data", 4) == 0) {
            const uint64_t there = file_bytes - at;
            wav->data_at = at;
            wav->bytes = bytes < there ? bytes : there;
            return known ? NULL : "its format does not come before its data";
        }
        if (memcmp(head, "fmt ", 4) == 0) {
            const int64_t got = read_at(wav->fd, at, fmt, bytes < sizeof fmt ? bytes : sizeof fmt);
            const char *fault = parse_fmt(fmt, got < 0 ? 0 : (uint32_t)got, &wav->format);
            if (fault)
                return fault;
            known = true;
        }
        at += (uint64_t)bytes + (bytes & 1);
    }
    return "it ends before its data";
}

static const char *parse(struct send_wav *wav)
{
    uint8_t riff[12];
    struct stat st;
    if (fstat(wav->fd, &st) < 0 || !S_ISREG(st.st_mode))
        return "it is no regular file";
    if (read_at(wav->fd, 0, riff, sizeof riff) != sizeof riff || memcmp(riff, "RIFF", 4) != 0 ||
        memcmp(riff + 8, "WAVE", 4) != 0)
        return "it is no WAV file";
    const char *fault = find_data(wav, (uint64_t)st.st_size);
    if (fault)
        return fault;
    wav->bytes -= wav->bytes % pcm_frame_bytes(&wav->format);
    return wav->bytes == 0 ? "it holds no sound" : NULL;
}

int send_wav_open(struct send_wav *wav, const char *path, const char **why)
{
    *wav = (struct send_wav){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (wav->fd < 0) {
        const int err = errno;
        *why = strerror(err);
        return -err;
    }
    *why = parse(wav);
    if (!*why)
        return 0;
    send_wav_close(wav);
    return -EINVAL;
}

int64_t send_wav_read(const struct send_wav *wav, uint64_t offset, uint8_t *buf, size_t bytes)
{
    if (offset >= wav->bytes)
        return 0;
    if (bytes > wav->bytes - offset)
        bytes = (size_t)(wav->bytes - offset);
    return read_at(wav->fd, wav->data_at + offset, buf, bytes);
}

void send_wav_close(struct send_wav *wav)
{
    if (wav->fd >= 0)
        close(wav->fd);
    wav->fd = -1;
}
