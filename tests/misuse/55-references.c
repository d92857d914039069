// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 55
// title: object freed by its driver, or put by a borrower
// rust: b
// wrong: OBJECT_FREED C: 'bo' goes with its last reference: give it up with drm_shmem_put\(\)
// wrong: FREED_BY_SCOPE C: 'bo' goes with its last reference: give it up with drm_shmem_put\(\)
// wrong: FREED_BY_STEP C: 'bo' goes with its last reference
// wrong: DEVICE_FREED C: 'foo' goes with its last reference
// wrong: BORROWED_PUT C: drm_gem_object_put\(\) puts a reference that drm_vmap_gem\(\) did not take
// wrong: DEVICE_PUT C: drm_dev_put\(\) puts a reference that drm_dev_ctx_reg_drm\(\) did not take
// wrong: QUEUE_ENDS_AS_OBJECT C: 'queue' is no object with a struct drm_shmem_obj, and __free\(drm_shmem\) takes it for one
// wrong: OBJECT_ENDS_AS_ID C: 'bo' is no object with a struct drm_dev_ctx_id_obj, and __free\(drm_dev_ctx_id\) takes it for one
// wrong: ARRAY_ENDS_AS_OBJECT C: 'bos' is no object with a struct drm_shmem_obj, and __free\(drm_shmem\) takes it for one
// wrong: OBJECT_ENDS_AS_ARRAY C: 'bo' is no array of DRM_SHMEM_OBJS\(\), and __free\(drm_shmem_objs\) takes it for one
// wrong: VM_ENDS_AS_VM_BO B: incompatible
// wrong: VM_BO_ENDS_AS_VM B: incompatible
// wrong: OBJECT_ENDS_AS_TOKEN B: incompatible
// wrong: TABLE_ENDS_AS_MAPPING B: no member named '__only_owned_handles_are_filled_moved_or_released'
// checked: QUEUE_ENDS_AS_OBJECT: A driver gives a variable the ``__free()`` of another kind of object.

#include <linux/slab.h>

#include "drm_dev_ctx_ids.h"
#include "foo.h"

/* What a client names by an id, and objects that were looked up at once */
struct foo_queue {
	struct drm_dev_ctx_id_obj obj;
};

struct foo_queues {
	DRM_DEV_CTX_IDS(struct foo_queue);
};

struct foo_bos {
	DRM_SHMEM_OBJS(struct foo_bo);
};

struct foo_copy {
	struct foo_ring_owned ring;
	struct drm_shmem_sgt_owned table;
};

int foo_bo_peek(struct drm_file *file, u32 handle)
{
#if defined(OBJECT_FREED)
	struct foo_bo *bo = drm_shmem_lookup(&foo_bo_type, file, handle);
	int ret = PTR_ERR_OR_ZERO(bo);

	if (!ret)
		kfree(bo);
	return ret;
#elif defined(FREED_BY_SCOPE)
	struct foo_bo *bo __free(kfree) = drm_shmem_lookup(&foo_bo_type, file, handle);

	return PTR_ERR_OR_ZERO(bo);
#else
	struct foo_bo *bo __free(drm_shmem) = drm_shmem_lookup(&foo_bo_type, file, handle);

	return PTR_ERR_OR_ZERO(bo);
#endif
}

/* &drm_shmem_obj_ops.fini: the library frees the memory */
void foo_bo_end(struct drm_shmem_obj *obj)
{
	struct foo_bo *bo = drm_shmem_from_obj(&foo_bo_type, obj);

	bo->flags = 0;
#if defined(FREED_BY_STEP)
	kfree(bo);
#endif
}

void foo_end(struct foo_device *foo, struct foo_hw *hw)
{
	kfree(hw);
#if defined(DEVICE_FREED)
	kfree(foo);
#endif
}

bool foo_ring_is_imported(const struct foo_ring_owned *ring)
{
	struct drm_gem_object *gem = drm_vmap_gem(ring);
	bool imported = gem && drm_gem_is_imported(gem);

#if defined(BORROWED_PUT)
	if (gem)
		drm_gem_object_put(gem);
#endif
	return imported;
}

bool foo_is_gone(const struct foo_reg *reg)
{
	struct drm_device *drm = drm_dev_ctx_reg_drm(&reg->base);
	bool gone = drm_dev_is_unplugged(drm);

#if defined(DEVICE_PUT)
	drm_dev_put(drm);
#endif
	return gone;
}

/* The end of a variable, at the end of its scope */
int foo_queue_peek(struct foo_queues *queues, u32 id)
{
#if defined(QUEUE_ENDS_AS_OBJECT)
	struct foo_queue *queue __free(drm_shmem) = drm_dev_ctx_id_lookup(queues, id);
#else
	struct foo_queue *queue __free(drm_dev_ctx_id) = drm_dev_ctx_id_lookup(queues, id);
#endif

	return PTR_ERR_OR_ZERO(queue);
}

int foo_bo_find(struct drm_file *file, u32 handle)
{
#if defined(OBJECT_ENDS_AS_ID)
	struct foo_bo *bo __free(drm_dev_ctx_id) = drm_shmem_lookup(&foo_bo_type, file, handle);
#elif defined(OBJECT_ENDS_AS_ARRAY)
	struct foo_bo *bo __free(drm_shmem_objs) = drm_shmem_lookup(&foo_bo_type, file, handle);
#elif defined(OBJECT_ENDS_AS_TOKEN)
	struct foo_bo *bo __free(drm_dev_ctx_unreg) = drm_shmem_lookup(&foo_bo_type, file, handle);
#else
	struct foo_bo *bo __free(drm_shmem) = drm_shmem_lookup(&foo_bo_type, file, handle);
#endif

	return PTR_ERR_OR_ZERO(bo);
}

int foo_bos_find(struct drm_file *file, const u32 *handles, u32 count)
{
#if defined(ARRAY_ENDS_AS_OBJECT)
	struct foo_bos *bos __free(drm_shmem) =
		drm_shmem_lookup_handles(&foo_bo_type, foo_bos, file, handles, count);
#else
	struct foo_bos *bos __free(drm_shmem_objs) =
		drm_shmem_lookup_handles(&foo_bo_type, foo_bos, file, handles, count);
#endif

	return PTR_ERR_OR_ZERO(bos);
}

int foo_vm_obtain(struct foo_vm *vm, struct foo_bo *bo)
{
#if defined(VM_ENDS_AS_VM_BO)
	struct drm_gpuvm_imm *shared __free(drm_gpuvm_imm_bo) = drm_gpuvm_imm_get(vm->core);
#else
	struct drm_gpuvm_imm *shared __free(drm_gpuvm_imm) = drm_gpuvm_imm_get(vm->core);
#endif
#if defined(VM_BO_ENDS_AS_VM)
	struct drm_gpuvm_bo *vm_bo __free(drm_gpuvm_imm) =
		drm_gpuvm_imm_obtain(&foo_vm_type, shared, bo, NULL);
#else
	struct drm_gpuvm_bo *vm_bo __free(drm_gpuvm_imm_bo) =
		drm_gpuvm_imm_obtain(&foo_vm_type, shared, bo, NULL);
#endif

	return PTR_ERR_OR_ZERO(vm_bo);
}

void foo_copy_end(struct foo_copy *copy)
{
	drm_vmap_cleanup(&copy->ring);
#if defined(TABLE_ENDS_AS_MAPPING)
	drm_vmap_cleanup(&copy->table);
#else
	drm_shmem_sgt_cleanup(&copy->table);
#endif
}
