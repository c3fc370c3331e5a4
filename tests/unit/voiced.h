/*
 * A voice under test with a real stream and player before the outputs of told.h: what the guest, the session
 * and the output's thread would do, by hand.
 */
#ifndef SCREAM_VOICED_H
#define SCREAM_VOICED_H

#include "told.h"
#include "voice.h"

extern const struct pcm_format fast, slow; /* 48 and 44.1 kHz, both 16 bit stereo */

struct voiced {
    struct voice voice;
    struct notifier notifier;
    struct options options;
    int64_t now;
    uint64_t heard; /* frames that were no silence */
    double slower;  /* the output's clock is by so much, as a ratio, */
    double due;     /* and this part of a frame is not asked for yet */
};

/* told begins anew, with a server that answers; only errors are logged, and not for the journal. */
void voiced_open(struct voiced *v);
void voiced_close(struct voiced *v);

/* Of `-o auto`, or of an output that takes every byte. */
void voiced_open_exact(struct voiced *v);

/* The guest's next sound is of that format. */
void voiced_begin(struct voiced *v, const struct pcm_format *f);

/* 10 ms each: the guest sends, the voice turns, the output pulls if it is to. */
void voiced_run(struct voiced *v, int ms, bool sends, bool pulls);

/* The output takes every byte, for so long; the guest's next format is f (NULL: it has none). */
void voiced_take_all(struct voiced *v, int ms, const struct pcm_format *f, bool sends);

/* At least so many frames were no silence; those heard from now on are counted anew. */
void assert_heard(struct voiced *v, uint64_t least);

/* Whether a server that is waited for may have come. */
bool voiced_polled(const struct voiced *v);

#endif
