/* Latency of what matched: from the guest's clock to the recorder's. Pure but for memory. */
#ifndef SCREAM_LISTEN_LATENCY_H
#define SCREAM_LISTEN_LATENCY_H

#include "listen_judge.h"

/* Fills v->latency and v->run_latency, which has room for every run. 0 or -ENOMEM. */
int latency_measure(struct verdict *v, const struct track_request *request,
                    const struct run_list *runs);

/* When a frame of a run was heard after it existed in the guest: ns. */
double run_latency_at(const struct track_request *request, const struct run *run, uint64_t offset);

#endif
