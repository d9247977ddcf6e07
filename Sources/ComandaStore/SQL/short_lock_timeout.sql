-- On a shared connection nobody may wait long for a lock: the calls behind it wait too.
SELECT set_config('lock_timeout', '50ms', true)
