-- As settings_leased.sql. And on a shared connection nobody may wait long for a lock: the calls behind it wait too.
SELECT
  set_config('enable_seqscan', 'off', true),
  set_config('enable_mergejoin', 'off', true),
  set_config('enable_hashjoin', 'off', true),
  set_config('plan_cache_mode', 'force_generic_plan', true),
  set_config('lock_timeout', '50ms', true)
