-- Verify list_indexes

BEGIN;
SET LOCAL search_path = public;

-- An index that was not built to its end is there, but not valid.
SELECT 1 / (count(*) = 15)::integer FROM pg_index
WHERE indisvalid AND indexrelid = ANY (ARRAY[
	'calls_from_idx',
	'calls_to_idx',
	'calls_target_idx',
	'calls_rare_idx',
	'calls_late_idx',
	'calls_changed_idx',
	'messages_from_idx',
	'messages_to_idx',
	'messages_rare_idx',
	'messages_late_idx',
	'messages_changed_idx',
	'voicemails_from_idx',
	'voicemails_to_idx',
	'voicemails_target_idx',
	'voicemails_late_idx'
]::regclass[]);

ROLLBACK;
