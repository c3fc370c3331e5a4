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

/* Opens what the path leads to, whatever its size. True: it serves; else `waiting`. */
static bool find(struct shm_file *f, const char *path, char *waiting, size_t size)
{
    char told[LOG_PATH];
    waiting[0] = '\0';
    if (shm_file_open(f, path, waiting, size) < 0)
        return false;
    if (f->size >= SMALLEST)
        return true;
    if (f->size == 0)
        snprintf(waiting, size, "%s is empty (yet); the guest's QEMU makes it larger",
                 log_path(told, path));
    else
        snprintf(waiting, size,
                 "%s has %llu bytes (yet), too few for any guest; its QEMU makes it larger",
                 log_path(told, path), (unsigned long long)f->size);
    return false;
}

/* Likewise, of which news will come, too. */
static bool find_and_watch(struct shm_place *p, char *waiting, size_t size)
{
    bool found = find(&p->file, p->path, waiting, size);
    if (p->file.fd < 0)
        return false;
    path_watch_file(&p->watch, p->file.fd);
    if (!found) { /* it may have grown meanwhile */
        shm_file_close(&p->file);
        found = find(&p->file, p->path, waiting, size);
    }
    return found;
}

void shm_place_open(struct shm_place *p, const char *path, char *waiting, size_t size)
{
    *p = (struct shm_place){.path = path};
    path_watch_open(&p->watch, path);
    p->usable = find_and_watch(p, waiting, size);
    p->heard = clock_now();
    p->look_at = p->watch.complete ? INT64_MAX : p->heard + LOOK;
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
    const bool news = path_watch_take(&p->watch);
    if (!news && now < p->look_at)
        return 0;
    if (news && p->usable)
        path_watch_file(&p->watch, p->file.fd);
    p->look_at = p->watch.complete ? INT64_MAX : now + LOOK;
    if (p->usable)
        return look_at_usable(p, packets, now);
    shm_file_close(&p->file);
    return find_and_watch(p, waiting, size) ? -ESTALE : 0;
}
