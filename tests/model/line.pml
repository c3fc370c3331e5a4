/*
 * The arrival line's sequence lock (src/stream.c, publish_line() and stream_line()), for spin: one writer, one
 * reader, any interleaving of them, and any stale value that C11 lets an atomic load give.
 *
 * Weak memory, by views, as in ring.pml; with the writer's release fence, which later relaxed stores carry
 * with them, and the reader's acquire fence, which makes known what earlier relaxed loads have met. Two fields
 * stand for all. Message k of a field is what write k has put there, message v of the sequence is the value v.
 */
#ifndef WRITES
#define WRITES 3
#endif

/* as in the source */
#define RELAXED 0
#define ACQUIRE 1
#define RELEASE 1

/* the memory: the newest message of each, and which ones of the others are known by who acquires it */
byte seq, one, two;
byte seq_says_one[2 * WRITES + 1], seq_says_two[2 * WRITES + 1];
byte one_says_seq[WRITES + 1], one_says_two[WRITES + 1];
byte two_says_seq[WRITES + 1], two_says_one[WRITES + 1];

/* what the writer knew at its latest fence: it stores to all of them itself, so that it knows the newest */
byte fence_seq, fence_one, fence_two;

/* what the reader knows: it loads nothing older; and what it will know by its next fence */
byte seen_seq, seen_one, seen_two;
byte met_seq, met_one, met_two;

#define RAISE(to, by)   to = (by > to -> by : to)

/* Any message from the latest known to the newest one. */
#define LOAD(value, of)                                 \
    value = seen_##of;                                  \
    do                                                  \
    :: value < of -> value++                            \
    :: break                                            \
    od;                                                 \
    seen_##of = value

proctype writer()
{
    do
    :: one < WRITES ->
        atomic {
            seq++;
            seq_says_one[seq] = fence_one;
            seq_says_two[seq] = fence_two;
            if
            :: OPEN_FENCE == RELEASE -> fence_seq = seq; fence_one = one; fence_two = two
            :: else
            fi
        }
        atomic {
            one++;
            one_says_seq[one] = fence_seq;
            one_says_two[one] = fence_two
        }
        atomic {
            two++;
            two_says_seq[two] = fence_seq;
            two_says_one[two] = fence_one
        }
        atomic {
            seq++;
            seq_says_one[seq] = (CLOSE_SEQ == RELEASE -> one : fence_one);
            seq_says_two[seq] = (CLOSE_SEQ == RELEASE -> two : fence_two)
        }
    :: else -> break
    od
}

proctype reader()
{
    byte before, first, second, after;
    do
    :: true ->
        atomic {
            LOAD(before, seq);
            RAISE(met_one, seq_says_one[before]);
            RAISE(met_two, seq_says_two[before]);
            if
            :: READ_SEQ == ACQUIRE ->
                RAISE(seen_one, seq_says_one[before]);
                RAISE(seen_two, seq_says_two[before])
            :: else
            fi
        }
        atomic {
            LOAD(first, one);
            RAISE(met_seq, one_says_seq[first]);
            RAISE(met_two, one_says_two[first])
        }
        atomic {
            LOAD(second, two);
            RAISE(met_seq, two_says_seq[second]);
            RAISE(met_one, two_says_one[second])
        }
        atomic {
            if
            :: READ_FENCE == ACQUIRE ->
                RAISE(seen_seq, met_seq);
                RAISE(seen_one, met_one);
                RAISE(seen_two, met_two)
            :: else
            fi;
            LOAD(after, seq);
            assert(before % 2 == 1 || before != after || (first == second && first == before / 2));
            before = 0; first = 0; second = 0; after = 0
        }
    od
}

init {
    atomic {
        run writer();
        run reader()
    }
}
