/*
 * The shared-memory file as the host sees it. It is read by pread(), never mapped: whoever owns it
 * may truncate it at any moment, which makes a mapping fault and a pread() come back short.
 *
 * What the guest stores lies in the page cache, from which pread() copies, on tmpfs (/dev/shm),
 * hugetlbfs and disks alike. One pread() follows another in program order, and the kernel takes a
 * page's reference by a fully ordered atomic in each: what the first one saw is not newer than
 * what the second one sees. A field of two bytes is copied in one piece by all kernels that we
 * know of, but nothing promises it; see shm_ring_look(). Character devices (/dev/uio*) and PCI
 * resource files cannot be read so; a guest's memory is not found there in the set-ups that this
 * program serves.
 */
#ifndef SCREAM_IVSHMEM_FILE_H
#define SCREAM_IVSHMEM_FILE_H

#include "ivshmem_header.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct shm_file {
    int fd;
    const char *path; /* the caller's */
    dev_t device;
    ino_t inode;
    uint64_t size; /* as of the latest shm_file_refresh() */
};

/* Control thread. 0, or -errno with nothing left open and `why`. An empty file is fine. */
int shm_file_open(struct shm_file *f, const char *path, char *why, size_t size);
void shm_file_close(struct shm_file *f);

/* Its size may have changed. 0, or -ESTALE when it was cut to nothing: its owner starts anew. */
int shm_file_refresh(struct shm_file *f);

/* All n bytes from there: 1; the file ends before: 0; -errno. */
int shm_file_read(const struct shm_file *f, void *to, uint32_t n, uint64_t from);

#endif
