/* The ratio that a resampled recording was played at, and how true it is. Pure but for memory. */
#ifndef SCREAM_LISTEN_PACING_H
#define SCREAM_LISTEN_PACING_H

#include "listen_judge.h"

/* 0 or -ENOMEM. */
int pacing_measure(struct pacing *p, const struct track_request *request,
                   const struct run_list *runs);

#endif
