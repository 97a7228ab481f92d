/* common/dialpad/owner and workerd/claim: whose an event of the bare route is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "workerd/claim/claim.h"

static const struct uuid A = { { 1 } }, B = { { 2 } }, C = { { 3 } };

enum { ORG = 51, OFFICE = 61, TARGET = 71 };

static const struct dialpad_owner EVERYTHING = {
	.organisation = ORG, .office = OFFICE, .target = TARGET
};

#define ANY(app)                             \
	{                                    \
		CLAIM_ELIGIBLE, 0, app, true \
	}

/* ---- what is read ---- */

static void
assert_reads(const char *payload, struct dialpad_owner want)
{
	struct dialpad_owner got = { 9, 9, 9 };

	dialpad_owner_read(str_of(payload), &got);
	assert_int_equal(got.organisation, want.organisation);
	assert_int_equal(got.office, want.office);
	assert_int_equal(got.target, want.target);
}

static void
an_organisation_is_known_in_each_spelling(void **state)
{
	const struct dialpad_owner org = { .organisation = ORG };

	(void)state;
	assert_reads("{\"organization_id\":51}", org);
	assert_reads("{\"org_id\":\"51\"}", org);
	assert_reads("{\"company\":{\"id\":51}}", org);
	assert_reads("{\"company_id\":51}", org);
	assert_reads("{\"company\":\"Example\",\"company_id\":51}", org);
}

static void
an_office_is_a_targets_or_the_target_itself(void **state)
{
	(void)state;
	assert_reads("{\"target\":{\"id\":71,\"type\":\"user\",\"office_id\":61}}",
	    (struct dialpad_owner){ .office = OFFICE, .target = TARGET });
	assert_reads("{\"target\":{\"id\":61,\"type\":\"office\"}}",
	    (struct dialpad_owner){ .office = OFFICE, .target = OFFICE });
	assert_reads("{\"target\":{\"id\":71,\"type\":\"user\",\"office_id\":null}}",
	    (struct dialpad_owner){ .target = TARGET });
}

static void
what_cannot_be_read_names_nothing(void **state)
{
	static const char *const odd[] = { NULL, "", "{", "[]", "5", "{}", "{\"target\":5}",
		"{\"target\":[],\"company\":[1]}", "{\"org_id\":{},\"target\":{\"id\":\"x\"}}" };

	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
		assert_reads(odd[i], (struct dialpad_owner){ 0 });
}

/* ---- whose it is ---- */

static void
assert_goes_to(struct uuid app, const struct claim *claims, int n, struct dialpad_owner facts)
{
	struct uuid got = UUID_NIL;
	const char *why = "";

	if (!claim_decide(claims, n, &facts, &got, &why))
		fail_msg("unclaimed: %s", why);
	assert_memory_equal(&got, &app, sizeof app);
}

static void
assert_unclaimed(const char *reason, const struct claim *claims, int n, struct dialpad_owner facts)
{
	struct uuid got = C;
	const char *why = NULL;

	assert_false(claim_decide(claims, n, &facts, &got, &why));
	assert_memory_equal(&got, &C, sizeof C);
	if (strstr(why, reason) == NULL)
		fail_msg("%s, not %s", why, reason);
}

#define COUNT(claims) (int)(sizeof(claims) / sizeof(claims)[0])

static void
the_only_eligible_app_gets_it_whatever_it_names(void **state)
{
	const struct claim only[] = { ANY(A) };

	(void)state;
	assert_goes_to(A, only, COUNT(only), (struct dialpad_owner){ 0 });
	assert_goes_to(A, only, COUNT(only), EVERYTHING);
}

static void
with_none_or_several_eligible_and_no_match_it_is_nobodys(void **state)
{
	const struct claim two[] = { ANY(A), ANY(B) };

	(void)state;
	assert_unclaimed("no app may take", two, 0, EVERYTHING);
	assert_unclaimed("several apps may take", two, COUNT(two), EVERYTHING);
}

static void
each_kind_of_match_decides_and_goes_before_the_next(void **state)
{
	const struct claim claims[] = {
		ANY(A),
		ANY(B),
		{ CLAIM_OFFICE, OFFICE, A, true },
		{ CLAIM_ORGANISATION, ORG, B, true },
		{ CLAIM_OFFICE_RULE, OFFICE, A, true },
		{ CLAIM_TARGET_RULE, TARGET, B, true },
	};

	(void)state;
	assert_goes_to(A, claims, 3, EVERYTHING);
	assert_goes_to(B, claims, 4, EVERYTHING);
	assert_goes_to(A, claims, 5, EVERYTHING);
	assert_goes_to(B, claims, 6, EVERYTHING);
}

static void
claims_on_other_ids_do_not_count(void **state)
{
	const struct claim claims[] = {
		ANY(A),
		ANY(B),
		{ CLAIM_OFFICE, 1, A, true },
		{ CLAIM_ORGANISATION, 2, A, true },
		{ CLAIM_OFFICE_RULE, TARGET, A, true },
		{ CLAIM_TARGET_RULE, OFFICE, A, true },
	};

	(void)state;
	assert_unclaimed("several apps may take", claims, COUNT(claims), EVERYTHING);
	/* An id of 0 is none. */
	assert_unclaimed(
	    "several apps may take", claims, COUNT(claims), (struct dialpad_owner){ 0 });
}

static void
within_one_organisation_the_office_decides(void **state)
{
	const struct claim claims[] = {
		ANY(A),
		ANY(B),
		{ CLAIM_ORGANISATION, ORG, A, true },
		{ CLAIM_ORGANISATION, ORG, B, true },
		{ CLAIM_OFFICE, OFFICE, B, true },
		{ CLAIM_OFFICE, OFFICE, C, true },
	};

	(void)state;
	assert_goes_to(B, claims, COUNT(claims), EVERYTHING);
	assert_unclaimed("organisation", claims, 4, EVERYTHING);
	assert_unclaimed(
	    "organisation", claims, COUNT(claims), (struct dialpad_owner){ .organisation = ORG });
	assert_unclaimed(
	    "office", claims, COUNT(claims), (struct dialpad_owner){ .office = OFFICE });
}

static void
an_office_listed_twice_by_one_app_is_one_match(void **state)
{
	const struct claim claims[] = {
		ANY(A),
		ANY(B),
		{ CLAIM_OFFICE, OFFICE, A, true },
		{ CLAIM_OFFICE, OFFICE, A, true },
	};

	(void)state;
	assert_goes_to(A, claims, COUNT(claims), EVERYTHING);
}

static void
a_rule_for_an_app_that_may_take_none_keeps_it_from_all_others(void **state)
{
	const struct claim claims[] = { ANY(A), { CLAIM_OFFICE_RULE, OFFICE, B, false } };

	(void)state;
	assert_unclaimed("rule", claims, COUNT(claims), EVERYTHING);
	assert_goes_to(A, claims, COUNT(claims), (struct dialpad_owner){ .target = TARGET });
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_organisation_is_known_in_each_spelling),
		cmocka_unit_test(an_office_is_a_targets_or_the_target_itself),
		cmocka_unit_test(what_cannot_be_read_names_nothing),
		cmocka_unit_test(the_only_eligible_app_gets_it_whatever_it_names),
		cmocka_unit_test(with_none_or_several_eligible_and_no_match_it_is_nobodys),
		cmocka_unit_test(each_kind_of_match_decides_and_goes_before_the_next),
		cmocka_unit_test(claims_on_other_ids_do_not_count),
		cmocka_unit_test(within_one_organisation_the_office_decides),
		cmocka_unit_test(an_office_listed_twice_by_one_app_is_one_match),
		cmocka_unit_test(a_rule_for_an_app_that_may_take_none_keeps_it_from_all_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
