// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 50
// title: update that is prepared and never run, or whose result is ignored
// rust: partly
// wrong: RUN_IGNORED W: ignoring return value
// wrong: PREPARE_IGNORED W: ignoring return value
// wrong: NEVER_RUN C: 'update' is prepared and never run
// wrong: FREED_WITH_THE_JOB C: 'job' is freed with its 'update': call drm_gpuvm_imm_update_drop\(\) for it first
// wrong: FREED_AS_THEY_ARE C: 'more' are freed without their end: call drm_gpuvm_imm_update_drop\(\) for each first
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_update_misuse: A full update is not filled again.

#include <linux/slab.h>

#include "foo.h"

/* A job has one update, or many. */
struct foo_job {
	struct drm_gpuvm_imm_update update;
	struct drm_gpuvm_imm_update *more;
	u32 count;
};

void foo_free_job(struct foo_job *job)
{
#if !defined(FREED_AS_THEY_ARE)
	for (u32 i = 0; i < job->count; i++)
		drm_gpuvm_imm_update_drop(&job->more[i]);
#endif
	kvfree(job->more);
#if !defined(FREED_WITH_THE_JOB)
	drm_gpuvm_imm_update_drop(&job->update);
#endif
	kfree(job);
}

int foo_unmap(struct foo_vm *vm, u64 addr, u64 range)
{
	DRM_GPUVM_IMM_UPDATE(update);
	int ret;

#if defined(PREPARE_IGNORED)
	drm_gpuvm_imm_prepare_unmap(drm_gpuvm_imm_shared(vm->core), update, addr, range);
#endif
	ret = drm_gpuvm_imm_prepare_unmap(drm_gpuvm_imm_shared(vm->core), update, addr, range);
	if (ret)
		return ret;
#if defined(RUN_IGNORED)
	drm_gpuvm_imm_run(&foo_vm_type, vm, update, NULL);
	return 0;
#elif defined(NEVER_RUN)
	return 0;
#else
	return drm_gpuvm_imm_run(&foo_vm_type, vm, update, NULL);
#endif
}
