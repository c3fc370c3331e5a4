/*
 * How a consumer without anything to play goes to sleep and is woken (src/stream.c, stream_commit() and
 * stream_sleep()), for spin: each stores, has a full fence, and looks at what the other one stores. One
 * producer, one consumer, any interleaving of them, and any stale value that C11 lets an atomic load give.
 *
 * Weak memory, by views, as in ring.pml. `asleep` is stored to by both, so that a store need not be its newest one:
 * it comes anywhere behind the latest that its thread knows of. A full fence knows what all full fences before
 * it knew, and no more than that orders what is loaded behind it. The eventfd stays readable until it is read, and
 * who reads it knows what its writers knew: the kernel has a lock for it. That is needed; else what the producer
 * stores to `asleep` when it wakes somebody might come behind what is stored there on going to sleep the next time.
 */
#ifndef RECORDS
#define RECORDS 3
#endif
#define STORES (3 * RECORDS + 3) /* to `asleep`, at most */

/* as in the source */
#define RELAXED 0
#define SEQ_CST 2

/* the memory: how many records have been published, and `asleep` in the order of its stores */
byte written;
byte written_says[RECORDS + 1]; /* which of those is known by who acquires it */
bool asleep[STORES + 1];
byte newest;
bool readable;      /* the eventfd, */
byte readable_says; /* and what its writers knew */

/* what each knows: it loads nothing older; and what full fences do */
byte producer_asleep, consumer_asleep, fences_asleep;
byte consumer_written, fences_written;

byte taken;
byte i;

#define RAISE(to, by)   to = (by > to -> by : to)

/* What was known of keeps its place. */
#define MOVED(index)    index = (index >= at -> index + 1 : index)

#define STORE_ASLEEP(value, known)                      \
    at = known + 1;                                     \
    do                                                  \
    :: at <= newest -> at++                             \
    :: break                                            \
    od;                                                 \
    i = newest;                                         \
    do                                                  \
    :: i >= at -> asleep[i + 1] = asleep[i]; i--        \
    :: else -> break                                    \
    od;                                                 \
    i = 0;                                              \
    do                                                  \
    :: i <= RECORDS -> MOVED(written_says[i]); i++      \
    :: else -> break                                    \
    od;                                                 \
    i = 0;                                              \
    MOVED(producer_asleep);                             \
    MOVED(consumer_asleep);                             \
    MOVED(readable_says);                               \
    MOVED(fences_asleep);                               \
    newest++;                                           \
    asleep[at] = value;                                 \
    known = at;                                         \
    at = 0

proctype producer()
{
    byte at, seen;
    do
    :: written < RECORDS ->
        atomic { /* ring_publish() */
            written++;
            written_says[written] = producer_asleep
        }
        atomic { /* the fence */
            if
            :: COMMIT_FENCE == SEQ_CST ->
                RAISE(producer_asleep, fences_asleep);
                RAISE(fences_asleep, producer_asleep);
                fences_written = written
            :: else
            fi
        }
        atomic {
            seen = producer_asleep;
            do
            :: seen < newest -> seen++
            :: break
            od;
            producer_asleep = seen;
            seen = asleep[seen]
        }
        if
        :: seen ->
            atomic { STORE_ASLEEP(false, producer_asleep); seen = 0 }
            atomic { readable = true; readable_says = producer_asleep }
        :: else
        fi
    :: else -> break
    od
}

proctype consumer()
{
    byte at, seen;
    do
    :: taken < RECORDS ->
        atomic { STORE_ASLEEP(true, consumer_asleep) }
        atomic { /* the fence */
            if
            :: SLEEP_FENCE == SEQ_CST ->
                RAISE(consumer_asleep, fences_asleep);
                RAISE(consumer_written, fences_written);
                RAISE(fences_asleep, consumer_asleep);
                RAISE(fences_written, consumer_written)
            :: else
            fi
        }
        atomic { /* stream_ready(), which acquires what was published */
            seen = consumer_written;
            do
            :: seen < written -> seen++
            :: break
            od;
            consumer_written = seen;
            RAISE(consumer_asleep, written_says[seen])
        }
        if
        :: seen == taken ->
            atomic { /* it sleeps until then */
                readable;
                readable = false;
                RAISE(consumer_asleep, readable_says);
                seen = 0
            }
        :: else ->
            taken = seen;
            atomic { STORE_ASLEEP(false, consumer_asleep); seen = 0 }
        fi
    :: else -> break
    od
}

/* Nobody can go on: it must be because all has been played. */
proctype end()
{
    timeout -> assert(taken == RECORDS)
}

init {
    atomic {
        run producer();
        run consumer();
        run end()
    }
}
