#include "common/base/clock.h"

#include <errno.h>
#include <time.h>

/* The proleptic Gregorian calendar, counted in days from 0001-01-01. */
enum {
	DAYS_400_YEARS = 146097,
	DAYS_100_YEARS = 36524,
	DAYS_4_YEARS = 1461,
	DAYS_UNTIL_1970 = 719162,
};

#define DAY_MS (INT64_C(86400) * 1000)
#define MIN_MS (-DAYS_UNTIL_1970 * DAY_MS) /* 0001-01-01T00:00:00.000Z */
#define MAX_MS INT64_C(253402300799999)    /* 9999-12-31T23:59:59.999Z */

static const int days_before_month[2][13] = {
	{ 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365 },
	{ 0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366 },
};

static int64_t
read_us(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t); /* cannot fail for the two clocks used here */
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
clock_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

int64_t
clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

int64_t
clock_wall_ms(void)
{
	return read_us(CLOCK_REALTIME) / 1000;
}

void
clock_sleep_ms(int64_t ms)
{
	struct timespec left;

	if (ms <= 0)
		return;
	left = (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

static int
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t
days_before_year(int year)
{
	int64_t y = year - 1;

	return y * 365 + y / 4 - y / 100 + y / 400;
}

static int
min_int(int a, int b)
{
	return a < b ? a : b;
}

/* The year that day `day` (from 0001-01-01) lies in; *day becomes the day of that year, from 0. */
static int
year_of_day(int *day)
{
	int d = *day, n400, n100, n4, n1;

	n400 = d / DAYS_400_YEARS;
	d %= DAYS_400_YEARS;
	/* The last century of four, and the last year of four, are a day longer. */
	n100 = min_int(d / DAYS_100_YEARS, 3);
	d -= n100 * DAYS_100_YEARS;
	n4 = d / DAYS_4_YEARS;
	d %= DAYS_4_YEARS;
	n1 = min_int(d / 365, 3);
	*day = d - n1 * 365;
	return n400 * 400 + n100 * 100 + n4 * 4 + n1 + 1;
}

/* `width` digits and the character that follows them; returns what comes next. */
static char *
put(char *at, int width, int value, char after)
{
	for (int i = width; i-- > 0; value /= 10)
		at[i] = (char)('0' + value % 10);
	at[width] = after;
	return at + width + 1;
}

const char *
clock_format_rfc3339(int64_t ms, char out[CLOCK_RFC3339_BYTES])
{
	int day, year, month = 1, in_day;
	const int *before;
	char *at = out;

	ms = ms < MIN_MS ? MIN_MS : ms > MAX_MS ? MAX_MS : ms;
	ms -= MIN_MS; /* not negative from here on, so that / and % round down */
	day = (int)(ms / DAY_MS);
	in_day = (int)(ms % DAY_MS);
	year = year_of_day(&day);
	before = days_before_month[is_leap(year)];
	while (before[month] <= day)
		month++;
	at = put(at, 4, year, '-');
	at = put(at, 2, month, '-');
	at = put(at, 2, day - before[month - 1] + 1, 'T');
	at = put(at, 2, in_day / 3600000, ':');
	at = put(at, 2, in_day / 60000 % 60, ':');
	at = put(at, 2, in_day / 1000 % 60, '.');
	at = put(at, 3, in_day % 1000, 'Z');
	*at = '\0';
	return out;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Exactly `width` digits in [min, max]. Moves *s behind them. */
static bool
take(struct str *s, size_t width, int min, int max, int *out)
{
	int v = 0;

	if (s->n < width)
		return false;
	for (size_t i = 0; i < width; i++) {
		if (!is_digit(s->p[i]))
			return false;
		v = v * 10 + (s->p[i] - '0');
	}
	*s = (struct str){ s->p + width, s->n - width };
	*out = v;
	return v >= min && v <= max;
}

static bool
take_char(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = (struct str){ s->p + 1, s->n - 1 };
	return true;
}

/* ".8247" is 824 ms: what is finer is dropped. No fraction is 0. */
static bool
take_fraction(struct str *s, int *ms)
{
	int unit = 100;

	*ms = 0;
	if (!take_char(s, '.'))
		return true;
	if (s->n == 0 || !is_digit(s->p[0]))
		return false;
	for (; s->n > 0 && is_digit(s->p[0]); unit /= 10) {
		*ms += (s->p[0] - '0') * unit;
		*s = (struct str){ s->p + 1, s->n - 1 };
	}
	return true;
}

/* "Z" or "±hh:mm", in minutes east of UTC. */
static bool
take_offset(struct str *s, int *minutes)
{
	int hh, mm, sign;

	*minutes = 0;
	if (take_char(s, 'Z'))
		return true;
	sign = take_char(s, '-') ? -1 : take_char(s, '+') ? 1 : 0;
	if (sign == 0 || !take(s, 2, 0, 23, &hh) || !take_char(s, ':') || !take(s, 2, 0, 59, &mm))
		return false;
	*minutes = sign * (hh * 60 + mm);
	return true;
}

static bool
take_date(struct str *s, int64_t *days)
{
	int year, month, day;
	const int *before;

	if (!take(s, 4, 1, 9999, &year) || !take_char(s, '-') || !take(s, 2, 1, 12, &month)
	    || !take_char(s, '-'))
		return false;
	before = days_before_month[is_leap(year)];
	if (!take(s, 2, 1, before[month] - before[month - 1], &day))
		return false;
	*days = days_before_year(year) + before[month - 1] + day - 1;
	return true;
}

static bool
take_time(struct str *s, int *ms)
{
	int hh, mm, ss, fraction;

	if (!take(s, 2, 0, 23, &hh) || !take_char(s, ':') || !take(s, 2, 0, 59, &mm)
	    || !take_char(s, ':') || !take(s, 2, 0, 59, &ss) || !take_fraction(s, &fraction))
		return false;
	*ms = ((hh * 60 + mm) * 60 + ss) * 1000 + fraction;
	return true;
}

bool
clock_parse_rfc3339(struct str s, int64_t *ms)
{
	int64_t days, at;
	int in_day, offset;

	if (!take_date(&s, &days) || !take_char(&s, 'T') || !take_time(&s, &in_day)
	    || !take_offset(&s, &offset) || s.n != 0)
		return false;
	at = MIN_MS + days * DAY_MS + in_day - offset * INT64_C(60000);
	/* An offset can lead out of the years that can be printed. */
	if (at < MIN_MS || at > MAX_MS)
		return false;
	*ms = at;
	return true;
}
