#include "ivshmem_check.h"

#include "../src/clock.h"
#include "../src/findings.h"
#include "../src/log.h"
#include "ivshmem_file.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define SMALLEST (1u << 20) /* bytes: QEMU's devices are no smaller */
#define LOOK_NS  (10 * NS_PER_MS)
#define ENOUGH   25 /* chunks: half a second of sound */

static void owner_text(const struct stat *st, char *buf, size_t size)
{
    const struct passwd *user = getpwuid(st->st_uid);
    const struct group *group = getgrgid(st->st_gid);
    char uid[16], gid[16];
    snprintf(uid, sizeof uid, "%u", (unsigned)st->st_uid);
    snprintf(gid, sizeof gid, "%u", (unsigned)st->st_gid);
    snprintf(buf, size, "of %s:%s, mode %04o", user ? user->pw_name : uid,
             group ? group->gr_name : gid, (unsigned)st->st_mode & 07777u);
}

/* Is there a file that a guest could play into? True: it is open. */
static bool check_file(struct shm_file *file, const char *path, struct findings *f)
{
    char text[256], told[LOG_PATH];
    struct stat st;
    const int err = shm_file_open(file, path, text, sizeof text);
    if (err < 0) {
        findings_add_clause(f, err == -ENOENT ? FINDING_WAITING : FINDING_WRONG, "file", text);
        return false;
    }
    if (fstat(file->fd, &st) == 0)
        owner_text(&st, text, sizeof text);
    if (file->size == 0)
        findings_add(f, FINDING_WAITING, "file",
                     "start the guest; QEMU makes it larger, if it may write to it: see the owner",
                     "%s is empty (yet), %s", log_path(told, path), text);
    else if (file->size < SMALLEST)
        findings_add(f, FINDING_WRONG, "file",
                     "QEMU enlarges an empty file only: delete this one while the guest is off, or "
                     "is it not the device's mem-path?",
                     "%s has %llu bytes only, %s", log_path(told, path),
                     (unsigned long long)file->size, text);
    else
        findings_add(f, FINDING_OK, "file", NULL, "%s: %g MiB, %s", log_path(told, path),
                     (double)file->size / (1 << 20), text);
    if (file->size >= SMALLEST)
        return true;
    shm_file_close(file);
    return false;
}

static enum shm_fault read_header(const struct shm_file *file, struct shm_header *h,
                                  uint32_t *magic)
{
    struct shm_raw raw;
    *magic = 0;
    if (shm_file_read(file, &raw, sizeof raw, 0) <= 0)
        return SHM_ABSENT;
    *magic = shm_header_magic(&raw);
    return shm_header_parse(&raw, file->size, h);
}

/* A guest may be about to write the header: what is wrong must stay so. */
static enum shm_fault settled_header(const struct shm_file *file, struct shm_header *h,
                                     uint32_t *magic)
{
    const struct timespec pause = {.tv_nsec = LOOK_NS};
    enum shm_fault fault = read_header(file, h, magic);
    for (int i = 0; i < 5 && fault != SHM_OK; i++) {
        nanosleep(&pause, NULL);
        fault = read_header(file, h, magic);
    }
    return fault;
}

static bool check_header(const struct shm_file *file, struct shm_header *h, struct findings *f)
{
    char text[160];
    uint32_t magic;
    switch (settled_header(file, h, &magic)) {
    case SHM_OK:
        pcm_format_text(&h->format, text, sizeof text);
        findings_add(f, FINDING_OK, "header", NULL, "%s, %u chunks", text, h->max_chunks);
        return true;
    case SHM_ABSENT:
        snprintf(text, sizeof text,
                 "does the guest play? is UseIVSHMEM in its registry %llu, and has it been "
                 "restarted since?",
                 (unsigned long long)(file->size >> 20));
        findings_add(f, FINDING_WAITING, "header", text, "no magic: no stream has begun in it");
        return false;
    case SHM_FOREIGN:
        findings_add(f, FINDING_WRONG, "header",
                     "is it another device's file, such as Looking Glass'?",
                     "not Scream's: its magic is 0x%08x instead of 0x%08x", magic, SHM_MAGIC);
        return false;
    case SHM_BAD_FORMAT:
        findings_add(f, FINDING_WRONG, "header", "does something else write to this file?",
                     "a rate, width or channel count that no guest has");
        return false;
    default:
        findings_add(f, FINDING_WRONG, "header",
                     "UseIVSHMEM must be the size of the device in MiB, and the file that device's",
                     "its ring does not fit into the file's %llu bytes",
                     (unsigned long long)file->size);
        return false;
    }
}

/* Waits for the index to move, `watch` ns at most. */
static void check_index(const struct shm_file *file, struct shm_header before, int64_t watch,
                        struct findings *f)
{
    const struct timespec pause = {.tv_nsec = LOOK_NS};
    const int64_t begin = clock_now();
    struct shm_header h = before;
    uint32_t chunks = 0, magic;
    int64_t now = begin;
    while (now - begin < watch && chunks < ENOUGH) {
        nanosleep(&pause, NULL);
        now = clock_now();
        if (read_header(file, &h, &magic) != SHM_OK || !shm_header_same(&h, &before))
            continue;
        chunks += (uint32_t)(h.write_idx + h.max_chunks - before.write_idx) % h.max_chunks;
        before = h;
    }
    const double seconds = (double)(now - begin) / NS_PER_S;
    if (chunks > 0)
        findings_add(f, FINDING_OK, "index", NULL,
                     "moves, %.0f chunks a second (50 when it plays all the time)",
                     chunks / seconds);
    else
        findings_add(f, FINDING_WAITING, "index",
                     "does the guest play? one that was reset leaves this until it plays again",
                     "stands still at %u", before.write_idx);
}

void ivshmem_check(const struct receiver_config *config, int64_t watch, struct findings *f)
{
    struct shm_file file;
    struct shm_header header;
    if (!check_file(&file, config->file, f))
        return;
    if (check_header(&file, &header, f))
        check_index(&file, header, watch, f);
    shm_file_close(&file);
}
