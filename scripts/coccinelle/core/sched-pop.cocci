// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/sched: keep an entity that was stopped out of the run queue
//
// drm_sched_entity_kill() takes an entity from its run queue, and then waits for the scheduler to be
// done with it. The scheduler may have taken a job of the entity by then, without having called
// drm_sched_rq_pop_entity(). If the entity has another job, that function puts the entity back into
// the tree, and nothing takes it out again. The driver frees the entity, and the scheduler walks
// freed memory.
//
// Do not put back an entity that was stopped.
//
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
