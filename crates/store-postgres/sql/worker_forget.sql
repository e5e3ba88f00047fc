-- A row in somebody's hands is being written at this moment, or forgotten: nobody waits for it.
DELETE FROM worker
WHERE (id, processor) IN (
    SELECT w.id, w.processor FROM worker AS w
    WHERE w.id <> $1 AND w.forget_at <= clock_timestamp()
    FOR UPDATE SKIP LOCKED
)
