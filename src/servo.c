#include "servo.h"

#include <math.h>

#define LOWPASS_FACTOR                                                                             \
    20 /* their bandwidth over the loop's: far enough above it to keep it stable */

void servo_init(struct servo *s)
{
    *s = (struct servo){.ratio = 1};
}

static double clamp(double x, double limit)
{
    return x > limit ? limit : x < -limit ? -limit : x;
}

static double bandwidth(double age)
{
    if (age < SERVO_WIDE_S)
        return SERVO_WIDE_HZ;
    const double hz = SERVO_WIDE_HZ * SERVO_WIDE_S / age;
    return hz > SERVO_NARROW_HZ ? hz : SERVO_NARROW_HZ;
}

static double filter(struct servo *s, double error, double w, double dt)
{
    const double step = LOWPASS_FACTOR * w * dt, k = step / (1 + step); /* stable for any step */
    s->low[0] += k * (error - s->low[0]);
    s->low[1] += k * (s->low[0] - s->low[1]);
    return s->low[1];
}

double servo_step(struct servo *s, double source, double error, double dt)
{
    s->age += dt;
    const double w = 2 * M_PI * bandwidth(s->age);
    const double e = filter(s, error, w, dt);
    s->integral = clamp(s->integral + w * w * e * dt, SERVO_INTEGRAL);
    const double wanted = clamp(source - 1 + 2 * w * e + s->integral, SERVO_CLAMP);
    s->ratio += clamp(1 + wanted - s->ratio, SERVO_SLEW * dt);
    return s->ratio;
}

void servo_settle(struct servo *s)
{
    s->low[0] = s->low[1] = 0;
}

void servo_shift(struct servo *s, double by)
{
    s->low[0] -= by;
    s->low[1] -= by;
}

void servo_renew(struct servo *s)
{
    servo_settle(s);
    if (s->age > SERVO_WIDE_S)
        s->age = SERVO_WIDE_S;
}
