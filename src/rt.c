#include "rt.h"

#ifdef RT_CHECK
#include <stdio.h>
#include <stdlib.h>

static _Thread_local int depth; /* the one state that a guard of threads cannot do without */

void rt_enter(void)
{
    depth++;
}

void rt_leave(void)
{
    depth--;
}

void rt_not_allowed(const char *what)
{
    if (depth == 0)
        return;
    depth = 0;
    fprintf(stderr, "scream: %s in the real-time path\n", what);
    abort();
}
#else
typedef int rt_unchecked; /* ISO C wants something in a file */
#endif
