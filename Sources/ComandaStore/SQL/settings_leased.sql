-- For this transaction the planner may use nothing but indexes and nested loops. Its tables grow by thousands of rows a
-- second and it has no statistics of that; a plan made when a table was small would stay with its connection. Every
-- statement is planned once: planning anew for the length of an array cost more than running it.
SELECT
  set_config('enable_seqscan', 'off', true),
  set_config('enable_mergejoin', 'off', true),
  set_config('enable_hashjoin', 'off', true),
  set_config('plan_cache_mode', 'force_generic_plan', true),
  set_config('lock_timeout', '5s', true)
