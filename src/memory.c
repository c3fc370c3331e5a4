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

__attribute__((noinline)) void memory_keep_stack(void)
{
    unsigned char below[MEMORY_STACK];
    explicit_bzero(below, sizeof below); /* no compiler leaves it out */
    (void)mlock(below, sizeof below);
}
