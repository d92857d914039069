// SPDX-License-Identifier: GPL-2.0-only OR MIT
// An entity that was stopped does not come back into the run queue.
// Files: drivers/gpu/drm/scheduler/sched_rq.c

@@
identifier entity, next_job;
statement S1, S2;
@@
 drm_sched_rq_pop_entity(struct drm_sched_entity *entity)
 {
 ...
-if (next_job)
+if (next_job && !entity->stopped)
 	S1
 else
 	S2
 ...
 }
