#include "common/conf/conf_labelled.h"

bool
conf_labelled_next(struct str *list, struct str *label, struct str *secret)
{
	while (list->p != NULL) {
		struct str item = str_trim(str_cut(*list, ',', list));

		if (item.n == 0)
			continue;
		*label = str_cut(item, ':', secret);
		return true;
	}
	return false;
}

static bool
is_label(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return s.n >= 1 && s.n <= CONF_MAX_LABEL;
}

/* Two people under one name could not be told apart; the first two names are apid's own. */
static bool
is_taken(struct str list, struct str label, int before)
{
	struct str other, secret;

	if (str_eq(label, STR("admin")) || str_eq(label, STR("admin-previous")))
		return true;
	for (int i = 0; i < before && conf_labelled_next(&list, &other, &secret); i++) {
		if (str_eq(other, label))
			return true;
	}
	return false;
}

enum err_code
conf_labelled_check(const char *variable, struct str list, struct err *e)
{
	struct str rest = list, label, secret;

	for (int i = 0; conf_labelled_next(&rest, &label, &secret); i++) {
		if (i == CONF_MAX_LABELLED)
			return err_set(e, ERR_INVALID, "%s has more than %d items", variable,
			    CONF_MAX_LABELLED);
		/* What has no colon may be a secret: it is not repeated. */
		if (secret.p == NULL || !is_label(label))
			return err_set(e, ERR_INVALID,
			    "%s: item %d is no label:secret, with a label of a-z, 0-9 and -",
			    variable, i + 1);
		if (is_taken(list, label, i))
			return err_set(e, ERR_INVALID, "%s: the label \"%.*s\" is taken", variable,
			    STR_ARG(label));
		if (secret.n < CONF_LABELLED_MIN_SECRET)
			return err_set(e, ERR_INVALID,
			    "%s: the secret of \"%.*s\" is %zu bytes long: it must have %d or more",
			    variable, STR_ARG(label), secret.n, CONF_LABELLED_MIN_SECRET);
	}
	return ERR_OK;
}
