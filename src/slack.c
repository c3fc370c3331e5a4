#include "slack.h"

#include "clock.h"

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void forget_recent(struct slack *s)
{
    s->former = s->recent = INT64_MIN;
    s->spanned = 0;
}

/* What is kept for a lateness: as much again, for nobody has seen the worst of it yet. */
static int64_t kept_for(int64_t used)
{
    return greater(SLACK_LEAST_NS, SLACK_KEEP_NS + used + greater(used, 0));
}

/* So little left that it was near a dropout. */
static int64_t near_one(const struct slack *s)
{
    return greater(SLACK_NEAR_NS, s->amount / SLACK_NEAR_OF);
}

static void set(struct slack *s, int64_t amount)
{
    s->amount = smaller(amount, SLACK_MOST_NS);
}

/* It is about to grow: as it was before, for what comes in a row may turn out to be one loss. */
static void remember(struct slack *s)
{
    if (s->grown.since >= SLACK_LOST_NS)
        s->grown =
            (struct slack_grown){s->amount, s->ceiling, s->window, s->worst, s->before, s->step, 0};
}

/* Too little was kept, or nearly: it takes twice as long until some is given back again. */
static void regret(struct slack *s)
{
    s->window = smaller(2 * s->window, SLACK_WINDOW_MOST_NS);
    s->before = greater(s->before, s->worst);
    s->worst = INT64_MIN;
    s->passed = 0;
}

/* More than nearly all of it was needed: up to where it has been, more is kept at once. */
static void take_worst(struct slack *s, int64_t used)
{
    s->worst = greater(s->worst, used);
    if (used <= s->amount / SLACK_USED_OF * SLACK_USED || s->amount >= s->ceiling)
        return;
    remember(s);
    if (used > s->amount - near_one(s))
        regret(s);
    set(s, smaller(kept_for(used), s->ceiling));
}

static void note_worst(struct slack *s, int64_t used, int64_t dt)
{
    s->spanned += dt;
    s->recent = greater(s->recent, used);
    if (s->spanned < SLACK_RECENT_NS)
        return;
    if (s->former > INT64_MIN)
        take_worst(s, s->former);
    s->former = s->recent;
    s->recent = INT64_MIN;
    s->spanned = 0;
}

static void give_back(struct slack *s)
{
    const int64_t worst = greater(s->worst, s->before);
    s->before = s->worst;
    s->worst = INT64_MIN;
    s->passed = 0;
    if (worst == INT64_MIN)
        return;
    const int64_t wanted = kept_for(worst);
    if (s->amount - wanted < greater(SLACK_WORTH_NS, s->amount / SLACK_WORTH_OF))
        return;
    s->ceiling = s->amount;
    set(s, wanted);
}

void slack_init(struct slack *s, int64_t first)
{
    *s = (struct slack){.amount = first,
                        .ceiling = first,
                        .since = SLACK_SOON_NS,
                        .grown.since = SLACK_LOST_NS,
                        .window = SLACK_WINDOW_NS,
                        .worst = INT64_MIN,
                        .before = INT64_MIN};
    forget_recent(s);
}

/* Nothing came of it; but for luck it would have been a dropout. */
static void count_near(struct slack *s)
{
    s->near = false;
    if (s->amount >= s->ceiling) { /* else it has grown by what was seen */
        regret(s);
        set(s, s->amount + SLACK_STEP_NS);
    }
}

void slack_note(struct slack *s, int64_t used, int64_t dt)
{
    s->passed += dt;
    s->since += dt;
    s->grown.since += dt;
    note_worst(s, used, dt);
    const int64_t left = s->amount - used;
    if (s->near && left > near_one(s)) {
        s->spared += dt;
        if (s->spared >= SLACK_LOST_NS)
            count_near(s);
    } else if (s->passed > s->window) {
        give_back(s);
    } else if (left >= 0 && left < near_one(s)) {
        s->near = true;
        s->spared = 0;
    }
}

void slack_dropout(struct slack *s, int64_t silence)
{
    forget_recent(s);
    s->near = false;
    if (silence > SLACK_STALL_NS || s->since < SLACK_ONE_NS)
        return;
    remember(s);
    s->step = s->since < SLACK_SOON_NS ? 2 * s->step : SLACK_STEP_NS;
    s->step = smaller(s->step, SLACK_LEAP_NS);
    s->since = 0;
    set(s, greater(s->amount + s->step, s->ceiling));
    s->worst = greater(s->worst, s->amount - SLACK_KEEP_NS);
    regret(s);
}

void slack_lost(struct slack *s)
{
    slack_paused(s);
    if (s->grown.since >= SLACK_LOST_NS)
        return;
    s->amount = s->grown.amount;
    s->ceiling = s->grown.ceiling;
    s->window = s->grown.window;
    s->step = s->grown.step;
    s->worst = s->grown.worst;
    s->before = s->grown.before;
    s->grown.since = SLACK_LOST_NS;
}

void slack_paused(struct slack *s)
{
    s->near = false;
    forget_recent(s);
}
