"""Everything that migrations make in a database, as text that can be compared."""

from __future__ import annotations

from psycopg import Connection

# But for the days of the partitioned tables.
SHAPE = """
WITH ours AS (
    SELECT * FROM pg_class WHERE relnamespace = 'public'::regnamespace
        AND NOT relispartition AND relkind IN ('r', 'p', 'v')
)
SELECT 'relation', ours.oid::regclass::text,
    concat_ws(' ', relkind, relrowsecurity, relforcerowsecurity,
        coalesce(relacl, acldefault('r', relowner)), reloptions)
FROM ours
UNION ALL
SELECT 'column', concat_ws('.', attrelid::regclass, attname),
    concat_ws(' ', format_type(atttypid, atttypmod), attnotnull, attidentity, attacl,
        pg_get_expr(adbin, adrelid))
FROM ours JOIN pg_attribute ON attrelid = ours.oid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'view', ours.oid::regclass::text, pg_get_viewdef(ours.oid)
FROM ours WHERE relkind = 'v'
UNION ALL
SELECT 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid)
FROM ours JOIN pg_index ON indrelid = ours.oid
UNION ALL
SELECT 'constraint', concat_ws('.', conrelid::regclass, conname), pg_get_constraintdef(c.oid)
FROM ours JOIN pg_constraint c ON conrelid = ours.oid
UNION ALL
SELECT 'policy', concat_ws('.', polrelid::regclass, polname),
    concat_ws(' ', polcmd, polroles::regrole[], pg_get_expr(polqual, polrelid),
        pg_get_expr(polwithcheck, polrelid))
FROM ours JOIN pg_policy ON polrelid = ours.oid
UNION ALL
SELECT 'function', oid::regprocedure::text,
    concat_ws(' ', pg_get_functiondef(oid), coalesce(proacl, acldefault('f', proowner)))
FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT 'setting', setrole::regrole::text, setting
FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase,
    unnest(setconfig) AS setting
WHERE datname = current_database()
"""


def shape(conn: Connection) -> list[tuple[str, str, str]]:
    return sorted(conn.execute(SHAPE).fetchall())
