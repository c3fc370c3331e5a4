#include "ivshmem_file.h"

#include "../src/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void explain_open(int err, const char *path, char *why, size_t size)
{
    char told[LOG_PATH];
    path = log_path(told, path);
    if (err == ENOENT)
        snprintf(why, size, "there is no file %s (yet); the guest's QEMU makes it", path);
    else if (err == EACCES)
        snprintf(why, size, "%s may not be read by this user; see `ls -l` of it", path);
    else
        snprintf(why, size, "cannot open %s: %s", path, strerror(err));
}

static int check_kind(const struct stat *st, const char *path, char *why, size_t size)
{
    char told[LOG_PATH];
    if (S_ISREG(st->st_mode))
        return 0;
    snprintf(why, size, "%s is a %s, not the file behind a guest's shared memory",
             log_path(told, path), S_ISDIR(st->st_mode) ? "directory" : "device or pipe");
    return S_ISDIR(st->st_mode) ? -EISDIR : -EINVAL;
}

/* PCI resource files and the like are regular and have a size, but cannot be read. */
static int try_read(const struct shm_file *f, char *why, size_t size)
{
    char byte, told[LOG_PATH];
    const int ret = shm_file_read(f, &byte, 1, 0);
    if (ret >= 0)
        return 0;
    snprintf(why, size, "%s cannot be read: %s", log_path(told, f->path), strerror(-ret));
    return ret;
}

int shm_file_open(struct shm_file *f, const char *path, char *why, size_t size)
{
    /* O_NONBLOCK: a pipe must not hold us up */
    *f = (struct shm_file){.path = path,
                           .fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
    if (f->fd < 0) {
        const int err = errno;
        explain_open(err, path, why, size);
        return -err;
    }
    struct stat st;
    char told[LOG_PATH];
    int ret = fstat(f->fd, &st) < 0 ? -errno : 0;
    if (ret < 0)
        snprintf(why, size, "cannot examine %s: %s", log_path(told, path), strerror(-ret));
    if (ret == 0)
        ret = check_kind(&st, path, why, size);
    if (ret == 0)
        ret = try_read(f, why, size);
    if (ret < 0) {
        shm_file_close(f);
        return ret;
    }
    f->device = st.st_dev;
    f->inode = st.st_ino;
    f->size = (uint64_t)st.st_size;
    return 0;
}

void shm_file_close(struct shm_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

int shm_file_refresh(struct shm_file *f)
{
    const off_t end =
        lseek(f->fd, 0, SEEK_END); /* fstat() is a call with a path in some libraries */
    if (end < 0)
        return -errno;
    if (end == 0 && f->size > 0)
        return -ESTALE;
    f->size = (uint64_t)end;
    return 0;
}

int shm_file_read(const struct shm_file *f, void *to, uint32_t n, uint64_t from)
{
    uint32_t done = 0;
    while (done < n) {
        const ssize_t got = pread(f->fd, (char *)to + done, n - done, (off_t)(from + done));
        if (got == 0)
            return 0;
        if (got < 0 && errno != EINTR)
            return -errno;
        done += got > 0 ? (uint32_t)got : 0;
    }
    return 1;
}
