#include "output.h"

#include <string.h>

const struct output_driver *output_find(const char *name)
{
    for (const struct output_driver *const *d = output_table; *d; d++)
        if (strcmp((*d)->name, name) == 0)
            return *d;
    return NULL;
}

void output_fail(struct output *o, int error)
{
    int none = 0;
    atomic_compare_exchange_strong(&o->failure, &none, error);
    notifier_raise(o->notifier, NOTIFY_OUTPUT);
}
