/*
 * The ring's ordering (src/ring.c), for spin: one producer, one consumer, any interleaving of them, any
 * stale value that C11 lets an atomic load give, from any first index, over the wrap.
 *
 * Weak memory, by views. An atomic store makes a message: its value, and what its thread knew then, if it is
 * a release. A load gives any message that is not older than the latest one which its thread has seen of that
 * variable; if it is an acquire, its thread knows what the message says. Each of the two variables is
 * stored to by one thread only, so its messages are in that thread's order.
 *
 * A slot and an entry of the table are plain memory: who reads one must know of the latest write to it,
 * and who writes one of the other's latest read, else it is a data race. What is known is a set of
 * bits, one for each slot and entry: "the latest write (read) of it". That is all of happens-before that
 * two threads can have, and it is finite.
 *
 * Not modelled: loads that see the future (a load moved behind a later store of its own thread), which acquire
 * and release exclude where they stand as written.
 *
 * The orders are the source's own: tests/model/run gives each as a macro.
 */
#ifndef COUNT
#define COUNT 4 /* slots */
#endif
#define SPAN (2 * COUNT) /* so many values has an index: no two that are compared are further apart than COUNT */

/* as in the source; what is more than either counts as that */
#define RELAXED 0
#define ACQUIRE 1
#define RELEASE 1
#define ACQ_REL 1
#define SEQ_CST 1

#define SLOT(i)  (1 << (i))
#define ENTRY(i) (1 << (COUNT + (i) % COUNT))
#define ALL      ((1 << 2 * COUNT) - 1)

/* the memory */
byte order[COUNT], data[COUNT];
byte written, read; /* the newest message of each */
bool written_there[SPAN], read_there[SPAN]; /* this value was stored, between what the reader has seen and the newest */
short written_says[SPAN], read_says[SPAN]; /* what is known by who acquires it */

/* the producer's */
byte known_read, warm, made;
byte seen_read; /* it loads nothing older */
short reads_known = ALL;

/* the consumer's */
byte taken;
byte seen_written;
short writes_known = ALL;

/* ---- plain accesses, which nobody may be in the middle of: each must be ordered after the other side's ---- */

#define FORGET(known, says, bits)                       \
    known = known & ~(bits);                            \
    f = 0;                                              \
    do                                                  \
    :: f < SPAN -> says[f] = says[f] & ~(bits); f++     \
    :: else -> break                                    \
    od;                                                 \
    f = 0

#define PRODUCER_WRITES(bits)                                                           \
    assert((reads_known & (bits)) == (bits)); /* else it is being read, perhaps */      \
    FORGET(writes_known, written_says, bits)

#define CONSUMER_READS(bits)                                                            \
    assert((writes_known & (bits)) == (bits)); /* else what was there before, perhaps */ \
    FORGET(reads_known, read_says, bits)

/* ---- atomics ---- */

/* Any message from the latest seen to the newest one. */
#define LOAD(value, of, known, how)                     \
    value = seen_##of;                                  \
    do                                                  \
    :: value != of ->                                   \
        of##_there[value] = false;                      \
        of##_says[value] = 0;                           \
        value = (value + 1) % SPAN                      \
    :: of##_there[value] -> break                       \
    od;                                                 \
    seen_##of = value;                                  \
    if                                                  \
    :: how == ACQUIRE -> known = known | of##_says[value] \
    :: else                                             \
    fi

#define STORE(of, value, how)                           \
    do                                                  \
    :: of != value -> of = (of + 1) % SPAN; of##_there[of] = false \
    :: else -> break                                    \
    od;                                                 \
    of##_there[of] = true;                              \
    of##_says[of] = (how == RELEASE -> ALL : 0)

/*
 * What follows is cut into steps so that each has one atomic access at most: plain ones need no steps of
 * their own, for a race is found by what is known, whichever of the two comes first.
 */

/* ---- the producer: claims as many as it likes or gets, fills them, publishes them ---- */

#define NO_ROOM ((index + SPAN - known_read) % SPAN >= COUNT)

proctype producer()
{
    byte claimed, wanted, index, loaded, slot, f;
    do
    :: true ->
        select(wanted : 1 .. COUNT);
        do
        :: claimed < wanted ->
            atomic { /* ring_claim(), once with a load of `read` and for as long as it needs none */
                index = (written + claimed) % SPAN;
                if
                :: NO_ROOM ->
                    LOAD(loaded, read, reads_known, CLAIM_READ);
                    known_read = loaded;
                    loaded = 0;
                    if
                    :: NO_ROOM -> wanted = claimed
                    :: else
                    fi
                :: else
                fi;
                do
                :: claimed < wanted && !NO_ROOM ->
                    slot = order[index % COUNT];
                    PRODUCER_WRITES(SLOT(slot));
                    data[slot] = made;
                    made = (made + 1) % SPAN;
                    claimed++;
                    index = (index + 1) % SPAN;
                    slot = 0
                :: else -> break
                od;
                index = 0
            }
        :: else -> break
        od;
        atomic { /* ring_publish() */
            index = (written + claimed) % SPAN;
            STORE(written, index, PUBLISH_WRITTEN);
            warm = (claimed < warm -> warm - claimed : 0);
            claimed = 0;
            wanted = 0;
            index = 0
        }
        atomic { /* reuse() */
            LOAD(loaded, read, reads_known, REUSE_READ);
            do
            :: known_read != loaded ->
                PRODUCER_WRITES(ENTRY(known_read) | ENTRY(written + warm));
                slot = order[known_read % COUNT];
                order[known_read % COUNT] = order[(written + warm) % COUNT];
                order[(written + warm) % COUNT] = slot;
                known_read = (known_read + 1) % SPAN;
                warm++;
                slot = 0
            :: else -> break
            od;
            loaded = 0;
            assert(warm <= COUNT - (written + SPAN - known_read) % SPAN) /* of the free slots */
        }
    od
}

/* ---- the consumer: looks how many there are, reads some of them, and releases them ---- */

proctype consumer()
{
    byte filled, used, slot, f;
    do
    :: true ->
        atomic { /* ring_filled(), ring_at() */
            LOAD(filled, written, writes_known, FILLED_WRITTEN);
            filled = (filled + SPAN - read) % SPAN;
            assert(filled <= COUNT);
            do
            :: used < filled ->
                CONSUMER_READS(ENTRY(read + used));
                slot = order[(read + used) % COUNT];
                CONSUMER_READS(SLOT(slot));
                assert(data[slot] == taken); /* in order, each once */
                data[slot] = 0;              /* nobody reads it again: fewer states */
                taken = (taken + 1) % SPAN;
                used++;
                slot = 0
            :: used > 0 || filled == 0 -> break
            od;
            filled = 0
        }
        atomic { /* ring_release() */
            slot = (read + used) % SPAN;
            STORE(read, slot, RELEASE_READ);
            used = 0;
            slot = 0
        }
    od
}

init {
    byte i, first;
    atomic {
        select(first : 0 .. (SPAN - 1));
        select(warm : 0 .. COUNT);
        written = first; read = first; known_read = first; seen_read = first; seen_written = first;
        made = first; taken = first;
        written_there[first] = true; read_there[first] = true;
        written_says[first] = ALL; read_says[first] = ALL;
        do
        :: i < COUNT -> order[(first + i) % COUNT] = i; i++
        :: else -> break
        od;
        run producer();
        run consumer()
    }
}
