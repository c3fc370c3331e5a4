#include "slack.h"

#include "clock.h"

static void forget_recent(struct slack *s)
{
    s->former = s->recent = INT64_MAX;
    s->spanned = 0;
}

static void new_window(struct slack *s)
{
    s->least = INT64_MAX;
    s->passed = 0;
    forget_recent(s);
}

static void note_least(struct slack *s, int64_t left, int64_t dt)
{
    s->spanned += dt;
    if (left < s->recent)
        s->recent = left;
    if (s->spanned < SLACK_RECENT_NS)
        return;
    if (s->former < s->least)
        s->least = s->former;
    s->former = s->recent;
    s->recent = INT64_MAX;
    s->spanned = 0;
}

static void grow(struct slack *s, int64_t by)
{
    s->amount = s->amount + by < SLACK_MOST_NS ? s->amount + by : SLACK_MOST_NS;
    new_window(s);
}

void slack_init(struct slack *s, int64_t first)
{
    *s = (struct slack){.amount = first, .since = SLACK_SOON_NS};
    new_window(s);
}

void slack_note(struct slack *s, int64_t left, int64_t dt)
{
    s->passed += dt;
    s->since += dt;
    note_least(s, left, dt);
    if (s->near && left > SLACK_NEAR_NS) {
        s->near = false;
        grow(s, SLACK_NUDGE_NS);
    } else if (s->passed > SLACK_WINDOW_NS) {
        const int64_t half = s->least == INT64_MAX ? 0 : (s->least - SLACK_KEEP_NS) / 2;
        if (half >= SLACK_WORTH_NS / 2)
            s->amount -= half < s->amount - SLACK_LEAST_NS ? half : s->amount - SLACK_LEAST_NS;
        new_window(s);
    } else if (left >= 0 && left < SLACK_NEAR_NS) {
        s->near = true;
    }
}

void slack_dropout(struct slack *s, int64_t silence)
{
    new_window(s);
    s->near = false;
    if (silence > SLACK_STALL_NS || s->since < SLACK_ONE_NS)
        return;
    s->step = s->since < SLACK_SOON_NS ? 2 * s->step : SLACK_STEP_NS;
    if (s->step > SLACK_LEAP_NS)
        s->step = SLACK_LEAP_NS;
    s->since = 0;
    grow(s, s->step);
}

void slack_paused(struct slack *s)
{
    s->near = false;
    forget_recent(s);
}
