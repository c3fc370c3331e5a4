/* What has to hold in every case of a model; the first that does not ends it. */
#ifndef SCREAM_REQUIRE_H
#define SCREAM_REQUIRE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static inline void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

#endif
