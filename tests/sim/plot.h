/* A trace as a picture: latency and ratio over time, SVG. */
#ifndef SCREAM_PLOT_H
#define SCREAM_PLOT_H

#include "verdict.h"

void plot(FILE *f, const struct scenario *s, const struct trace *t, const struct verdict *v);

#endif
