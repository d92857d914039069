// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The two kinds of object and their ioctls.
 */

#include <linux/dma-resv.h>
#include <linux/overflow.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>

#include "edu.h"

const struct edu_bo_base edu_bo_base = {
	.base.name = "edu_bo",
};

static size_t edu_buffer_size(struct edu_bo *bo)
{
	return drm_shmem_size(&bo->shmem);
}

static int edu_buffer_place(struct edu_bo *bo, const struct drm_dev_ctx_bound *bound,
			    const struct drm_shmem_sgt_owned *own, u64 offset,
			    struct edu_place *place)
{
	struct scatterlist *sg;
	int i, ret;

	drm_shmem_sgt_guard_owned(sgt, bound, own, ret) {
		for_each_sgtable_dma_sg(drm_shmem_sgt_table(sgt), sg, i) {
			if (offset < sg_dma_len(sg)) {
				place->addr = sg_dma_address(sg) + offset;
				place->len = sg_dma_len(sg) - offset;
				return 0;
			}
			offset -= sg_dma_len(sg);
		}
		ret = -EFAULT;
	}
	return ret;
}

static const struct edu_bo_ops edu_buffer_ops = {
	.size = edu_buffer_size,
	.place = edu_buffer_place,
};

const struct edu_buffer_type edu_buffer_type = {
	DRM_SHMEM_OBJ_KIND_OF(edu_bo_base, &edu_buffer_ops),
};

struct drm_gem_object *edu_gem_create_object(struct drm_device *drm, size_t size)
{
	return drm_shmem_gem_create_object(&edu_buffer_type);
}

static size_t edu_slot_size(struct edu_bo *bo)
{
	return DRM_EDU_SLOT_SIZE;
}

static u32 edu_slot_addr(const struct edu_slot *slot)
{
	return EDU_FIRST_SLOT + slot->index * DRM_EDU_SLOT_SIZE;
}

static int edu_slot_place(struct edu_bo *bo, const struct drm_dev_ctx_bound *bound,
			  const struct drm_shmem_sgt_owned *own, u64 offset,
			  struct edu_place *place)
{
	place->addr = edu_slot_addr(drm_shmem_kind(&edu_slot_type, bo)) + offset;
	place->len = DRM_EDU_SLOT_SIZE - offset;
	place->in_device = true;
	return 0;
}

static const struct edu_bo_ops edu_slot_ops = {
	.size = edu_slot_size,
	.place = edu_slot_place,
};

static int edu_slot_init(struct drm_shmem_obj *obj)
{
	struct edu_slot *slot = drm_shmem_from_obj(&edu_slot_type, obj);
	struct edu_device *edu = to_edu(drm_shmem_gem(obj)->dev);

	slot->index = ida_alloc_max(&edu->slots, DRM_EDU_NUM_SLOTS - 1, GFP_KERNEL_ACCOUNT);
	return slot->index < 0 ? slot->index : 0;
}

static void edu_slot_fini(struct drm_shmem_obj *obj)
{
	struct edu_slot *slot = drm_shmem_from_obj(&edu_slot_type, obj);

	ida_free(&to_edu(drm_shmem_gem(obj)->dev)->slots, slot->index);
}

static void edu_slot_end(struct edu_job *job, struct edu_hw *hw,
			 const struct drm_dev_ctx_bound *bound, int ret)
{
	struct edu_slot *slot = container_of(job, struct edu_slot, clear.job);
	struct drm_shmem_obj *obj = &slot->bo.shmem;

	drm_shmem_end(obj, &to_edu(drm_shmem_gem(obj)->dev)->ends);
}

/*
 * The slot can be used again once its memory is cleared. When the device goes, there is nothing
 * to clear: the next probe clears everything.
 */
static struct drm_shmem_put_off *edu_slot_release(struct drm_shmem_obj *obj)
{
	struct edu_slot *slot = drm_shmem_from_obj(&edu_slot_type, obj);
	struct edu_device *edu = to_edu(drm_shmem_gem(obj)->dev);
	struct drm_shmem_put_off *later;

	drm_dev_ctx_live_or(live, &edu->ctx, return NULL);

	slot->clear = (struct edu_clear) {
		.job = { .next = edu_clear_next, .end = edu_slot_end },
		.addr = edu_slot_addr(slot),
		.len = DRM_EDU_SLOT_SIZE,
	};
	later = drm_shmem_put_off(obj, &edu->ends);
	if (later && edu_queue(live, &slot->clear.job))
		drm_shmem_end(obj, &edu->ends);
	return later;
}

/* There are no pages that an importer could map. */
static struct dma_buf *edu_slot_export(struct drm_shmem_obj *obj, int flags)
{
	return ERR_PTR(-EPERM);
}

const struct edu_slot_type edu_slot_type = {
	DRM_SHMEM_OBJ_KIND_OF(edu_bo_base, &edu_slot_ops),
	.base.flags = DRM_SHMEM_NO_MMAP,
	.base.init = edu_slot_init,
	.base.release = edu_slot_release,
	.base.fini = edu_slot_fini,
	.base.export = edu_slot_export,
};

static struct edu_bo *edu_buffer_create(struct drm_device *drm, u64 size)
{
	struct edu_buffer_unique *unique = drm_shmem_create(&edu_buffer_type, drm, size, NULL);

	if (IS_ERR(unique))
		return ERR_CAST(unique);
	return &drm_shmem_publish(&edu_buffer_type, &unique)->bo;
}

/* Slots that are being cleared are free soon. */
static struct edu_bo *edu_slot_create(struct drm_device *drm, u64 size)
{
	struct edu_slot_unique *unique;
	int ret = size ? -EINVAL : drm_shmem_ends_wait(&to_edu(drm)->ends, 0);

	if (ret)
		return ERR_PTR(ret);
	unique = drm_shmem_create(&edu_slot_type, drm, DRM_EDU_SLOT_SIZE, NULL);
	if (IS_ERR(unique))
		return ERR_CAST(unique);
	return &drm_shmem_publish(&edu_slot_type, &unique)->bo;
}

static int edu_ioctl_bo_create(struct drm_dev_ctx_ioctl *ioctl, struct drm_edu_bo_create *args,
			       struct drm_file *file)
{
	struct drm_device *drm = drm_dev_ctx_ioctl_drm(ioctl);
	struct edu_bo *bo __free(drm_shmem) = NULL;
	int ret;

	if (args->handle)
		return -EINVAL;
	if (args->kind == DRM_EDU_BUFFER)
		bo = edu_buffer_create(drm, args->size);
	else if (args->kind == DRM_EDU_SLOT)
		bo = edu_slot_create(drm, args->size);
	else
		return -EINVAL;
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	ret = drm_shmem_handle_create(&bo->shmem, file, &args->handle);
	if (!ret)
		args->size = drm_shmem_ops(&edu_bo_base, bo)->size(bo);
	return ret;
}

static int edu_ioctl_bo_mmap_offset(struct drm_dev_ctx_ioctl *ioctl,
				    struct drm_edu_bo_mmap_offset *args, struct drm_file *file)
{
	struct edu_bo *bo __free(drm_shmem) = drm_shmem_lookup(&edu_bo_base, file, args->handle);

	if (IS_ERR(bo))
		return PTR_ERR(bo);
	if (args->pad)
		return -EINVAL;
	return drm_shmem_mmap_offset_interruptible(&bo->shmem, &args->offset);
}

struct edu_map {
	DRM_VMAP(PAGE_SIZE);
};

static int edu_ioctl_bo_fill(struct drm_dev_ctx_ioctl *ioctl, struct drm_edu_bo_fill *args,
			     struct drm_file *file)
{
	struct edu_buffer *buffer __free(drm_shmem) =
		drm_shmem_lookup(&edu_buffer_type, file, args->handle);
	size_t offset;
	int ret;

	if (IS_ERR(buffer))
		return PTR_ERR(buffer);
	drm_vmap_sync_guard_interruptible(edu_map, map, &buffer->bo.shmem, DMA_TO_DEVICE, ret)
		for (offset = 0; offset < drm_vmap_size(map) && !ret; offset += sizeof(u32))
			ret = drm_vmap_try_write32(map, offset, args->value);
	return ret;
}

static int edu_ioctl_bo_label(struct drm_dev_ctx_ioctl *ioctl, struct drm_edu_bo_label *args,
			      struct drm_file *file)
{
	struct edu_bo *bo __free(drm_shmem) = drm_shmem_lookup(&edu_bo_base, file, args->handle);

	if (IS_ERR(bo))
		return PTR_ERR(bo);
	if (args->pad)
		return -EINVAL;
	return drm_shmem_set_label_user(&bo->shmem, u64_to_user_ptr(args->name));
}

static int edu_ioctl_wait(struct drm_dev_ctx_ioctl *ioctl, struct drm_edu_wait *args,
			  struct drm_file *file)
{
	struct edu_bos *bos __free(drm_shmem_objs) =
		drm_shmem_lookup_user(&edu_bo_base, edu_bos, file, u64_to_user_ptr(args->handles),
				      args->count, DRM_EDU_MAX_HANDLES);
	long left = msecs_to_jiffies(args->timeout_ms);
	struct edu_bo *bo;
	u32 i;

	if (IS_ERR(bos))
		return PTR_ERR(bos);
	drm_shmem_objs_for_each(i, bo, bos) {
		left = dma_resv_wait_timeout(drm_shmem_gem(&bo->shmem)->resv,
					     DMA_RESV_USAGE_READ, true, left);
		if (left <= 0)
			return left ?: -ETIME;
	}
	return 0;
}

/* All of these may wait for locks, for userspace or for the device, so none is a section. */
DRM_DEV_CTX_IOCTL_UNGUARDED_EXTERN(EDU_BO_CREATE, edu_ioctl_bo_create, struct drm_edu_bo_create);
DRM_DEV_CTX_IOCTL_UNGUARDED_EXTERN(EDU_BO_MMAP_OFFSET, edu_ioctl_bo_mmap_offset,
				   struct drm_edu_bo_mmap_offset);
DRM_DEV_CTX_IOCTL_UNGUARDED_EXTERN(EDU_BO_FILL, edu_ioctl_bo_fill, struct drm_edu_bo_fill);
DRM_DEV_CTX_IOCTL_UNGUARDED_EXTERN(EDU_BO_LABEL, edu_ioctl_bo_label, struct drm_edu_bo_label);
DRM_DEV_CTX_IOCTL_UNGUARDED_EXTERN(EDU_WAIT, edu_ioctl_wait, struct drm_edu_wait);
