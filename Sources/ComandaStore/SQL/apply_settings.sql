-- A chunk gives way to another writer of the business sooner than a call does: its worker serves other businesses too.
SELECT set_config('lock_timeout', '1s', true)
