// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 42
// title: group of objects used before it is initialised
// rust: -
// wrong: RESULT_LOST W: warn_unused_result|unused-result
// wrong: NONE W: nonnull|null passed to a callee
// wrong: COPIED B: assign|read-only
// wrong: UNLOCKED C(context): drm_resv
// run: drm_shmem_shrinker.group_misused: Calls give -EINVAL or do nothing, and no object is on a list. A second init fails.

#include "foo.h"

struct foo_group_device {
	struct foo_device foo;
	struct drm_shmem_shrinker shrinker;
};

struct foo_group_vm {
	struct drm_shmem_group group;
};

int foo_group_vm_init(struct foo_group_device *dev, struct foo_group_vm *vm)
{
#if defined(RESULT_LOST)
	drm_shmem_group_init(&vm->group, &dev->shrinker);
	return 0;
#else
	return drm_shmem_group_init(&vm->group, &dev->shrinker);
#endif
}

void foo_group_vm_replace(struct foo_group_vm *vm, struct foo_group_vm *by)
{
#if defined(COPIED)
	vm->group = by->group;
#else
	drm_shmem_group_fini(&by->group);
	drm_shmem_group_touch(&vm->group);
#endif
}

void foo_group_vm_use(struct foo_group_vm *vm, struct foo_bo *bo)
#if !defined(UNLOCKED)
	__must_hold(drm_resv)
#endif
{
#if defined(NONE)
	drm_shmem_touch_for(&bo->shmem, NULL);
#else
	drm_shmem_touch_for(&bo->shmem, &vm->group);
#endif
}
