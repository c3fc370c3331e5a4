#include "send_log.h"
#include "send_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC             0x11112014u
#define CHUNKS_PER_SECOND 50
#define MIB               (1024u * 1024u)

/* As the driver lays it out, little-endian. */
struct header {
    uint32_t magic;     /* MAGIC while a stream is open, written last */
    uint16_t write_idx; /* the newest complete chunk */
    uint8_t offset;     /* of chunk 0 */
    uint8_t pad;
    uint16_t max_chunks;
    uint16_t pad2;
    uint32_t chunk_bytes;
    uint8_t wire[3]; /* rate code, bits, channels */
    uint8_t pad3;
    uint16_t mask;
    uint16_t pad4;
};
_Static_assert(sizeof(struct header) == 24 && offsetof(struct header, mask) == 20, "see PROTOCOL");

struct shm {
    struct send_sink sink;
    struct header *header; /* the mapping's start, or NULL */
    size_t bytes;
};

static int shm_begin(struct send_sink *sink, const struct pcm_format *f, uint32_t *unit_bytes)
{
    struct shm *s = (struct shm *)sink;
    uint8_t wire[PCM_WIRE_BYTES];
    const uint32_t chunk = f->rate / CHUNKS_PER_SECOND * pcm_frame_bytes(f);
    size_t chunks = s->bytes / chunk;
    /* The driver does not look whether the last chunk ends inside; at its sizes it always does. */
    if (sizeof(struct header) + chunks * chunk > s->bytes)
        chunks--;
    pcm_format_wire(f, wire);
    memset(s->header, 0, sizeof *s->header);
    s->header->offset = sizeof(struct header);
    s->header->max_chunks = chunks > UINT16_MAX ? UINT16_MAX : (uint16_t)chunks;
    s->header->chunk_bytes = chunk;
    memcpy(s->header->wire, wire, sizeof s->header->wire);
    s->header->mask = f->mask;
    __atomic_store_n(&s->header->magic, MAGIC, __ATOMIC_RELEASE);
    *unit_bytes = chunk;
    return 0;
}

static int shm_write(struct send_sink *sink, const uint8_t *unit)
{
    struct shm *s = (struct shm *)sink;
    struct header *h = s->header;
    const uint16_t next = (uint16_t)((h->write_idx + 1) % h->max_chunks);
    memcpy((uint8_t *)h + h->offset + (size_t)next * h->chunk_bytes, unit, h->chunk_bytes);
    __atomic_store_n(&h->write_idx, next, __ATOMIC_RELEASE);
    return 0;
}

static void shm_end(struct send_sink *sink)
{
    struct shm *s = (struct shm *)sink;
    memset(s->header, 0, sizeof *s->header);
}

static void shm_close(struct send_sink *sink)
{
    struct shm *s = (struct shm *)sink;
    if (s->header) {
        shm_end(sink);
        munmap(s->header, s->bytes);
    }
    free(s);
}

static const struct send_sink_ops shm_ops = {
    .lingers = true,
    .begin = shm_begin,
    .write = shm_write,
    .end = shm_end,
    .close = shm_close,
};

/* Makes or grows the file as QEMU does, never shrinks it. Its pages are reserved, so that a full
 * /dev/shm is an error here and no SIGBUS later. */
static int map_file(struct shm *s, const char *path)
{
    struct stat st;
    int err = 0;
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0)
        err = errno;
    else if (!S_ISREG(st.st_mode))
        err = EINVAL;
    else
        err = posix_fallocate(fd, 0, (off_t)s->bytes);
    if (err == 0) {
        void *at = mmap(NULL, s->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        err = at == MAP_FAILED ? errno : 0;
        s->header = at == MAP_FAILED ? NULL : at;
    }
    close(fd);
    return -err;
}

int send_shm_open(struct send_sink **out, const struct send_options *o)
{
    struct shm *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->sink.ops = &shm_ops;
    s->bytes = (size_t)o->shm_mib * MIB;
    snprintf(s->sink.where, sizeof s->sink.where, "%.60s (%u MiB)", o->shm, (unsigned)o->shm_mib);
    const int err = map_file(s, o->shm);
    if (err < 0) {
        send_complain("--shm: %s: %s; it must be a file that you may write, in a place with %u MiB "
                      "left",
                      o->shm, strerror(-err), (unsigned)o->shm_mib);
        free(s);
        return err;
    }
    *out = &s->sink;
    return 0;
}
