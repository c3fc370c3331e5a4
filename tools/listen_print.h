/* A verdict, for people and for programs. */
#ifndef SCREAM_LISTEN_PRINT_H
#define SCREAM_LISTEN_PRINT_H

#include "listen_judge.h"

#include <stdio.h>

struct report {
    const struct track_request *request;
    const struct run_list *runs;
    const struct verdict *verdict;
};

void print_text(FILE *out, const struct report *r);

/* One JSON object and a newline. */
void print_json(FILE *out, const struct report *r);

#endif
