#include "plot.h"
void plot(FILE *f, const struct scenario *s, const struct trace *t, const struct verdict *v)
{
    (void)f, (void)s, (void)t, (void)v;
}
