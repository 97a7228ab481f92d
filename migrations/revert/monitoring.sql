-- Revert monitoring
--
-- The right belongs to the cluster, which may hold other databases of this project: it goes with
-- the role.

BEGIN;
COMMIT;
