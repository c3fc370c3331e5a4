#include "receiver.h"

#include <string.h>

const struct receiver_driver *receiver_find(const char *name)
{
    for (const struct receiver_driver *const *d = receiver_table; *d; d++)
        if (strcmp((*d)->name, name) == 0)
            return *d;
    return NULL;
}
