#include "ivshmem_place.h"

#include "../src/clock.h"
#include "../src/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#define SMALLEST                                                                                   \
    (SHM_HEADER_BYTES + SHM_MIN_CHUNKS * 1764) /* bytes: a ring of 44.1 kHz/16/1, of 20 ms each */
#define LOOK   NS_PER_S                        /* where there are no news to be had */
#define CEASED (250 * NS_PER_MS)               /* without a packet: nobody plays into it */
#define LET_GO (10 * NS_PER_S)                 /* likewise, when the file has no name any more */

/* Opens what the path leads to, whatever its size. 0: it serves; else -errno and `waiting`. */
static int find(struct shm_file *f, const char *path, char *waiting, size_t size)
{
    char told[LOG_PATH];
    waiting[0] = '\0';
    const int ret = shm_file_open(f, path, waiting, size);
    if (ret < 0 || f->size >= SMALLEST)
        return ret;
    if (f->size == 0)
        snprintf(waiting, size, "%s is empty (yet); the guest's QEMU makes it larger",
                 log_path(told, path));
    else
        snprintf(waiting, size,
                 "%s has %llu bytes (yet), too few for any guest; its QEMU makes it larger",
                 log_path(told, path), (unsigned long long)f->size);
    return -ENODATA;
}

/* What is wrong with the file itself: when that changes there are news of it. */
static bool is_lasting(int err)
{
    static const int lasting[] = {ENOENT, ENOTDIR, EACCES, EISDIR, EINVAL, ENODATA};
    for (size_t i = 0; i < sizeof lasting / sizeof lasting[0]; i++)
        if (err == -lasting[i])
            return true;
    return false;
}

/* Likewise, of which news will come, too. True: it serves. */
static bool find_and_watch(struct shm_place *p, char *waiting, size_t size)
{
    int err = find(&p->file, p->path, waiting, size);
    if (p->file.fd >= 0) {
        path_watch_file(&p->watch, p->file.fd);
        if (err < 0) { /* it may have grown meanwhile */
            shm_file_close(&p->file);
            err = find(&p->file, p->path, waiting, size);
        }
    }
    p->passing = err < 0 && !is_lasting(err);
    return err == 0;
}

static int64_t next_look(const struct shm_place *p, int64_t now)
{
    return p->watch.complete && !p->passing ? INT64_MAX : now + LOOK;
}

void shm_place_open(struct shm_place *p, const char *path, char *waiting, size_t size)
{
    *p = (struct shm_place){.path = path};
    path_watch_open(&p->watch, path);
    p->usable = find_and_watch(p, waiting, size);
    p->heard = clock_now();
    p->look_at = next_look(p, p->heard);
}

void shm_place_close(struct shm_place *p)
{
    path_watch_close(&p->watch);
    shm_file_close(&p->file);
}

enum holder { HELD, HELD_BY_NOBODY, HELD_PERHAPS };

/*
 * Has anybody else the file open for writing? Who has not is granted a lease on it, if the file is
 * his own. The signal that others' opening would make in between is one that does nothing.
 */
static enum holder holder_of(int fd)
{
    if (fcntl(fd, F_SETSIG, SIGURG) < 0)
        return HELD_PERHAPS;
    if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
        return errno == EAGAIN ? HELD : HELD_PERHAPS;
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return HELD_BY_NOBODY;
}

/* The path leads elsewhere or nowhere; who has the old file mapped may write on. */
static int look_at_old(struct shm_place *p, bool gone, uint64_t packets, int64_t now)
{
    if (packets != p->packets)
        p->heard = now;
    p->packets = packets;
    const int64_t quiet = now - p->heard;
    enum holder holder = HELD;
    if (gone && quiet >= CEASED)
        holder = holder_of(p->file.fd);
    if (!gone && quiet >= CEASED)
        return -ESTALE;
    if (holder == HELD_BY_NOBODY || (holder == HELD_PERHAPS && quiet >= LET_GO))
        return -ESTALE;
    p->look_at = now + (quiet >= CEASED ? LOOK : CEASED);
    return 0;
}

/* 0 while it is still the file to read. */
static int look_at_usable(struct shm_place *p, uint64_t packets, int64_t now)
{
    struct stat st;
    if (fstat(p->file.fd, &st) < 0)
        return -errno;
    if (st.st_size < SMALLEST)
        return -ESTALE;
    const bool gone = stat(p->path, &st) < 0;
    if (gone || st.st_dev != p->file.device || st.st_ino != p->file.inode)
        return look_at_old(p, gone, packets, now);
    return 0;
}

int shm_place_tend(struct shm_place *p, uint64_t packets, int64_t now, char *waiting, size_t size)
{
    const bool news = path_watch_take(&p->watch, now);
    if (!news && now < p->look_at)
        return 0;
    if (news && p->usable)
        path_watch_file(&p->watch, p->file.fd);
    p->look_at = next_look(p, now);
    if (p->usable)
        return look_at_usable(p, packets, now);
    shm_file_close(&p->file);
    const bool found = find_and_watch(p, waiting, size);
    p->look_at = next_look(p, now);
    return found ? -ESTALE : 0;
}

int64_t shm_place_due(const struct shm_place *p)
{
    const int64_t rested = path_watch_due(&p->watch);
    return rested < p->look_at ? rested : p->look_at;
}
