-- The staging table grows by thousands of rows a second and has no statistics to speak of: for this transaction the
-- planner may use nothing but its indexes.
SELECT
  set_config('enable_seqscan', 'off', true),
  set_config('enable_mergejoin', 'off', true),
  set_config('enable_hashjoin', 'off', true),
  set_config('lock_timeout', '5s', true)
