#include "workerd/rebuild/rebuild_report.h"

#include <inttypes.h>

static const struct {
	const char *many, *one;
} names[REBUILD_KINDS] = {
	[REBUILD_CALLS] = { "calls", "call" },
	[REBUILD_MESSAGES] = { "messages", "message" },
	[REBUILD_VOICEMAILS] = { "voicemails", "voicemail" },
};

void
rebuild_report_add(struct rebuild_report *r, const struct rebuild_finding *f)
{
	struct rebuild_counts *c = &r->counts[f->kind];
	bool same = !f->missing && !f->different;

	c->ids++;
	c->same += same;
	c->missing += f->missing;
	c->different += f->different;
	c->merged += f->merged;
	if (!same && r->nexamples < REBUILD_EXAMPLES)
		r->examples[r->nexamples++] = *f;
}

static void
print_example(const struct rebuild_finding *f, FILE *to)
{
	(void)fprintf(to, "%s %s %" PRId64 "%s%s%s\n", f->missing ? "missing" : "different",
	    names[f->kind].one, f->dialpad_id, f->merged ? " (merged)" : "",
	    f->columns[0] == '\0' ? "" : ": ", f->columns);
}

void
rebuild_report_print(const struct rebuild_report *r, bool dry_run, FILE *to)
{
	int64_t merged = 0, found = 0;

	for (int k = 0; k < REBUILD_KINDS; k++) {
		const struct rebuild_counts *c = &r->counts[k];

		(void)fprintf(to,
		    "%s: ids=%" PRId64 " same=%" PRId64 " different=%" PRId64 " missing=%" PRId64
		    " merged=%" PRId64 "\n",
		    names[k].many, c->ids, c->same, c->different, c->missing, c->merged);
		merged += c->merged;
		found += c->different + c->missing;
	}
	if (merged > 0)
		(void)fputs(
		    "merged: the log no longer reaches the first event of these; what it still has"
		    " was merged into the row.\n",
		    to);
	for (int i = 0; i < r->nexamples; i++)
		print_example(&r->examples[i], to);
	if (found > r->nexamples)
		(void)fprintf(to, "… and %" PRId64 " more\n", found - r->nexamples);
	if (dry_run)
		(void)fputs("Dry run: nothing was written.\n", to);
}
