#include "wav_file.h"

#include "../src/chmap.h"
#include "../src/log.h"
#include "wav_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAG_PCM        0x0001
#define TAG_EXTENSIBLE 0xfffe
#define MOST_TRIES     16

/* KSDATAFORMAT_SUBTYPE_PCM behind its first two bytes, which are the format tag. */
static const uint8_t subtype_tail[14] = {0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80,
                                         0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71};

static uint8_t *put(uint8_t *at, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        *at++ = (uint8_t)(value >> 8 * i);
    return at;
}

static uint8_t *put_bytes(uint8_t *at, const void *from, size_t n)
{
    memcpy(at, from, n);
    return at + n;
}

/*
 * dwChannelMask: in a file channels stand in the order of its bits. A source whose channels do not
 * (or are for no speaker) gets 0, "in no particular place".
 */
static uint32_t file_mask(const struct pcm_format *format)
{
    struct chmap map;
    uint32_t mask = 0;
    chmap_from_mask(&map, format->mask, format->channels);
    for (int i = 0; i < map.channels; i++) {
        if (map.pos[i] >= CHPOS_MONO || mask >> map.pos[i] != 0)
            return format->channels == 1 ? 1u << CHPOS_FC : 0;
        mask |= 1u << map.pos[i];
    }
    return mask;
}

uint32_t wav_header(uint8_t out[WAV_HEADER_MAX], const struct pcm_format *format, uint64_t data)
{
    const bool extensible = format->channels > 2 || format->width > 16;
    const uint32_t fmt = extensible ? 40 : 16, bytes = 12 + 8 + fmt + 8;
    const uint32_t frame = pcm_frame_bytes(format), claimed = (uint32_t)data;
    uint8_t *at = put_bytes(out, "RIFF", 4);
    at = put(at, bytes - 8 + claimed + claimed % 2, 4);
    at = put_bytes(at, "WAVEfmt ", 8);
    at = put(at, fmt, 4);
    at = put(at, extensible ? TAG_EXTENSIBLE : TAG_PCM, 2);
    at = put(at, format->channels, 2);
    at = put(at, format->rate, 4);
    at = put(at, format->rate * frame, 4);
    at = put(at, frame, 2);
    at = put(at, format->width, 2);
    if (extensible) {
        at = put(at, 22, 2); /* bytes of what follows */
        at = put(at, format->width, 2);
        at = put(at, file_mask(format), 4);
        at = put(at, TAG_PCM, 2);
        at = put_bytes(at, subtype_tail, sizeof subtype_tail);
    }
    at = put_bytes(at, "data", 4);
    put(at, claimed, 4);
    return bytes;
}

/* ---- files ---- */

/* Another program may take the name in between. */
static int create(struct wav_file *f)
{
    int err = -EEXIST;
    for (int tries = 0; err == -EEXIST && tries < MOST_TRIES; tries++) {
        err = wav_name_next(f->path, f->name);
        if (err < 0)
            break;
        f->fd = open(f->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        err = f->fd < 0 ? -errno : 0;
    }
    return err;
}

/* In one write, which nothing but the kernel's own end can tear. */
static int claim(struct wav_file *f, uint64_t data)
{
    uint8_t header[WAV_HEADER_MAX];
    const uint32_t bytes = wav_header(header, &f->format, data);
    const ssize_t done = pwrite(f->fd, header, bytes, 0);
    if (done != (ssize_t)bytes)
        return done < 0 ? -errno : -ENOSPC;
    f->header = bytes;
    f->data = data;
    return 0;
}

static int begin(struct wav_file *f)
{
    f->data = 0;
    int err = create(f);
    if (err == 0)
        err = claim(f, 0);
    if (err < 0)
        wav_file_close(f);
    return err;
}

static bool is_no_file(const char *name)
{
    struct stat st;
    return stat(name, &st) == 0 && !S_ISREG(st.st_mode);
}

/* In a clause, with a remedy; returns err. */
static int explain(char *why, size_t size, const char *path, int err)
{
    char buf[LOG_PATH];
    const char *told = log_path(buf, path), *what = strerror(-err),
               *remedy = "-d names another file";
    if (err == -ENOTSUP) {
        snprintf(why, size, "'%s' is no regular file; what is not goes with -o raw", told);
        return err;
    }
    if (err == -ENOENT || err == -ENOTDIR) {
        what = "there is no such folder";
        remedy = "make it, or name another file by -d";
    } else if (err == -EEXIST) {
        what = "it and all before it are taken";
        remedy = "move them away, or name another file by -d";
    }
    snprintf(why, size, "cannot write '%s': %s; %s", told, what, remedy);
    return err;
}

int wav_file_open(struct wav_file *f, const char *name, const struct pcm_format *format,
                  uint64_t limit, char *why, size_t size)
{
    if (is_no_file(name))
        return explain(why, size, name, -ENOTSUP);
    *f = (struct wav_file){.fd = -1, .name = name, .format = *format, .limit = limit};
    const int err = begin(f);
    return err < 0 ? explain(why, size, f->path, err) : 0;
}

static int may_create_in(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path + 1) : 1,
             slash ? path : ".");
    return faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

int wav_file_rehearse(const char *name, char *text, size_t size)
{
    char path[PATH_MAX], told[LOG_PATH];
    if (is_no_file(name))
        return explain(text, size, name, -ENOTSUP);
    int err = wav_name_next(path, name);
    if (err == 0)
        err = may_create_in(path);
    if (err < 0)
        return explain(text, size, path, err);
    snprintf(text, size, "a new file, '%s'%s", log_path(told, path),
             strcmp(path, name) == 0 ? "" : "; what there is is not written over");
    return 0;
}

/*
 * Bytes written, fewer than asked for when *err is set. RIFF wants an even length: one zero more,
 * which the next sound writes over.
 */
static uint32_t append(struct wav_file *f, const uint8_t *pcm, uint32_t bytes, int *err)
{
    const uint32_t padded = bytes + (f->data + bytes) % 2;
    const uint8_t pad = 0;
    uint32_t done = 0;
    *err = 0;
    while (*err == 0 && done < padded) {
        const bool sound = done < bytes;
        const ssize_t n = pwrite(f->fd, sound ? pcm + done : &pad, sound ? bytes - done : 1,
                                 (off_t)(f->header + f->data + done));
        if (n > 0)
            done += (uint32_t)n;
        else if (n == 0 || errno != EINTR)
            *err = n == 0 ? -ENOSPC : -errno;
    }
    return done;
}

static int write_here(struct wav_file *f, const uint8_t *pcm, uint32_t bytes)
{
    const uint32_t frame = pcm_frame_bytes(&f->format);
    int err;
    uint32_t done = append(f, pcm, bytes, &err);
    if (err == 0)
        return claim(f, f->data + bytes);

    /* What fits stays: whole frames, and not the one whose pad byte does not fit. */
    done = done / frame * frame;
    if (done > 0 && (f->data + done) % 2)
        done -= frame;
    if (done > 0)
        claim(f, f->data + done);
    return err;
}

int wav_file_write(struct wav_file *f, const uint8_t *pcm, uint32_t bytes)
{
    const uint32_t frame = pcm_frame_bytes(&f->format);
    int err = 0;
    while (err == 0 && bytes > 0) {
        const uint64_t most = (f->limit - f->header - 1) / frame * frame; /* 1: the pad byte */
        const uint64_t room = most - f->data;
        const uint32_t n = bytes < room ? bytes : (uint32_t)room;
        if (n > 0)
            err = write_here(f, pcm, n);
        pcm += n;
        bytes -= n;
        if (err < 0 || bytes == 0)
            break;
        wav_file_close(f);
        err = begin(f);
        if (err == 0)
            log_info("recording goes on in '%s'", f->path);
    }
    return err;
}

void wav_file_close(struct wav_file *f)
{
    if (f->fd < 0)
        return;
    if (f->data == 0)
        unlink(f->path);
    else if (ftruncate(f->fd, (off_t)(f->header + f->data + f->data % 2)) < 0)
        log_debug("what hangs over in '%s' is behind the end that its header names", f->path);
    close(f->fd);
    f->fd = -1;
}
