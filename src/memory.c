#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t whole_pages(size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1) / page * page;
}

void *memory_take(size_t bytes)
{
    const size_t all = whole_pages(bytes);
    void *memory = aligned_alloc((size_t)sysconf(_SC_PAGESIZE), all);
    if (!memory)
        return NULL;
    memset(memory, 0, all);
    (void)mlock(memory, all);
    return memory;
}

void memory_give(void *memory, size_t bytes)
{
    if (memory)
        munlock(memory, whole_pages(bytes)); /* malloc keeps them for others */
    free(memory);
}

void *memory_reserve(size_t bytes, size_t ready)
{
    const size_t all = whole_pages(bytes);
    void *memory = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    (void)madvise(memory, all, MADV_NOHUGEPAGE);
    explicit_bzero(memory, ready); /* a plain store of zeros may be left out */
    (void)mlock2(memory, all, MLOCK_ONFAULT);
    return memory;
}

void memory_release(void *memory, size_t bytes)
{
    if (memory)
        munmap(memory, whole_pages(bytes));
}

__attribute__((noinline)) void memory_keep_stack(void)
{
    unsigned char below[MEMORY_STACK];
    explicit_bzero(below, sizeof below); /* no compiler leaves it out */
    (void)mlock(below, sizeof below);
}
